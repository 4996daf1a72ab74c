"""What a registration asks for, by the instance's settings, and what is missing still."""

from __future__ import annotations

from .clerk import LocalClerk
from .resources import SignUp
from .settings import InstanceSettings

IDENTIFIERS = ("email_address", "phone_number", "username")
FIELDS = (*IDENTIFIERS, "first_name", "last_name", "password")
LEGAL = "legal_accepted"


def required_fields(settings: InstanceSettings) -> list[str]:
    """What everybody has to fill in."""
    required = [name for name in FIELDS if _is(settings, name, "required")]
    return required + ([LEGAL] if settings.sign_up.legal_consent_enabled else [])


def optional_fields(settings: InstanceSettings) -> list[str]:
    """What can be filled in as well."""
    required = required_fields(settings)
    return [name for name in FIELDS if _is(settings, name, "enabled") and name not in required]


def missing_fields(clerk: LocalClerk, sign_up: SignUp) -> list[str]:
    """Required fields that nobody has filled in yet. Everybody needs something to be known by."""
    if sign_up.created_user_id is not None:
        return []
    present = _present(sign_up)
    missing = [name for name in required_fields(clerk.settings) if not present[name]]
    known = any(present[name] for name in IDENTIFIERS)
    if not known and not any(name in IDENTIFIERS for name in missing):
        enabled = (name for name in IDENTIFIERS if _is(clerk.settings, name, "enabled"))
        missing.insert(0, next(enabled, "email_address"))
    return missing


def unverified_fields(clerk: LocalClerk, sign_up: SignUp) -> list[str]:
    """Fields that are filled in, but wait for a code or link."""
    attributes = clerk.settings.attributes
    waits = {
        "email_address": attributes.email_address.verify_at_sign_up
        and sign_up.email_address is not None
        and not sign_up.email_verified,
        "phone_number": attributes.phone_number.verify_at_sign_up
        and sign_up.phone_number is not None
        and not sign_up.phone_verified,
    }
    return [name for name, wait in waits.items() if wait and sign_up.created_user_id is None]


def _present(sign_up: SignUp) -> dict[str, bool]:
    """Whoever comes from a social provider needs no password."""
    values = {name: getattr(sign_up, name, None) is not None for name in FIELDS}
    values["password"] = sign_up.password_hash is not None or sign_up.external_account is not None
    values[LEGAL] = sign_up.legal_accepted_at is not None
    return values


def _is(settings: InstanceSettings, name: str, what: str) -> bool:
    attribute = getattr(settings.attributes, name)
    return bool(attribute.enabled and getattr(attribute, what))
