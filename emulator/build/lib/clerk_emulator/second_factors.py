"""Second factors: codes of authenticator apps (RFC 6238), backup codes, numbers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

from .clerk import LocalClerk
from .errors import incorrect_second_factor
from .resources import PhoneNumber, User

STEP_SECONDS = 30
DIGITS = 6
BACKUP_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def has_second_factor(clerk: LocalClerk, user: User) -> bool:
    """Whether the account has a second factor that can be asked for."""
    return user.totp_verified or bool(second_factor_phones(clerk, user))


def second_factor_phones(clerk: LocalClerk, user: User) -> list[PhoneNumber]:
    """The numbers that are second factors, the default one first."""
    phones = clerk.store.find(
        PhoneNumber, user_id=user.id, verified=True, reserved_for_second_factor=True
    )
    return sorted(phones, key=lambda phone: not phone.default_second_factor)


def check_second_factor(clerk: LocalClerk, user: User, strategy: str, code: str) -> None:
    """Use up a code of an authenticator app (``totp``) or a backup code (``backup_code``).

    :raises ClerkError: ``form_code_incorrect``, also for a code that was used before.
    """
    if strategy == "totp" and user.totp_verified:
        check_totp(clerk, user, code)
    elif strategy == "backup_code":
        check_backup_code(clerk, user, code)
    else:
        raise incorrect_second_factor()


def check_totp(clerk: LocalClerk, user: User, code: str) -> None:
    """Use up a code of the user's authenticator app, whose clock may be off by one step.

    :raises ClerkError: ``form_code_incorrect``, also for a code that was used before.
    """
    code = code.strip()
    if user.totp_secret is None or not code.isascii():
        raise incorrect_second_factor()
    now = clerk.now // 1000 // STEP_SECONDS
    for step in (now - 1, now, now + 1):
        right = hmac.compare_digest(totp_code(user.totp_secret, step * STEP_SECONDS), code)
        if right and step > user.totp_last_step:
            user.totp_last_step = step
            clerk.store.put(user)
            return
    raise incorrect_second_factor()


def check_backup_code(clerk: LocalClerk, user: User, code: str) -> None:
    """Use up a backup code.

    :raises ClerkError: ``form_code_incorrect``.
    """
    given = code.strip().lower().encode()
    rest = [known for known in user.backup_codes if not hmac.compare_digest(known.encode(), given)]
    if len(rest) == len(user.backup_codes):
        raise incorrect_second_factor()
    user.backup_codes = rest
    clerk.store.put(user)


def totp_code(secret: str, at: int) -> str:
    """What an authenticator app shows.

    :param secret: in base32.
    :param at: unix seconds.
    """
    counter = (at // STEP_SECONDS).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def totp_uri(secret: str, issuer: str, account: str) -> str:
    """What the QR code for an authenticator app says."""
    query = urlencode(
        {
            "algorithm": "SHA1",
            "digits": DIGITS,
            "issuer": issuer,
            "period": STEP_SECONDS,
            "secret": secret,
        },
        quote_via=quote,
    )
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def new_totp_secret() -> str:
    """160 random bits in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def new_backup_codes() -> list[str]:
    """Ten codes that can be used once each."""
    return ["".join(secrets.choice(ALPHABET) for _ in range(8)) for _ in range(BACKUP_CODES)]
