"""Who is signed in, and for which organization: the claims of a session token made readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


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
    claims: Mapping[str, Any] = field(repr=False)
    """All verified claims of the token."""


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
        claims=MappingProxyType(dict(claims)),
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
