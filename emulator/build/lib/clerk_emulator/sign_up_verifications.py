"""Codes and links that prove the address and number of a registration."""

from __future__ import annotations

from .channels import check_channel, remember_channel
from .clerk import LocalClerk
from .errors import ClerkError, unsupported_strategy
from .links import send_link
from .redirects import return_url
from .resources import SignUp, Verification
from .settings.model import Attribute
from .verifications import check_code, open_verification, send_code

FIELDS = {
    "email_code": "email_address",
    "email_link": "email_address",
    "phone_code": "phone_number",
}
"""What a strategy verifies."""


def verification_strategies(attribute: Attribute, default: str) -> tuple[str, ...]:
    """How an address or number is verified; ``default`` where the settings name nothing."""
    return attribute.verifications or (default,)


def prepare_verification(
    clerk: LocalClerk,
    sign_up: SignUp,
    strategy: str,
    *,
    redirect_url: str = "",
    link_base: str = "",
    channel: str = "",
) -> None:
    """Send a code, or a link.

    :param redirect_url: where a link leads in the end.
    :param link_base: the address that a link calls; its token is put after it.
    :param channel: by which a code goes to a phone; empty for SMS.
    :raises ClerkError: if the instance has no such verification, there is nothing to verify, or
        the link leads elsewhere than to the app.
    """
    to = _unverified(clerk, sign_up, strategy)
    check_channel(clerk, strategy, channel)
    if strategy == "email_link":
        wanted = return_url(clerk, redirect_url)
        sent = send_link(clerk, sign_up.id, to, sign_up.client_id, wanted, link_base)
    else:
        sent = send_code(clerk, strategy, sign_up.id, to)
    remember_channel(clerk, sent, channel)
    if strategy == "phone_code":
        sign_up.phone_verification_id = sent.id
    else:
        sign_up.email_verification_id = sent.id
    _save(clerk, sign_up)


def attempt_verification(clerk: LocalClerk, sign_up: SignUp, strategy: str, code: str) -> None:
    """Hand in the code that was sent for this registration.

    :raises ClerkError: as :func:`clerk_emulator.verifications.check_code`.
    """
    if strategy not in ("email_code", "phone_code"):
        raise unsupported_strategy()
    _unverified(clerk, sign_up, strategy)
    by_phone = strategy == "phone_code"
    id = sign_up.phone_verification_id if by_phone else sign_up.email_verification_id
    verification = open_verification(clerk, id)
    if verification.target != sign_up.id or verification.strategy != strategy:
        raise unsupported_strategy()
    check_code(clerk, verification.id, code)
    mark_verified(clerk, sign_up, verification)


def mark_verified(clerk: LocalClerk, sign_up: SignUp, verification: Verification) -> None:
    """The address or number is the person's."""
    if verification.strategy == "phone_code":
        sign_up.phone_verified = True
    else:
        sign_up.email_verified = True
    _save(clerk, sign_up)


def _unverified(clerk: LocalClerk, sign_up: SignUp, strategy: str) -> str:
    """The address or number that this strategy would verify."""
    attributes = clerk.settings.attributes
    field = FIELDS.get(strategy)
    to = getattr(sign_up, field) if field else None
    attribute = attributes.phone_number if field == "phone_number" else attributes.email_address
    default = "phone_code" if field == "phone_number" else "email_code"
    if to is None or strategy not in verification_strategies(attribute, default):
        raise unsupported_strategy()
    done = sign_up.phone_verified if field == "phone_number" else sign_up.email_verified
    if done:
        message = "This verification has already been completed."
        raise ClerkError("verification_already_verified", message, 400)
    return str(to)


def _save(clerk: LocalClerk, sign_up: SignUp) -> None:
    sign_up.updated_at = clerk.now
    clerk.store.put(sign_up)
