"""``/tickets/accept``: where the links of invitations and sign-in tokens lead first."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import base_url, current_clerk
from ..dev_browser import browser_of_cookies
from ..errors import ClerkError
from ..resources import EmailAddress, Invitation, OrganizationInvitation, SignInToken
from ..sessions import end_client_sessions
from ..sign_in_tokens import is_open
from ..urls import with_query

blueprint = Blueprint("tickets", __name__)

SIGN_IN, SIGN_UP = "sign_in", "sign_up"
PAGES = {SIGN_IN: "/sign-in", SIGN_UP: "/sign-up"}


@blueprint.get("/tickets/accept")
def accept() -> Response:
    """Go on to the page that the ticket was made for, which then uses it up.

    Whoever is signed in makes way for who comes to impersonate somebody.

    :raises ClerkError: 400 for a ticket that belongs to nothing.
    """
    ticket = request.args.get("ticket", "")
    status, target = _destination(ticket)
    _make_way(ticket)
    target = target or base_url() + PAGES[status]
    return redirect(with_query(target, __clerk_ticket=ticket, __clerk_status=status), 303)


def _make_way(ticket: str) -> None:
    clerk, client = current_clerk(), browser_of_cookies()
    token = clerk.store.first(SignInToken, ticket=ticket)
    if client is not None and token is not None and token.actor and is_open(clerk, token):
        end_client_sessions(clerk, client, "removed")


def _destination(ticket: str) -> tuple[str, str]:
    """Whether somebody signs in or up with it, and the page that its maker wants."""
    store = current_clerk().store
    if ticket and store.first(SignInToken, ticket=ticket):
        return SIGN_IN, ""
    found: Invitation | OrganizationInvitation | None = None
    if ticket:
        found = store.first(Invitation, ticket=ticket)
        found = found or store.first(OrganizationInvitation, ticket=ticket)
    if found is None:
        raise ClerkError("ticket_invalid_code", "This ticket is not valid.", 400, "ticket")
    known = store.first(EmailAddress, email_address=found.email_address, verified=True)
    return (SIGN_IN if known else SIGN_UP), found.redirect_url
