"""Keep the active organization in step with the URL.

Clerk calls this organization sync. Source, under ``organizationSyncOptions``:
https://clerk.com/docs/reference/nextjs/clerk-middleware
"""

from __future__ import annotations

import re
from functools import lru_cache

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, PathConverter, Rule

from .instance import Instance
from .session import Session


class _AnyPath(PathConverter):
    regex = r"(?s:[^/].*?)"  # "." alone doesn't match a line break, which Flask's routes accept


# They only match: a value that a converter can't read would end the search among the patterns.
_CONVERTERS = {
    name: type(name, (converter,), {"to_python": lambda self, value: value})
    for name, converter in (Map.default_converters | {"path": _AnyPath}).items()
}


def organization_to_activate(path: str, session: Session | None, instance: Instance) -> str | None:
    """The organization that the path names, if it is not the active one.

    :param path: the request's path, decoded, without the prefix of the app.
    :returns: an organization ID or slug, an empty string for the personal account, or None if
        nothing has to change.
    """
    wanted = organization_in_path(path, instance)
    if wanted is None or session is None:
        return None
    kind, value = wanted
    active = session.organization
    if kind == "personal":
        return "" if active else None
    current = getattr(active, kind) if active else None
    return None if current == value else value


def organization_in_path(path: str, instance: Instance) -> tuple[str, str] | None:
    """The organization that a path names, according to the instance's patterns.

    Flask's routes match repeated slashes and a final slash in some cases, and so do patterns.

    :param path: the request's path, decoded, without the prefix of the app.
    :returns: ``("id", …)``, ``("slug", …)``, ``("personal", "")`` for the personal account, or
        None.
    """
    if not instance.has_organization_pages:
        return None
    rules = _url_map(instance.organization_patterns, instance.personal_account_patterns)
    try:
        endpoint, values = rules.bind("localhost").match(re.sub("/{2,}", "/", path))
    except NotFound:
        return None
    if endpoint == "personal":
        return "personal", ""
    return next(((kind, str(values[kind])) for kind in ("id", "slug") if kind in values), None)


@lru_cache(maxsize=8)  # the keys are settings, so there is one entry per instance
def _url_map(organizations: tuple[str, ...], personal: tuple[str, ...]) -> Map:
    rules = [Rule(pattern, endpoint="organization") for pattern in organizations]
    rules += [Rule(pattern, endpoint="personal") for pattern in personal]
    return Map(rules, strict_slashes=False, merge_slashes=False, converters=_CONVERTERS)
