"""What people type to say who they are: an e-mail address, a phone number or a username."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .claims import is_primary
from .clerk import LocalClerk
from .errors import ClerkError, missing
from .phone_numbers import normalize_phone_number
from .resources import EmailAddress, PhoneNumber, User
from .sign_in_factors import supported_identifiers
from .users import normalize_email

LOOKS_LIKE_A_NUMBER = re.compile(r"\+[\d\s().-]+")


def identifier_kind(clerk: LocalClerk, identifier: str) -> str | None:
    """What it looks like, among what people may sign in with."""
    kind = "username"
    if "@" in identifier:
        kind = "email_address"
    elif LOOKS_LIKE_A_NUMBER.fullmatch(identifier):
        kind = "phone_number"
    return kind if kind in supported_identifiers(clerk) else None


def normalize_identifier(clerk: LocalClerk, identifier: str) -> str:
    """As it is stored.

    :raises ClerkError: if it is empty or nothing that people may sign in with.
    """
    identifier = identifier.strip()
    if not identifier:
        raise missing("identifier")
    kind = identifier_kind(clerk, identifier)
    if kind is None:
        raise ClerkError("form_param_format_invalid", "Identifier is invalid.", param="identifier")
    if kind == "phone_number":
        return normalize_phone_number(identifier, "identifier")
    if kind == "email_address":
        return normalize_email(identifier, "identifier")
    return identifier.lower()


def user_with_identifier(clerk: LocalClerk, identifier: str) -> User | None:
    """The account with this normalized identifier.

    An address or number counts once it is verified; where nobody verifies any, the primary one.
    """
    kind = identifier_kind(clerk, identifier)
    if kind == "username":
        return clerk.store.first(User, username=identifier)
    claims: Sequence[EmailAddress | PhoneNumber]
    if kind == "phone_number":
        claims = clerk.store.find(PhoneNumber, phone_number=identifier)
        proved = clerk.settings.attributes.phone_number.verify_at_sign_up
    else:
        claims = clerk.store.find(EmailAddress, email_address=identifier)
        proved = clerk.settings.attributes.email_address.verify_at_sign_up
    for claim in claims:
        if claim.verified or claim.reserved or (not proved and is_primary(clerk, claim)):
            return clerk.store.get(User, claim.user_id)
    return None
