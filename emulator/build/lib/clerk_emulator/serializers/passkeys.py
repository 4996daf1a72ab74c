"""Passkeys."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import Passkey, Verification
from .json import Json
from .verifications import stored_verification_json, verification_json


def passkey_json(clerk: LocalClerk, passkey: Passkey) -> Json:
    """A passkey; with what the browser needs to make it, while it is not there yet."""
    asked = clerk.store.get(Verification, passkey.verification_id)
    if passkey.verified or asked is None:
        shown = verification_json("verified" if passkey.verified else "unverified", "passkey")
    else:
        shown = stored_verification_json(clerk, asked)
    return {
        "object": "passkey",
        "id": passkey.id,
        "name": passkey.name,
        "verification": shown,
        "last_used_at": passkey.last_used_at,
        "created_at": passkey.created_at,
        "updated_at": passkey.updated_at,
    }
