"""What is only kept: found, listed and told apart by its category."""

from __future__ import annotations

from typing import Any

from ..clerk import current_clerk
from ..errors import not_found
from ..resources import Record, new_id
from ..serializers import Json


def find_record(category: str, id: str, owner_id: str = "") -> Record:
    """One record of that category.

    :raises ClerkError: 404, also for one of another category or owner.
    """
    found = current_clerk().store.get(Record, id)
    if found is None or found.category != category or found.owner_id != owner_id:
        raise not_found(category.replace("_", " ").capitalize())
    return found


def find_records(category: str, owner_id: str = "") -> list[Record]:
    """All records of that category, newest first."""
    store = current_clerk().store
    return store.find(Record, category=category, owner_id=owner_id, newest_first=True)


def keep_record(category: str, prefix: str, data: dict[str, Any], owner_id: str = "") -> Record:
    """Keep something new."""
    now = current_clerk().now
    record = Record(new_id(prefix), now, now, category, owner_id, data)
    current_clerk().store.put(record)
    return record


def change_record(record: Record, changes: dict[str, Any]) -> None:
    """Keep it with these changes."""
    record.data |= changes
    record.updated_at = current_clerk().now
    current_clerk().store.put(record)


def drop_record(record: Record) -> Json:
    """Forget it.

    :returns: the deleted object.
    """
    current_clerk().store.delete(record)
    return {"object": record.category, "id": record.id, "deleted": True}
