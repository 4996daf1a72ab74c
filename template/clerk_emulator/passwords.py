"""What makes a password, by the instance's rules."""

from __future__ import annotations

from .errors import ClerkError, missing
from .settings.model import PasswordRules

MAX_BYTES = 72
SPECIAL_CHARACTERS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def check_password_rules(rules: PasswordRules, password: str, param: str = "password") -> None:
    """Refuse a new password that does not meet the rules.

    :raises ClerkError: with Clerk's code for the first rule that it breaks, such as
        ``form_password_length_too_short`` or ``form_password_pwned``.
    """
    if not password:
        raise missing(param)
    for broken, code, message in _rules(rules, password):
        if broken:
            raise ClerkError(code, message, param=param)


def is_compromised(rules: PasswordRules, password: str) -> bool:
    """Whether the password is known to be stolen."""
    return password in rules.compromised


def _rules(rules: PasswordRules, password: str) -> list[tuple[bool, str, str]]:
    """Whether each rule is broken, Clerk's code for it, and what to do."""
    return [
        (
            len(password) < rules.min_length,
            "form_password_length_too_short",
            f"Passwords must be {rules.min_length} characters or more.",
        ),
        (
            len(password.encode()) > MAX_BYTES,
            "form_password_size_in_bytes_exceeded",
            f"Passwords must not exceed {MAX_BYTES} bytes.",
        ),
        (
            len(password) > rules.max_length,
            "form_password_length_too_long",
            f"Passwords must be {rules.max_length} characters or less.",
        ),
        (
            rules.require_uppercase and not any(c.isupper() for c in password),
            "form_password_no_uppercase",
            "Passwords must contain at least one uppercase letter.",
        ),
        (
            rules.require_lowercase and not any(c.islower() for c in password),
            "form_password_no_lowercase",
            "Passwords must contain at least one lowercase letter.",
        ),
        (
            rules.require_numbers and not any(c.isdigit() for c in password),
            "form_password_no_number",
            "Passwords must contain at least one number.",
        ),
        (
            rules.require_special_char and not any(c in SPECIAL_CHARACTERS for c in password),
            "form_password_no_special_char",
            "Passwords must contain at least one special character.",
        ),
        (
            is_compromised(rules, password),
            "form_password_pwned",
            "Password has been found in an online data breach. Use a different one.",
        ),
    ]
