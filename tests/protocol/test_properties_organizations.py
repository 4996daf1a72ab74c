"""The organization patterns and Flask's routes never disagree about a path."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, RequestRedirect, Rule

from app.clerk import read_instance
from app.clerk.organization_sync import organization_in_path
from tests.signing import HOST, publishable_key


class Anything(BaseConverter):
    """A founder's own converter, which matches every character."""

    regex = "(?s:.+)"
    part_isolating = False


TYPES = ["", "string(length=1):", "int(signed=True):", "float:", "uuid:", "path:", "any(a,b):", "own:"]
UUID = "6f1c1f0e-8f3c-4b0e-9d2b-0c2f6a1b2c3d"
VALUES = st.sampled_from(["a", "5", "-5", "99", "1.5", UUID, "\n", "a\nb", "a/b\nc", "٣"]) | st.text()
OVERLAPPING = "/orgs/<slug>,/orgs/<slug>/<path:rest>,/orgs/<slug>/<int(max=5):n>,/orgs/<slug>/<uuid:n>/x"
KEYS = {"CLERK_PUBLISHABLE_KEY": publishable_key(HOST), "CLERK_SECRET_KEY": "sk_test_secret"}
INSTANCE = read_instance(KEYS | {"CLERK_ORGANIZATION_PATTERNS": OVERLAPPING})


@settings(max_examples=1000)
@given(
    slug=st.text(min_size=1).filter(lambda slug: "/" not in slug),
    parts=st.lists(st.tuples(st.sampled_from(TYPES), VALUES), max_size=4),
    end=st.sampled_from(["", "/", "/edit", "//"]),
    strict=st.booleans(),
    merge=st.booleans(),
)
def test_the_patterns_match_whatever_a_route_below_them_matches(
    slug: str, parts: list[tuple[str, str]], end: str, strict: bool, merge: bool
) -> None:
    route = "/orgs/<slug>" + "".join(f"/<{type_}v{at}>" for at, (type_, _) in enumerate(parts)) + end
    path = "/".join([f"/orgs/{slug}", *(value for _, value in parts)]) + end
    converters = Map.default_converters | {"own": Anything}
    routes = Map([Rule(route)], strict_slashes=strict, merge_slashes=merge, converters=converters)
    try:
        _, values = routes.bind("localhost").match(path)
    except (NotFound, RequestRedirect):
        return
    assert organization_in_path(path, INSTANCE) == ("slug", values["slug"])
