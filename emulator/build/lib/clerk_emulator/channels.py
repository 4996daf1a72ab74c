"""By which channel a code reaches a phone: SMS, or another that the instance offers."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import Verification

SMS = "sms"


def check_channel(clerk: LocalClerk, strategy: str, channel: str) -> None:
    """Refuse what codes do not go out by here.

    :param channel: ``whatsapp``; empty or ``sms`` always exists.
    :raises ClerkError: ``form_param_value_invalid``.
    """
    offered = clerk.settings.attributes.phone_number.channels if strategy == "phone_code" else ()
    if channel not in ("", SMS, *offered):
        message = f"Codes are not sent by {channel} here."
        raise ClerkError("form_param_value_invalid", message, param="channel")


def remember_channel(clerk: LocalClerk, sent: Verification, channel: str) -> None:
    """Note by which channel a code went out. Clerk.js then names it, and offers SMS instead."""
    sent.channel = "" if channel == SMS else channel
    clerk.store.put(sent)
