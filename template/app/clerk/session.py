"""Who is signed in, and for which organization: the claims of a session token made readable."""

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
    """The organization that the user works in right now."""

    id: str
    slug: str
    role: str
    """With its prefix: ``org:admin``."""


@dataclass(frozen=True)
class Session:
    """A verified session. Made by :func:`read_session`, out of verified claims only."""

    user_id: str
    id: str
    organization: ActiveOrganization | None
    actor_id: str | None
    """Who really sits there, when a member of staff impersonates the user."""
    is_pending: bool
    """The user still has a task to do before counting as signed in."""
    token: str = field(repr=False)
    _claims: Mapping[str, Any] = field(repr=False)

    @cached_property
    def claims(self) -> dict[str, Any]:
        """All verified claims of the token. A copy: changing it grants nothing."""
        return deepcopy(dict(self._claims))

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Permissions in the active organization, such as ``org:invoices:read``."""
        return read_permissions(self._claims) if self.organization else frozenset()

    @property
    def factor_ages(self) -> tuple[int, int] | None:
        """Minutes since the first and the second factor were verified; -1 = not enrolled."""
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
        """Whether this session has *all* that is asked for (protocol section 8).

        Nothing asked, malformed data, or a pending session: False.

        :param role: in the active organization; ``admin`` and ``org:admin`` are the same.
        :param permission: in the active organization, such as ``org:invoices:read``.
        :param feature: ``name``, or in one scope only: ``org:name``, ``user:name``.
        :param plan: as ``feature``.
        :param reverification: a preset of Clerk's (``strict_mfa``, ``strict``, ``moderate``,
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
    """Make a session of verified claims, version 1 or 2 (protocol section 4).

    :param token: the token they came in.
    :param claims: what :func:`~.tokens.verify_session_token` returned.
    """
    actor = claims.get("act")
    return Session(
        user_id=claims["sub"],
        id=_text(claims.get("sid")),
        organization=_read_organization(claims),
        actor_id=_text(actor.get("sub")) or None if isinstance(actor, dict) else None,
        is_pending=claims.get("sts") == "pending",
        token=token,
        _claims=claims,
    )


def _read_organization(claims: Mapping[str, Any]) -> ActiveOrganization | None:
    if claims.get("v") == 2:
        compact = claims.get("o")
        compact = compact if isinstance(compact, dict) else {}
        values = [_text(compact.get(name)) for name in ("id", "slg", "rol")]
        values[2] = f"org:{values[2]}" if values[2] else ""
    else:
        values = [_text(claims.get(name)) for name in ("org_id", "org_slug", "org_role")]
    return ActiveOrganization(*values) if values[0] else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
