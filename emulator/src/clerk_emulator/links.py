"""Links in e-mails that verify an address when they are opened, in whichever browser."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import Verification
from .verifications import begin_verification, send_message

SLUGS = {"sia": "magic_link_sign_in", "sua": "magic_link_sign_up"}
"""Clerk's names of the templates, by what an id begins with."""


def send_link(
    clerk: LocalClerk, target: str, to: str, client_id: str, redirect_url: str, link_base: str
) -> Verification:
    """Start verifying by a link, and put the message with it into the inbox.

    :param target: id of what is verified.
    :param to: the e-mail address.
    :param client_id: the browser that waits for it.
    :param redirect_url: where the link leads in the end.
    :param link_base: the address that the link calls; its token is put after it.
    """
    verification = begin_verification(
        clerk, "email_link", target, client_id=client_id, redirect_url=redirect_url
    )
    name = clerk.settings.application.name or clerk.config.name
    link = link_base + verification.token
    slug = SLUGS.get(target.partition("_")[0], "magic_link_user_profile")
    send_message(clerk, to, f"Your link for {name}", f"Open {link}", slug=slug, link=link)
    return verification


def open_link(clerk: LocalClerk, token: str) -> Verification:
    """What a link verifies, whatever has become of it.

    :raises ClerkError: 400 ``verification_missing`` if nobody has sent it.
    """
    found = clerk.store.first(Verification, token=token) if token else None
    if found is None or found.strategy != "email_link":
        message = "This link is unknown. Ask for a new one."
        raise ClerkError("verification_missing", message, 400)
    return found
