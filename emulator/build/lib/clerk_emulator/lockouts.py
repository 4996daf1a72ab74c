"""Locking accounts at which somebody guesses: wrong passwords and codes count, up to a limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import User
from .users import save_user

GUESSES = frozenset(
    ("form_password_incorrect", "form_password_or_identifier_incorrect", "form_code_incorrect")
)
"""What a wrong password or code is answered with."""
MINUTE_MS = 60_000


def check_welcome(clerk: LocalClerk, user: User) -> None:
    """Refuse who may not sign in.

    :raises ClerkError: 403 ``user_banned`` or ``user_locked``.
    """
    if user.banned:
        message = "You have been banned. If you think this was by mistake, please contact support."
        raise ClerkError("user_banned", message, 403)
    if user.is_locked(clerk.now):
        raise user_locked(clerk, user)


def user_locked(clerk: LocalClerk, user: User) -> ClerkError:
    """403 for a locked account; says how long that lasts."""
    support = clerk.settings.application.support_email or "support"
    contact = f"For more information, please contact {support}."
    if user.lockout_expires_at is None:
        return ClerkError("user_locked", f"Your account is locked. {contact}", 403)
    seconds = -(-(user.lockout_expires_at - clerk.now) // 1000)
    again = f"You will be able to try again in {_duration(seconds)}."
    meta = {"lockout_expires_in_seconds": seconds}
    return ClerkError("user_locked", f"Your account is locked. {again} {contact}", 403, meta=meta)


def lock(clerk: LocalClerk, user: User) -> None:
    """Shut sign-in, for as long as the settings say. Whoever is signed in stays so."""
    minutes = clerk.settings.attack_protection.user_lockout.duration_in_minutes
    user.locked = True
    user.lockout_expires_at = clerk.now + minutes * MINUTE_MS if minutes else None


def unlock(user: User) -> None:
    """Let somebody sign in again, with all attempts before them."""
    user.locked, user.lockout_expires_at, user.failed_attempts = False, None, 0


def switch_state(clerk: LocalClerk, user: User, action: str) -> None:
    """What the app's owner can do: ``ban``, ``unban``, ``lock`` or ``unlock``."""
    if action == "lock":
        lock(clerk, user)
    elif action == "unlock":
        unlock(user)
    else:
        user.banned = action == "ban"


@contextmanager
def counting_guesses(clerk: LocalClerk, user: User | None, *, tell: bool = True) -> Iterator[None]:
    """Count a wrong password or code that is found inside; the last one allowed locks the account.

    :param user: whose it was; None: nobody's.
    :param tell: whether the answer may say that the account is locked now.
    :raises ClerkError: what was raised inside, or 403 ``user_locked``.
    """
    try:
        yield
    except ClerkError as error:
        if user is None or error.code not in GUESSES:
            raise
        error.keeps_changes = True
        if not _count_guess(clerk, user) or not tell:
            raise
        locked = user_locked(clerk, user)
        locked.keeps_changes = True
        raise locked from None


def _count_guess(clerk: LocalClerk, user: User) -> bool:
    """Whether the account is locked by it."""
    rules = clerk.settings.attack_protection.user_lockout
    if not rules.enabled:
        return False
    if user.locked and not user.is_locked(clerk.now):
        unlock(user)
    user.failed_attempts += 1
    if user.failed_attempts < rules.max_attempts or user.locked:
        clerk.store.put(user)
        return user.locked
    lock(clerk, user)
    save_user(clerk, user)
    return True


def _duration(seconds: int) -> str:
    """In the largest unit that fits, such as ``59 minutes``."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' * (number > 1)}"
    return f"{seconds} second{'s' * (seconds > 1)}"
