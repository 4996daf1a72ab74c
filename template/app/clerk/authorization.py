"""What a session may do: ``has(...)`` (protocol section 8). Malformed data grants nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SCOPES = {"o": "o", "org": "o", "organization": "o", "u": "u", "user": "u"}
"""Names of the scopes that a feature or a plan may be asked in."""

_BITMAP = re.compile(r"[0-9]{1,600}\Z")


@dataclass(frozen=True)
class Reverification:
    """How recently, and by which factors, somebody must have proven who they are."""

    level: str
    """``first_factor``, ``second_factor`` or ``multi_factor``."""
    minutes: int
    """How long ago at the most."""

    def __post_init__(self) -> None:
        if self.level not in FRESHNESS or type(self.minutes) is not int or self.minutes <= 0:
            raise ValueError(
                f"Reverification({self.level!r}, {self.minutes!r}): expected a level of "
                f"{', '.join(FRESHNESS)} and a positive number of minutes."
            )


def _first(first: int, second: int, minutes: int) -> bool:
    return 0 <= first < minutes


def _second(first: int, second: int, minutes: int) -> bool:
    # Who has no second factor falls back to the first.
    return 0 <= second < minutes if second != -1 else 0 <= first < minutes


def _both(first: int, second: int, minutes: int) -> bool:
    return 0 <= first < minutes and (second == -1 or 0 <= second < minutes)


FRESHNESS: dict[str, Callable[[int, int, int], bool]] = {
    "first_factor": _first,
    "second_factor": _second,
    "multi_factor": _both,
}
"""By level: whether ages of the first and the second factor, in minutes, are fresh enough."""

REVERIFICATIONS = {
    "strict_mfa": Reverification("multi_factor", 10),
    "strict": Reverification("second_factor", 10),
    "moderate": Reverification("second_factor", 60),
    "lax": Reverification("second_factor", 1440),
}
"""Clerk's presets."""


def reverification_of(wanted: str | Reverification | tuple[str, int]) -> Reverification:
    """A preset by name, or an explicit level and number of minutes.

    :raises ValueError: there is no such preset or level.
    """
    if isinstance(wanted, Reverification):
        return wanted
    if isinstance(wanted, str):
        if wanted not in REVERIFICATIONS:
            raise ValueError(f"{wanted!r} is none of {', '.join(REVERIFICATIONS)}.")
        return REVERIFICATIONS[wanted]
    if not isinstance(wanted, tuple) or len(wanted) != 2:
        raise ValueError(f"{wanted!r}: expected a level and a number of minutes.")
    return Reverification(*wanted)


def has_role(role: str | None, wanted: str) -> bool:
    """Whether the role in the active organization is the wanted one; the prefix is optional.

    :param role: with its prefix, such as ``org:admin``; None without an organization.
    """
    return bool(wanted) and role == _prefixed(wanted)


def has_permission(permissions: frozenset[str], wanted: str) -> bool:
    """Whether a permission is among those in the active organization; the prefix is optional."""
    return bool(wanted) and _prefixed(wanted) in permissions


def has_entry(claim: object, wanted: str) -> bool:
    """Whether a feature or a plan is in its claim.

    :param claim: ``fea`` or ``pla``: comma-separated ``scope:name``.
    :param wanted: ``name`` in any scope, or with one: ``org:name``, ``user:name``.
    """
    scope, _, name = wanted.rpartition(":")
    if not name or (scope and scope not in SCOPES) or not isinstance(claim, str):
        return False
    granted = {entry_scope for entry_scope, entry in _entries(claim) if entry == name}
    return any(not scope or SCOPES[scope] in entry_scope for entry_scope in granted)


def is_fresh(ages: object, wanted: str | Reverification | tuple[str, int]) -> bool:
    """Whether the factors were verified recently enough.

    :param ages: the claim ``fva``: minutes since first and second factor, -1 = not enrolled.
    """
    try:
        rule = reverification_of(wanted)
    except (ValueError, TypeError):
        return False
    if not isinstance(ages, list) or len(ages) != 2 or any(type(age) is not int for age in ages):
        return False
    return FRESHNESS[rule.level](ages[0], ages[1], rule.minutes)


def read_permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    """The permissions in the active organization, of claims version 1 or 2 (protocol section 4)."""
    if claims.get("v") != 2:
        listed = claims.get("org_permissions")
        if not isinstance(listed, list) or not claims.get("org_id"):
            return frozenset()
        return frozenset(name for name in listed if isinstance(name, str))
    organization, features = claims.get("o"), claims.get("fea")
    if not isinstance(organization, dict) or not isinstance(features, str):
        return frozenset()
    names, bitmaps = organization.get("per"), organization.get("fpm")
    if not isinstance(names, str) or not isinstance(bitmaps, str):
        return frozenset()
    return _unpack(features, names.split(","), bitmaps.split(","))


def _unpack(features: str, names: list[str], bitmaps: list[str]) -> frozenset[str]:
    """Bit *j* of the *i*-th bitmap grants permission *j* on the *i*-th feature of organizations."""
    if not all(_BITMAP.match(bitmap) for bitmap in bitmaps):
        return frozenset()
    entries = _entries(features)
    if len(entries) != features.count(",") + 1:
        return frozenset()  # what cannot be read would shift the bitmaps of all that follow
    of_organizations = [name for scope, name in entries if "o" in scope]
    return frozenset(
        f"org:{feature}:{name}"
        for feature, bitmap in zip(of_organizations, map(int, bitmaps), strict=False)
        for place, name in enumerate(names)
        if name and bitmap >> place & 1
    )


def _entries(claim: str) -> list[tuple[str, str]]:
    pairs = (entry.strip().partition(":") for entry in claim.split(","))
    return [(scope, name) for scope, _, name in pairs if scope in ("o", "u", "ou", "uo") and name]


def _prefixed(name: str) -> str:
    return name if name.startswith("org:") else f"org:{name}"
