"""Codes and links that somebody waits for, wherever they were asked for."""

from __future__ import annotations

import secrets

from .clerk import LocalClerk
from .errors import ClerkError, incorrect_code
from .events import record_event
from .resources import Message, Verification, new_id
from .serializers.messages import message_json

CODE = "424242"
LIFETIME_MS = 10 * 60_000
MAX_ATTEMPTS = 5


def begin_verification(
    clerk: LocalClerk, strategy: str, target: str, *, client_id: str = "", redirect_url: str = ""
) -> Verification:
    """Start verifying; :func:`send_code` or a link's message goes with it.

    :param strategy: ``email_code``, ``phone_code``, ``email_link``, ``oauth_google``, …
    :param target: id of what is being verified.
    :param redirect_url: of a link or a visit to a provider: where the browser goes afterwards.
    """
    now = clerk.now
    verification = Verification(
        new_id("ver"),
        now,
        now,
        strategy,
        now + LIFETIME_MS,
        code=CODE if strategy.endswith(("email_code", "phone_code")) else "",
        token=secrets.token_urlsafe(24),
        client_id=client_id,
        target=target,
        redirect_url=redirect_url,
    )
    clerk.store.put(verification)
    return verification


def send_code(
    clerk: LocalClerk, strategy: str, target: str, to: str, slug: str = ""
) -> Verification:
    """Start verifying by a code, and put the message with it into the inbox.

    :param to: the e-mail address or phone number.
    :param slug: Clerk's name of the template; empty: the strategy's usual one.
    """
    verification = begin_verification(clerk, strategy, target)
    name = clerk.settings.application.name or clerk.config.name
    subject = f"{verification.code} is your {name} verification code"
    kind = "reset_password_code" if strategy.startswith("reset_") else "verification_code"
    send_message(clerk, to, subject, f"{subject}.", slug=slug or kind, code=verification.code)
    return verification


def send_message(
    clerk: LocalClerk,
    to: str,
    subject: str,
    body: str,
    *,
    slug: str = "",
    code: str = "",
    link: str = "",
) -> None:
    """Put an e-mail, or for a phone number an SMS, into the inbox, and tell the app.

    :param slug: Clerk's name of the template, such as ``verification_code``.
    """
    now = clerk.now
    kind, prefix = ("email", "ema") if "@" in to else ("sms", "sms")
    message = Message(new_id(prefix), now, now, kind, to, subject, body, code, link, slug)
    clerk.store.put(message)
    record_event(clerk, f"{kind}.created", message_json(clerk, message))


def check_code(clerk: LocalClerk, verification_id: str | None, code: str) -> Verification:
    """Hand in a code. Every attempt counts, also one that fails.

    :raises ClerkError: ``verification_missing``, ``verification_expired``,
        ``verification_failed`` after too many attempts, ``form_code_incorrect``.
    """
    verification = open_verification(clerk, verification_id)
    check_attempts(clerk, verification)
    wanted = verification.code.encode()
    if not (wanted and secrets.compare_digest(code.strip().encode(), wanted)):
        raise incorrect_code()
    return finish_verification(clerk, verification)


def check_attempts(clerk: LocalClerk, verification: Verification) -> None:
    """Count an attempt, before it is known whether it succeeds.

    :raises ClerkError: ``verification_failed`` after too many.
    """
    if verification.attempts >= MAX_ATTEMPTS:
        message = "Too many failed attempts. You have to try again with the same or another method."
        raise ClerkError("verification_failed", message, 400)
    verification.attempts += 1
    clerk.store.put(verification)


def open_verification(clerk: LocalClerk, verification_id: str | None) -> Verification:
    """A verification that can still be finished.

    :raises ClerkError: ``verification_missing``, ``verification_expired``, or
        ``verification_already_verified``.
    """
    verification = clerk.store.get(Verification, verification_id)
    if verification is None:
        raise ClerkError("verification_missing", "Ask for a new code first.", 400)
    if verification.status == "verified":
        message = "This verification has already been completed."
        raise ClerkError("verification_already_verified", message, 400)
    if verification.expire_at <= clerk.now:
        message = "This verification has expired. You need to start again."
        raise ClerkError("verification_expired", message, 400)
    return verification


def finish_verification(clerk: LocalClerk, verification: Verification) -> Verification:
    """Mark as verified."""
    verification.status = "verified"
    verification.updated_at = clerk.now
    clerk.store.put(verification)
    return verification
