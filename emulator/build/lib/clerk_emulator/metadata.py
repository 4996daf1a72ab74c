"""Clerk's merge rule for user metadata."""

from __future__ import annotations

from typing import Any


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Objects merge at every depth, null removes a key, anything else replaces."""
    merged = dict(old)
    for name, value in new.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = old.get(name)
            merged[name] = merge(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged
