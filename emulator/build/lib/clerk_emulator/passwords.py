"""What makes a password, by the instance's rules."""

from __future__ import annotations

from .errors import ClerkError, missing
from .settings.model import PasswordRules

MAX_BYTES = 72
SPECIAL_CHARACTERS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
STOLEN = frozenset(
    (
        "00000000",
        "11111111",
        "12345678",
        "123456789",
        "1234567890",
        "1q2w3e4r",
        "1qaz2wsx",
        "abc12345",
        "abcd1234",
        "administrator",
        "baseball",
        "changeme",
        "computer",
        "football",
        "iloveyou",
        "letmein1",
        "Password",
        "password",
        "Password1",
        "password1",
        "Password123",
        "password123",
        "princess",
        "qwerty123",
        "qwertyuiop",
        "sunshine",
        "superman",
        "trustno1",
        "welcome1",
    )
)
"""The start of the list that Clerk looks passwords up in, over the network."""


def check_password_rules(rules: PasswordRules, password: str, param: str = "password") -> None:
    """Refuse a new password that does not meet the rules.

    :raises ClerkError: with Clerk's code for each rule that it breaks, such as
        ``form_password_length_too_short``; ``form_password_pwned`` if it breaks none.
    """
    if not password:
        raise missing(param)
    if len(password.encode()) > MAX_BYTES:
        message = f"Passwords must not exceed {MAX_BYTES} bytes: some characters count as several."
        raise ClerkError("form_password_size_in_bytes_exceeded", message, param=param)
    broken = [
        ClerkError(code, message, param=param)
        for is_broken, code, message in _rules(rules, password)
        if is_broken
    ]
    if broken:
        first, *others = broken
        raise ClerkError(first.code, first.message, param=param, others=others)
    if is_compromised(rules, password):
        message = "Password has been found in an online data breach. Use a different one."
        raise ClerkError("form_password_pwned", message, param=param)


def is_compromised(rules: PasswordRules, password: str) -> bool:
    """Whether the password is known to be stolen."""
    return password in rules.compromised or (not rules.disable_hibp and password in STOLEN)


def _rules(rules: PasswordRules, password: str) -> list[tuple[bool, str, str]]:
    """Whether each rule is broken, Clerk's code for it, and what to do."""
    return [
        (
            len(password) < rules.min_length,
            "form_password_length_too_short",
            f"Passwords must be {rules.min_length} characters or more.",
        ),
        (
            len(password) > rules.max_length,
            "form_password_length_too_long",
            f"Passwords must be {rules.max_length} characters or less.",
        ),
        (
            rules.require_uppercase and not any(c.isupper() for c in password),
            "form_password_no_uppercase",
            "Passwords must contain at least one uppercase character.",
        ),
        (
            rules.require_lowercase and not any(c.islower() for c in password),
            "form_password_no_lowercase",
            "Passwords must contain at least one lowercase character.",
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
    ]
