"""The claims of a verified session token: the user, the organization, and what they may do.

Source: https://clerk.com/docs/guides/sessions/session-tokens
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .authorization import (
    Reverification,
    has_entry,
    has_permission,
    has_role,
    is_fresh,
    read_permissions,
)


@dataclass(frozen=True)
class ActiveOrganization:
    """The organization that the user is working in."""

    id: str
    slug: str
    role: str
    """The user's role in it, with its prefix: ``org:admin``."""


@dataclass(frozen=True)
class Session:
    """A verified session. :func:`read_session` makes it, from verified claims only."""

    user_id: str
    id: str
    organization: ActiveOrganization | None
    actor_id: str | None
    """The user ID of the impersonator, if someone is impersonating the user."""
    is_pending: bool
    """The user must complete a task, such as choosing an organization, before being signed in."""
    token: str = field(repr=False)
    _claims: Mapping[str, Any] = field(repr=False)

    @cached_property
    def claims(self) -> dict[str, Any]:
        """A copy of all verified claims. Changing it grants nothing."""
        return deepcopy(dict(self._claims))

    @property
    def is_impersonated(self) -> bool:
        """Whether another person, or a program, acts as the user.

        Source: https://clerk.com/docs/guides/users/impersonation
        """
        return self._claims.get("act") is not None  # also if it doesn't say by whom

    @cached_property
    def permissions(self) -> frozenset[str]:
        """The user's permissions in the active organization, such as ``org:invoices:read``."""
        return read_permissions(self._claims) if self.organization else frozenset()

    @property
    def factor_ages(self) -> tuple[int, int] | None:
        """Minutes since the first and second factors were verified; -1 if never.

        None if the token doesn't say.
        """
        ages = self._claims.get("fva")
        if (
            not isinstance(ages, list)
            or len(ages) != 2
            or any(type(age) is not int for age in ages)
        ):
            return None
        return ages[0], ages[1]

    def has(
        self,
        *,
        role: str | None = None,
        permission: str | None = None,
        feature: str | None = None,
        plan: str | None = None,
        reverification: str | Reverification | tuple[str, int] | None = None,
    ) -> bool:
        """Whether the session meets *all* the given conditions.

        Always False without any condition, for a pending session, or if the claims or conditions
        are malformed.
        Source: https://clerk.com/docs/guides/secure/authorization-checks

        :param role: in the active organization; ``admin`` means the same as ``org:admin``.
        :param permission: in the active organization, such as ``org:invoices:read``.
        :param feature: ``name`` for any scope, or ``org:name`` or ``user:name`` for one.
        :param plan: written like ``feature``.
        :param reverification: one of Clerk's presets (``strict_mfa``, ``strict``, ``moderate``,
            ``lax``), or a level and a number of minutes.
        """
        current_role = self.organization.role if self.organization else None
        answers = []
        if role is not None:
            answers.append(has_role(current_role, role))
        if permission is not None:
            answers.append(has_permission(self.permissions, permission))
        if feature is not None:
            answers.append(has_entry(self._claims.get("fea"), feature))
        if plan is not None:
            answers.append(has_entry(self._claims.get("pla"), plan))
        if reverification is not None:
            answers.append(is_fresh(self._claims.get("fva"), reverification))
        return bool(answers) and all(answers) and not self.is_pending


def read_session(token: str, claims: Mapping[str, Any]) -> Session:
    """Read verified claims, in version 1 or 2 of Clerk's format.

    Source: https://clerk.com/docs/guides/sessions/session-tokens

    :param token: the token that carried them.
    :param claims: the result of :func:`~.tokens.verify_session_token`.
    """
    actor = claims.get("act")
    return Session(
        user_id=claims["sub"],
        id=_string(claims.get("sid")),
        organization=_read_organization(claims),
        actor_id=_string(actor.get("sub")) or None if isinstance(actor, dict) else None,
        is_pending=claims.get("sts") == "pending",
        token=token,
        _claims=claims,
    )


def _read_organization(claims: Mapping[str, Any]) -> ActiveOrganization | None:
    if claims.get("v") == 2:
        compact = claims.get("o")
        compact = compact if isinstance(compact, dict) else {}
        values = [_string(compact.get(name)) for name in ("id", "slg", "rol")]
        values[2] = f"org:{values[2]}" if values[2] else ""
    else:
        values = [_string(claims.get(name)) for name in ("org_id", "org_slug", "org_role")]
    return ActiveOrganization(*values) if values[0] else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
