"""What others see of a user."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import EmailAddress, PhoneNumber, User
from .json import Json


def image_url(user: User, base_url: str) -> str:
    """Where a user's picture is, uploaded or drawn.

    :param base_url: where the reader reaches the emulator.
    """
    return f"{base_url}/avatars/{user.picture_id or user.id}"


def public_user_json(clerk: LocalClerk, user: User, base_url: str) -> Json:
    """What Clerk's components show of a user in a session."""
    return {
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username,
        "image_url": image_url(user, base_url),
        "has_image": user.picture_id is not None,
        "identifier": _identifier(clerk, user),
        "banned": user.banned,
    }


def _identifier(clerk: LocalClerk, user: User) -> str:
    """What an account is best known by: its address, number or username."""
    email = clerk.store.get(EmailAddress, user.primary_email_address_id)
    phone = clerk.store.get(PhoneNumber, user.primary_phone_number_id)
    number = phone.phone_number if phone else ""
    return (email.email_address if email else "") or number or user.username or ""
