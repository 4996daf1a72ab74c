"""What every resource has. All times are unix milliseconds.

Fields hold only what JSON can hold, because :class:`clerk_emulator.store.Store` keeps each
resource as one JSON document. A new field needs a default, so that older state files still load.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import ClassVar

ALPHABET = string.ascii_letters + string.digits
OF_BYTES = (ALPHABET * 5)[:256].encode()
"""A letter for every byte. Eight letters are a quarter likelier than the others, which costs none
of the 160 bits that keep an id from being guessed."""


def new_id(prefix: str) -> str:
    """A fresh id that looks like Clerk's: ``user_2b…``, 27 random characters after the prefix."""
    return f"{prefix}_{secrets.token_bytes(27).translate(OF_BYTES).decode()}"


@dataclass
class Resource:
    """What every resource has. ``INDEXED`` names the fields that the store can search by."""

    TABLE: ClassVar[str]
    INDEXED: ClassVar[tuple[str, ...]] = ()

    id: str
    created_at: int
    updated_at: int
