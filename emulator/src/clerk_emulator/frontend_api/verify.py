"""``/verify``: where the links in e-mails lead."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import LocalClerk, current_clerk
from ..dev_browser import browser_of_cookies, current_visitor
from ..errors import ClerkError
from ..links import open_link
from ..redirects import return_url
from ..resources import Client, SignIn, SignUp, Verification
from ..sign_in_second_factor import STEPS, give_second_factor
from ..sign_ins import finish_sign_in, give_first_factor
from ..sign_up_if_missing import becomes_sign_up, offer_sign_up
from ..sign_up_verifications import mark_verified
from ..sign_ups import finish_sign_up
from ..urls import with_query
from ..verifications import finish_verification

blueprint = Blueprint("verify", __name__)


@blueprint.get("/verify")
def verify() -> Response:
    """Open a link. The browser that waits for it goes on; this one is sent back to the app.

    It is told by ``__clerk_status`` how that went: ``verified``, ``expired``, ``failed``,
    ``transferable`` for a sign-in that becomes a sign-up, or ``client_mismatch`` where only the
    browser that asked for the link may open it.

    :raises ClerkError: 400 ``verification_missing`` for a link that nobody has sent.
    """
    clerk = current_clerk()
    link = open_link(clerk, request.args.get("token", ""))
    status, session_id = _follow(clerk, link)
    told = {"__clerk_status": status}
    if session_id is not None:
        told["__clerk_created_session"] = session_id
    target = return_url(clerk, link.redirect_url or clerk.app_origin)
    return redirect(with_query(target, **told), 303)


def _follow(clerk: LocalClerk, link: Verification) -> tuple[str, str | None]:
    """Verify what the link is for, once; returns the status and the session that began."""
    if link.status != "unverified":
        return "failed", None
    if link.expire_at <= clerk.now:
        return "expired", None
    if _is_elsewhere(clerk, link):
        return "client_mismatch", None
    try:
        with clerk.store.transaction():
            session_id = _go_on(clerk, link)
            return ("transferable" if link.status == "transferable" else "verified"), session_id
    except ClerkError:
        return "failed", None


def _is_elsewhere(clerk: LocalClerk, link: Verification) -> bool:
    """Whether this is not the browser that signs in or up, where that matters."""
    if not clerk.settings.attack_protection.email_link.require_same_client:
        return False
    for_person = clerk.store.get(SignIn, link.target) or clerk.store.get(SignUp, link.target)
    here = browser_of_cookies()
    return for_person is not None and (here is None or here.id != link.client_id)


def _go_on(clerk: LocalClerk, link: Verification) -> str | None:
    here = browser_of_cookies()
    link.verified_at_client = _opened_elsewhere(here, link)
    sign_in = clerk.store.get(SignIn, link.target)
    sign_up = clerk.store.get(SignUp, link.target)
    client = clerk.store.get(Client, link.client_id)
    if sign_in is not None and client is not None:
        _give_factor(clerk, sign_in, link)
        finish_sign_in(clerk, client, sign_in, current_visitor())
        return sign_in.created_session_id
    if sign_up is not None and client is not None:
        _check_current(sign_up.email_verification_id, link, not sign_up.email_verified)
        finish_verification(clerk, link)
        mark_verified(clerk, sign_up, link)
        finish_sign_up(clerk, client, sign_up, current_visitor())
        return sign_up.created_session_id
    finish_verification(clerk, link)
    return None


def _opened_elsewhere(here: Client | None, link: Verification) -> str:
    """The browser that opened the link, unless it is the one that waits for it.

    Where both are the same, Clerk.js lets the new tab go on and leaves the waiting one signed out.
    In Clerk's development instances both tabs end up signed in.
    """
    return "" if here is None or here.id == link.client_id else here.id


def _give_factor(clerk: LocalClerk, sign_in: SignIn, link: Verification) -> None:
    """Whichever step the sign-in is in now."""
    second = sign_in.status in STEPS
    last = sign_in.second_verification_id if second else sign_in.first_verification_id
    _check_current(last, link, second or sign_in.status == "needs_first_factor")
    finish_verification(clerk, link)
    if becomes_sign_up(sign_in, link.strategy):
        offer_sign_up(clerk, link)
    elif second:
        give_second_factor(clerk, sign_in, link.strategy)
    else:
        give_first_factor(clerk, sign_in, link.strategy)


def _check_current(last_id: str | None, link: Verification, waiting: bool) -> None:
    """Only the last link that was sent counts, and only while something waits for it."""
    if last_id != link.id or not waiting:
        raise ClerkError(
            "verification_failed",
            "This link is not the latest one. Use the link in the last message.",
            400,
        )
