"""What the properties in ``test_properties_*.py`` are tried on, and how often.

Each property is tried on its share of the profile's examples: 2,000 altogether in a normal run,
200,000 with ``--hypothesis-profile=nightly``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st

from app.clerk import Instance, clerk_of
from tests.app_fixtures import BROWSER
from tests.local_server import LocalServer
from tests.protocol.forgeries import NOW, Claims, Parties
from tests.protocol.oracle import session_claims
from tests.protocol.wsgi import Answer, Headers

WORLD = st.sampled_from(["development", "production"])
NAVIGATION: Headers = list(BROWSER.items())
LOOP_GUARD = re.compile(r"__clerk_redirect_count=\d+; Path=/; Max-Age=2; HttpOnly; SameSite=Lax\Z")


def share(twentieths: int) -> settings:
    """So many twentieths of all examples of the profile."""
    return settings(max_examples=settings().max_examples * twentieths)


@dataclass(frozen=True, repr=False)
class World:
    """An app, the Clerk instance it belongs to, and somebody who wants in."""

    app: Flask
    parties: Parties
    kid: str | None
    """What a token's header must name; None: anything, as one key is configured."""
    backend: LocalServer

    @property
    def instance(self) -> Instance:
        return clerk_of(self.app).instance

    @property
    def key(self) -> RSAPublicKey:
        return self.parties.ours.key.public_key()

    @property
    def authorized_parties(self) -> frozenset[str]:
        return frozenset([] if self.instance.is_development else ["http://localhost"])

    def session(self, token: str) -> Claims | None:
        """The claims of a token that may sign in here."""
        return session_claims(
            token,
            self.key,
            self.kid,
            issuer=f"https://{self.parties.ours.host}",
            parties=self.authorized_parties,
            now=NOW,
        )


class Worlds(dict[str, World]):
    """By name: ``development`` and ``production``."""

    def __repr__(self) -> str:
        return "worlds"


def identity(claims: Claims) -> tuple[str, str]:
    """User and session, as ``/api/me`` shows them."""
    session_id = claims.get("sid")
    return claims["sub"], session_id if isinstance(session_id, str) else ""


def shown_identity(answer: Answer) -> tuple[str, str]:
    """Whom ``/api/me`` takes us for."""
    shown = json.loads(answer.body)
    return shown["user_id"], shown["session_id"]


def is_developer_error(world: World, answer: Answer) -> bool:
    """Whether this is the one documented page with status 500: wrong keys, in development."""
    return (
        world.instance.is_development
        and answer.status == 500
        and (b"andshake" in answer.body or not answer.body)  # none with HEAD
        and not clerk_cookies(answer)
    )


def clerk_cookies(answer: Answer) -> list[str]:
    """The cookies that are set, but for Flask's own and the loop guard of a handshake."""
    is_handshake = answer.header("X-Clerk-Auth-Status") == "handshake"
    return [
        cookie
        for cookie in answer.all("Set-Cookie")
        if not cookie.startswith("session=") and not (is_handshake and LOOP_GUARD.match(cookie))
    ]
