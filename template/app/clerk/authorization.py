"""Authorization checks on a session's claims. Malformed claims grant nothing.

Source: https://clerk.com/docs/guides/secure/authorization-checks
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SCOPES = {"o": "o", "org": "o", "organization": "o", "u": "u", "user": "u"}
"""The scopes that may precede the name of a feature or plan, and their short forms in claims."""

_BITMAP = re.compile(r"[0-9]{1,600}\Z")


@dataclass(frozen=True)
class Reverification:
    """How recently, and with which factors, the user must have verified their identity.

    Source: https://clerk.com/docs/guides/secure/reverification
    """

    level: str
    """``first_factor``, ``second_factor`` or ``multi_factor``."""
    minutes: int
    """The verification must be more recent than this."""

    def __post_init__(self) -> None:
        if self.level not in FRESHNESS or type(self.minutes) is not int or self.minutes <= 0:
            raise ValueError(
                f"Reverification({self.level!r}, {self.minutes!r}): expected one of the levels "
                f"{', '.join(FRESHNESS)} and a positive number of minutes."
            )


def _is_first_fresh(first: int, second: int, minutes: int) -> bool:
    return 0 <= first < minutes


def _is_second_fresh(first: int, second: int, minutes: int) -> bool:
    # Users without a second factor fall back to the first.
    return 0 <= second < minutes if second != -1 else 0 <= first < minutes


def _are_both_fresh(first: int, second: int, minutes: int) -> bool:
    return 0 <= first < minutes and (second == -1 or 0 <= second < minutes)


FRESHNESS: dict[str, Callable[[int, int, int], bool]] = {
    "first_factor": _is_first_fresh,
    "second_factor": _is_second_fresh,
    "multi_factor": _are_both_fresh,
}
"""For each level, the check on the ages of both factors and the limit, all in minutes."""

REVERIFICATIONS = {
    "strict_mfa": Reverification("multi_factor", 10),
    "strict": Reverification("second_factor", 10),
    "moderate": Reverification("second_factor", 60),
    "lax": Reverification("second_factor", 1440),
}
"""Clerk's presets, by name."""


def reverification_of(wanted: str | Reverification | tuple[str, int]) -> Reverification:
    """Look up a preset by name, or accept an explicit level and number of minutes.

    :raises ValueError: the preset or level doesn't exist, or the minutes aren't positive.
    """
    if isinstance(wanted, Reverification):
        return wanted
    if isinstance(wanted, str):
        if wanted not in REVERIFICATIONS:
            raise ValueError(
                f"{wanted!r} is not a reverification preset; expected one of "
                f"{', '.join(REVERIFICATIONS)}."
            )
        return REVERIFICATIONS[wanted]
    if not isinstance(wanted, tuple) or len(wanted) != 2:
        raise ValueError(f"{wanted!r}: expected a level and a number of minutes.")
    return Reverification(*wanted)


def has_role(role: str | None, wanted: str) -> bool:
    """Whether the user has a role in the active organization.

    :param role: the user's role with its prefix, such as ``org:admin``; None without an active
        organization.
    :param wanted: the role to look for; its prefix is optional.
    """
    return _is_name(wanted) and role == _prefixed(wanted)


def has_permission(permissions: frozenset[str], wanted: str) -> bool:
    """Whether the user has a permission in the active organization.

    :param permissions: the user's permissions, with their prefixes.
    :param wanted: the permission to look for; its prefix is optional.
    """
    return _is_name(wanted) and _prefixed(wanted) in permissions


def has_entry(claim: object, wanted: str) -> bool:
    """Whether a claim lists a feature or plan.

    :param claim: the claim ``fea`` or ``pla``: comma-separated entries ``scope:name``.
    :param wanted: ``name`` for any scope, or ``org:name`` or ``user:name`` for one.
    """
    if not _is_name(wanted):
        return False
    scope, _, name = wanted.rpartition(":")
    if not name or (scope and scope not in SCOPES) or not isinstance(claim, str):
        return False
    granted = {entry_scope for entry_scope, entry in _entries(claim) if entry == name}
    return any(not scope or SCOPES[scope] in entry_scope for entry_scope in granted)


def is_fresh(ages: object, wanted: str | Reverification | tuple[str, int]) -> bool:
    """Whether the factors were verified recently enough.

    :param ages: the claim ``fva``: minutes since each factor was verified, -1 if never.
    """
    try:
        rule = reverification_of(wanted)
    except (ValueError, TypeError):
        return False
    if not isinstance(ages, list) or len(ages) != 2 or any(type(age) is not int for age in ages):
        return False
    return FRESHNESS[rule.level](ages[0], ages[1], rule.minutes)


def read_permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    """The user's permissions in the active organization.

    Version 1 of the claims lists them. Version 2 packs them into bitmaps, one for each feature of
    the organization. Source: https://clerk.com/docs/guides/sessions/session-tokens
    """
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
    return _unpack_permissions(features, names.split(","), bitmaps.split(","))


def _unpack_permissions(features: str, names: list[str], bitmaps: list[str]) -> frozenset[str]:
    """Bit *j* of bitmap *i* grants permission *j* on the organization's feature *i*."""
    if not all(_BITMAP.match(bitmap) for bitmap in bitmaps):
        return frozenset()
    entries = _entries(features)
    if len(entries) != features.count(",") + 1:
        # A malformed entry would assign the bitmaps after it to the wrong features.
        return frozenset()
    organization_features = [name for scope, name in entries if "o" in scope]
    return frozenset(
        f"org:{feature}:{name}"
        for feature, bitmap in zip(organization_features, map(int, bitmaps), strict=False)
        for place, name in enumerate(names)
        if name and bitmap >> place & 1
    )


def _entries(claim: str) -> list[tuple[str, str]]:
    pairs = (entry.strip().partition(":") for entry in claim.split(","))
    return [(scope, name) for scope, _, name in pairs if scope in ("o", "u", "ou", "uo") and name]


def _is_name(wanted: object) -> bool:
    return isinstance(wanted, str) and bool(wanted)


def _prefixed(name: str) -> str:
    return name if name.startswith("org:") else f"org:{name}"
