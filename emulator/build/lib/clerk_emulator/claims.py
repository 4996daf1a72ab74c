"""Who may have an address or number: several may claim one, the first to prove it gets it."""

from __future__ import annotations

from collections.abc import Iterable

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import EmailAddress, PhoneNumber, User


def is_taken(
    clerk: LocalClerk, claims: Iterable[EmailAddress | PhoneNumber], user_id: str = ""
) -> bool:
    """Whether nobody else can have an address or number any more.

    A claim counts once it is verified; without that, if it is reserved, or its owner signs in with
    it, as where nobody verifies any.

    :param claims: all of that address or number.
    :param user_id: who would like to have it. Nobody has the same one twice.
    """
    return any(
        claim.verified or claim.reserved or claim.user_id == user_id or is_primary(clerk, claim)
        for claim in claims
    )


def taken(param: str) -> ClerkError:
    """422 for an address or number of somebody else."""
    message = f"That {param.replace('_', ' ')} is taken. Please try another."
    return ClerkError("form_identifier_exists", message, param=param)


def is_primary(clerk: LocalClerk, claim: EmailAddress | PhoneNumber) -> bool:
    """Whether its owner is known by it first of all."""
    owner = clerk.store.get(User, claim.user_id)
    ids = (owner.primary_email_address_id, owner.primary_phone_number_id) if owner else ()
    return claim.id in ids
