"""Sign-ins that become registrations: an identifier is proved before accounts are spoken of."""

from __future__ import annotations

from dataclasses import replace

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import Client, SignIn, SignUp, Verification
from .sign_ups import SignUpDetails, begin_sign_up

TRANSFER = "sign_up_if_missing_transfer"
STRATEGIES = ("email_code", "phone_code", "email_link")
"""What proves an identifier. A password proves nothing of who has none yet."""


def may_sign_up(clerk: LocalClerk, identifier: str) -> bool:
    """Whether a message can reach an identifier, in an instance in which everybody may sign up."""
    return clerk.settings.sign_up.mode == "public" and ("@" in identifier or identifier[:1] == "+")


def becomes_sign_up(sign_in: SignIn, strategy: str) -> bool:
    """Whether this strategy has nobody to sign in, but somebody to register."""
    return sign_in.sign_up_if_missing and sign_in.user_id is None and strategy in STRATEGIES


def offer_sign_up(clerk: LocalClerk, verification: Verification) -> ClerkError:
    """Let the browser go on with a sign-up; what Clerk.js is told, which then asks for that."""
    verification.status = "transferable"
    clerk.store.put(verification)
    message = "No account has this identifier yet. Continue with a sign-up."
    return ClerkError(TRANSFER, message, keeps_changes=True)


def proved_identifier(clerk: LocalClerk, client: Client) -> tuple[SignIn, Verification] | None:
    """What this browser has proved, and can be transferred to a sign-up, once."""
    sign_in = clerk.store.get(SignIn, client.sign_in_id)
    found = clerk.store.get(Verification, sign_in.first_verification_id) if sign_in else None
    if sign_in is None or found is None or found.target != sign_in.id:
        return None
    usable = found.status == "transferable" and found.expire_at > clerk.now
    return (sign_in, found) if usable and found.strategy in STRATEGIES else None


def sign_up_with_proof(
    clerk: LocalClerk,
    client: Client,
    proved: tuple[SignIn, Verification],
    details: SignUpDetails,
) -> SignUp:
    """Register with the identifier that was proved, whatever else the form names.

    :raises ClerkError: as :func:`clerk_emulator.sign_ups.begin_sign_up`.
    """
    sign_in, verification = proved
    if verification.strategy == "phone_code":
        sign_up = begin_sign_up(clerk, client, replace(details, phone_number=sign_in.identifier))
        sign_up.phone_verified, sign_up.phone_verification_id = True, verification.id
    else:
        sign_up = begin_sign_up(clerk, client, replace(details, email_address=sign_in.identifier))
        sign_up.email_verified, sign_up.email_verification_id = True, verification.id
    verification.status, verification.updated_at = "verified", clerk.now
    clerk.store.put(verification)
    clerk.store.put(sign_up)
    return sign_up
