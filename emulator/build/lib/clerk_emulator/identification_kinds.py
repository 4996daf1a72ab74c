"""The two kinds of what accounts are known by, and what differs between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .clerk import LocalClerk
from .phone_numbers import add_phone_number, normalize_phone_number
from .resources import EmailAddress, PhoneNumber
from .serializers import Json, email_address_json, phone_number_json
from .users import add_email_address, normalize_email


class Add(Protocol):
    """Gives an account another one; it must have been normalized."""

    def __call__(
        self, clerk: LocalClerk, user_id: str, value: str, /, *, verified: bool
    ) -> EmailAddress | PhoneNumber: ...


@dataclass(frozen=True)
class Kind:
    """E-mail addresses, or phone numbers.

    :param name: as objects and parameters are called.
    :param label: as people read it.
    :param strategy: of a verification by code.
    """

    resource: type[EmailAddress] | type[PhoneNumber]
    name: str
    label: str
    strategy: str
    normalize: Callable[[str], str]
    add: Add
    as_json: Callable[[LocalClerk, Any], Json]


KINDS = {
    "email_addresses": Kind(
        EmailAddress,
        "email_address",
        "Email address",
        "email_code",
        normalize_email,
        add_email_address,
        email_address_json,
    ),
    "phone_numbers": Kind(
        PhoneNumber,
        "phone_number",
        "Phone number",
        "phone_code",
        normalize_phone_number,
        add_phone_number,
        phone_number_json,
    ),
}
"""Each under the word for several of it, which is how paths call it."""

IN_PATH = f"<any({', '.join(KINDS)}):kind>"
"""The part of a path that says which kind."""
