"""Routes that are quick to make: the local Clerk has hundreds, and starts often."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from werkzeug.routing import Rule


class Route(Rule):
    """A rule whose code for ``url_for`` is compiled when the first link to it is built.

    Werkzeug compiles it at the start, twice a rule; that would take most of the time in which
    the local Clerk starts, and most rules are never linked to.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder

        @cache
        def compiled() -> Callable[..., tuple[str, str]]:
            return compile_now(append_unknown)

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build
