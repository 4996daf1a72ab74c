"""What the local Clerk keeps and shows, but does nothing with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import Resource


@dataclass
class Record(Resource):
    """A connection to an identity provider, a directory, the text of a message, …"""

    TABLE = "records"
    INDEXED = ("category", "owner_id")

    category: str
    owner_id: str = ""
    """Id of the record that it is a part of."""
    data: dict[str, Any] = field(default_factory=dict)
