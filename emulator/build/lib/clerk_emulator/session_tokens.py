"""Session tokens: what they say of a session."""

from __future__ import annotations

from typing import Any

from .billing import Payer, active_plan
from .clerk import LocalClerk
from .organizations import organization_claims
from .resources import Session

NOT_BEFORE_SLACK_SECONDS = 10
NEVER = -1


def session_token(
    clerk: LocalClerk, session: Session, authorized_party: str, lifetime_seconds: int | None = None
) -> str:
    """A session token, claims version 2.

    :param authorized_party: the app's origin, which becomes ``azp``.
    :param lifetime_seconds: None: as the settings say.
    """
    now = clerk.now // 1000
    claims = {
        "v": 2,
        "sub": session.user_id,
        "sid": session.id,
        "iss": clerk.config.issuer,
        "azp": authorized_party,
        "iat": now,
        "nbf": now - NOT_BEFORE_SLACK_SECONDS,
        "exp": now + (lifetime_seconds or clerk.settings.sessions.token_seconds),
        "fva": factor_ages(session, clerk.now),
        "sts": session.status,
    }
    if session.actor is not None:
        claims["act"] = session.actor
    return clerk.signer.sign_session_token(claims | _subscriptions(clerk, session))


def _subscriptions(clerk: LocalClerk, session: Session) -> dict[str, Any]:
    """The active organization, and the plan with its features that it or the user has."""
    if not clerk.settings.billing.enabled:
        return organization_claims(clerk, session)
    organization_id = session.last_active_organization_id or ""
    plan = active_plan(clerk, Payer(organization_id, "org"))
    claims = organization_claims(clerk, session, plan.features if plan else ())
    if "o" in claims:
        return claims | ({"pla": f"o:{plan.slug}"} if plan else {})
    plan = active_plan(clerk, Payer(session.user_id, "user"))
    if plan is not None:
        claims["pla"] = f"u:{plan.slug}"
        claims["fea"] = ",".join(f"u:{feature}" for feature in plan.features)
    return claims


def factor_ages(session: Session, now_ms: int) -> list[int]:
    """Whole minutes since the first and the second factor were proved; -1 for never."""
    proved = session.verified_at, session.second_factor_verified_at
    return [max(0, (now_ms - at) // 60_000) if at else NEVER for at in proved]
