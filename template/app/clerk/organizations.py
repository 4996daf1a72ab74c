"""Which organization a page belongs to, by the pattern of its URL (protocol 5.2, step 12)."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from .instance import Instance
from .session import Session


def organization_to_activate(path: str, session: Session, instance: Instance) -> str | None:
    """The organization that a page belongs to and the session is not in.

    :param path: of the request, decoded.
    :returns: an id, a slug, an empty string for the personal account, or None: nothing to do.
    """
    wanted = organization_of(path, instance)
    if wanted is None:
        return None
    kind, value = wanted
    active = session.organization
    if kind == "personal":
        return "" if active else None
    current = getattr(active, kind) if active else None
    return None if current == value else value


def organization_of(path: str, instance: Instance) -> tuple[str, str] | None:
    """What the URL names: ``("id", …)``, ``("slug", …)``, ``("personal", "")``, or None."""
    if not instance.organization_patterns and not instance.personal_account_patterns:
        return None
    rules = _rules(instance.organization_patterns, instance.personal_account_patterns)
    try:
        endpoint, values = rules.bind("localhost").match(path)
    except HTTPException:
        return None
    if endpoint == "personal":
        return "personal", ""
    return next(((kind, str(values[kind])) for kind in ("id", "slug") if kind in values), None)


@lru_cache(maxsize=8)
def _rules(organizations: tuple[str, ...], personal: tuple[str, ...]) -> Map:
    rules = [Rule(pattern, endpoint="organization") for pattern in organizations]
    rules += [Rule(pattern, endpoint="personal") for pattern in personal]
    return Map(rules, strict_slashes=False, merge_slashes=False)
