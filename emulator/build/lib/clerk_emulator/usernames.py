"""Usernames: what one looks like, and who has it."""

from __future__ import annotations

import re

from .clerk import LocalClerk
from .errors import ClerkError, missing
from .resources import User

ALLOWED = re.compile(r"[a-z0-9_.-]+")


def normalize_username(clerk: LocalClerk, username: str) -> str:
    """A username in lower case.

    :raises ClerkError: ``form_param_nil``, ``form_username_invalid_length``,
        ``form_username_invalid_character`` or ``form_username_needs_non_number_char``.
    """
    username = username.strip().lower()
    rules = clerk.settings.username
    if not username:
        raise missing("username")
    if not rules.min_length <= len(username) <= rules.max_length:
        message = (
            f"Your username must be between {rules.min_length} and {rules.max_length} "
            "characters long."
        )
        raise ClerkError("form_username_invalid_length", message, param="username")
    if not ALLOWED.fullmatch(username):
        message = "Usernames have only letters, numbers, underscores, hyphens and periods."
        raise ClerkError("form_username_invalid_character", message, param="username")
    if username.isdigit():
        message = "Your username must contain at least one non-numeric character."
        raise ClerkError("form_username_needs_non_number_char", message, param="username")
    return username


def check_username_free(clerk: LocalClerk, username: str, owner_id: str | None = None) -> None:
    """Refuse a normalized username that somebody else has.

    :param owner_id: the user who may have it already.
    :raises ClerkError: ``form_identifier_exists``.
    """
    user = clerk.store.first(User, username=username)
    if user is not None and user.id != owner_id:
        message = "That username is taken. Please try another."
        raise ClerkError("form_identifier_exists", message, param="username")
