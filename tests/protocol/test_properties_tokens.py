"""A token is accepted if and only if its signature and claims are valid, whatever it contains."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import event, example, given
from hypothesis import strategies as st

from app.clerk import clerk_of
from app.clerk.tokens import TokenError
from tests.protocol.forgeries import NOW, ODD, TIMES, Claims, Forgery, forgeries
from tests.protocol.oracle import session_claims
from tests.protocol.worlds import WORLD, World, Worlds, identity, share, shown_identity
from tests.protocol.wsgi import call, on_the_wire


def is_complete(claims: Claims) -> bool:
    """Whether the user has no pending tasks, such as choosing an organization."""
    return claims.get("sts") != "pending"


@share(3)
@given(WORLD, forgeries(), st.sampled_from(["Bearer {}", "bearer  {}", "{}"]))
@example("production", Forgery(claims={"azp": ["http://localhost"]}), "Bearer {}")
@example("production", Forgery(claims={"exp": 10**400}), "Bearer {}")
def test_a_bearer_token_is_accepted_if_and_only_if_its_signature_and_claims_are_valid(
    worlds: Worlds, name: str, forgery: Forgery, scheme: str
) -> None:
    world = worlds[name]
    token = forgery.make(world.parties)
    answer = call(world.app, "/api/me", headers=[("Authorization", scheme.format(token))])
    claims = world.session(on_the_wire(token).strip())
    event("good" if claims else "bad")
    if claims is None:
        assert answer.status == 401
        assert answer.header("X-Clerk-Auth-Status") == "signed-out"
        assert answer.header("X-Clerk-Auth-Reason")
    else:
        assert answer.header("X-Clerk-Auth-Status") == "signed-in"
        assert answer.status == (200 if is_complete(claims) else 401)
        if is_complete(claims):
            assert shown_identity(answer) == identity(claims)


def outcome(world: World, token: str, now: float) -> Claims | None:
    """Verify a token, which may raise only the documented exception."""
    try:
        return clerk_of(world.app).tokens.verify(token, now)
    except TokenError as error:
        refusal = error
    assert re.fullmatch(r"token-[a-z-]+|jwk-[a-z-]+", refusal.reason)
    assert len(token) < 12 or token[:12] not in refusal.message
    return None


TIME = st.sampled_from([*TIMES, *TIMES, *ODD])


@share(2)
@given(WORLD, TIME, TIME, TIME, st.sampled_from([-60.0, -0.1, 0.0, 0.1, 60.0]))
def test_times_are_checked_to_the_second(
    worlds: Worlds, name: str, exp: Any, nbf: Any, iat: Any, later: float
) -> None:
    world, now = worlds[name], NOW + later
    token = Forgery(claims={"exp": exp, "nbf": nbf, "iat": iat}).make(world.parties)
    expected = session_claims(
        token,
        world.key,
        world.kid,
        issuer=f"https://{world.parties.ours.host}",
        parties=world.authorized_parties,
        now=now,
    )
    assert (outcome(world, token, now) is None) == (expected is None)


@share(1)
@given(WORLD, forgeries())
def test_a_cached_token_does_not_help_a_similar_forged_one(
    worlds: Worlds, name: str, forgery: Forgery
) -> None:
    world = worlds[name]
    good, other = world.parties.genuine, forgery.make(world.parties, _genuine_claims(world))
    for _ in range(2):
        assert outcome(world, good, NOW)
    expected = world.session(other)
    for _ in range(2):
        assert outcome(world, other, NOW) == expected
    assert outcome(world, good, NOW + 3600) is None


def _genuine_claims(world: World) -> Claims:
    return world.parties.ours.claims(sub="user_genuine", at=NOW)
