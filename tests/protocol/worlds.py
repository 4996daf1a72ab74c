"""The apps on which ``test_properties_*.py`` test properties, called worlds, and how often.

Each property gets its share of the profile's examples: 2,000 in total in a normal run, 200,000 with
``--hypothesis-profile=nightly``.
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

FLASK_SESSION = re.compile(r"([a-z][a-z-]*-)?session=")
USED_UP = re.compile(r"__clerk_handshake(_nonce)?=; Path=/; Max-Age=0; ")
"""The deletion of a handshake's result after its use."""


def share(twentieths: int) -> settings:
    """Settings that give a property this many twentieths of the profile's examples."""
    return settings(max_examples=settings().max_examples * twentieths)


@dataclass(frozen=True, repr=False)
class World:
    """An app, the Clerk instance it belongs to, and an attacker's key."""

    app: Flask
    parties: Parties
    kid: str | None
    """The key ID that tokens must have; None if a key is configured, so any ID is accepted."""
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
        """The claims of a token that is valid here; None if it isn't."""
        return session_claims(
            token,
            self.key,
            self.kid,
            issuer=f"https://{self.parties.ours.host}",
            parties=self.authorized_parties,
            now=NOW,
        )


class Worlds(dict[str, World]):
    """The worlds by name: ``development`` and ``production``."""

    def __repr__(self) -> str:
        return "worlds"


def identity(claims: Claims) -> tuple[str, str]:
    """The IDs of the user and the session, as ``/api/me`` should show them."""
    session_id = claims.get("sid")
    return claims["sub"], session_id if isinstance(session_id, str) else ""


def shown_identity(answer: Answer) -> tuple[str, str]:
    """The IDs of the user and the session that ``/api/me`` shows."""
    shown = json.loads(answer.body)
    return shown["user_id"], shown["session_id"]


def is_developer_error(world: World, answer: Answer) -> bool:
    """Whether this is the error page for wrong keys, the only 500 allowed, in development only."""
    return (
        world.instance.is_development
        and answer.status == 500
        and (b"andshake" in answer.body or not answer.body)  # none with HEAD
        and not clerk_cookies(answer)
    )


def clerk_cookies(answer: Answer) -> list[str]:
    """The cookies that a response sets, except Flask's own and those that guard handshakes."""
    is_handshake = answer.header("X-Clerk-Auth-Status") == "handshake"
    return [
        cookie
        for cookie in answer.all("Set-Cookie")
        if not FLASK_SESSION.match(cookie)
        and not USED_UP.match(cookie)
        and not (is_handshake and LOOP_GUARD.match(cookie))
    ]
