"""How long a valid opaque machine token is cached, and what is stored."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from app.clerk import BackendApi, read_instance
from app.clerk.keys import read_pem_key
from app.clerk.machine_tokens import MachineTokens, VerificationUnavailableError
from app.clerk.tokens import TokenError
from tests.app_fixtures import keys_of
from tests.local_server import LocalServer
from tests.protocol.machine_clients import API_KEY, GOOD, M2M, accept_opaque_tokens, machine_jwt
from tests.signing import Signer

NOW = 1_800_000_000.0  # Unix time in seconds


@pytest.fixture(autouse=True)
def _accepts_opaque_tokens(backend: LocalServer) -> None:
    accept_opaque_tokens(backend)


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """Monotonic time in seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the cache."""
    return Clock()


@pytest.fixture
def tokens(signer: Signer, backend: LocalServer, clock: Clock) -> MachineTokens:
    """Machine tokens that are cached for 10 seconds."""
    instance = read_instance(keys_of(signer) | {"CLERK_API_URL": backend.url})
    key = read_pem_key(signer.pem)
    return MachineTokens(BackendApi(instance), lambda kid: key, instance.issuer, lifetime=10.0, clock=clock)


def test_a_valid_token_is_cached_for_its_lifetime(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    first = tokens.verify(API_KEY, "api_key", NOW)
    clock.now += 9.9
    assert tokens.verify(API_KEY, "api_key", NOW + 9.9) == first
    assert len(backend.received) == 1
    clock.now += 0.2
    tokens.verify(API_KEY, "api_key", NOW + 10.1)
    assert len(backend.received) == 2


def test_a_revoked_token_is_rejected_after_the_lifetime(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    tokens.verify(API_KEY, "api_key", NOW)
    backend.answers["POST /v1/api_keys/verify"] = (404, {"errors": [{"code": "not_found"}]})
    clock.now += 10.0
    with pytest.raises(TokenError):
        tokens.verify(API_KEY, "api_key", NOW + 10)


def test_a_token_is_not_cached_beyond_its_expiration(
    tokens: MachineTokens, backend: LocalServer, clock: Clock
) -> None:
    ends = {"expiration": (NOW + 3) * 1000}
    backend.answers["POST /v1/m2m_tokens/verify"] = (200, GOOD | ends)
    tokens.verify(M2M, "m2m", NOW)
    clock.now += 3.1
    with pytest.raises(TokenError, match="expired"):
        tokens.verify(M2M, "m2m", NOW + 3.1)


@pytest.mark.parametrize(
    ("status", "body"), [(401, b""), (500, b""), (200, GOOD | {"revoked": True}), (200, {})]
)
def test_only_valid_tokens_are_cached(
    tokens: MachineTokens, backend: LocalServer, status: int, body: object
) -> None:
    backend.queue("POST /v1/api_keys/verify", (status, body))
    with pytest.raises((TokenError, VerificationUnavailableError)):
        tokens.verify(API_KEY, "api_key", NOW)
    assert tokens.verify(API_KEY, "api_key", NOW).subject == "user_alice"


def test_similar_tokens_are_cached_separately(tokens: MachineTokens, backend: LocalServer) -> None:
    answers = [(200, GOOD | {"subject": f"user_{name}"}) for name in "abcd"]
    backend.queue("POST /v1/api_keys/verify", *answers)
    similar = ["ak_1", "ak_1 ", "ak_\u00e9", "ak_?"]
    for _ in range(2):
        subjects = [tokens.verify(token, "api_key", NOW).subject for token in similar]
        assert subjects == ["user_a", "user_b", "user_c", "user_d"]
    assert len(backend.received) == 4


def test_the_cache_contains_no_token(tokens: MachineTokens, backend: LocalServer) -> None:
    backend.answers["POST /v1/api_keys/verify"] = (200, GOOD | {"secret": API_KEY})
    machine = tokens.verify(API_KEY, "api_key", NOW)
    kept = repr(tokens._remembered._entries)
    assert "user_alice" in kept
    assert API_KEY not in kept + repr((machine, dict(machine.claims)))


def test_every_process_hashes_tokens_with_a_key_of_its_own(
    signer: Signer, backend: LocalServer, clock: Clock
) -> None:
    instance = read_instance(keys_of(signer) | {"CLERK_API_URL": backend.url})
    key = read_pem_key(signer.pem)
    hashes = []
    for _ in range(2):
        tokens = MachineTokens(BackendApi(instance), lambda kid: key, instance.issuer, clock=clock)
        tokens.verify(API_KEY, "api_key", NOW)
        hashes += list(tokens._remembered._entries)
    assert len(set(hashes)) == 2


@pytest.mark.parametrize("form", ["opaque", "JWT"])
def test_changes_to_the_claims_are_not_seen_by_other_requests(
    tokens: MachineTokens, signer: Signer, form: str
) -> None:
    token = API_KEY if form == "opaque" else machine_jwt(signer, at=int(NOW), nested={"a": "b"})
    machine = tokens.verify(token, "m2m", NOW)
    claims: Any = machine.claims
    with suppress(TypeError):  # a read-only mapping is fine, too
        claims["subject"] = claims["sub"] = "mch_admin"
    with suppress(TypeError, KeyError):
        claims["scopes" if form == "opaque" else "nested"].clear()
    again = tokens.verify(token, "m2m", NOW)
    assert again.subject == machine.subject
    assert again.scopes == machine.scopes
    assert "mch_admin" not in (again.claims.get("subject"), again.claims.get("sub"))
    assert again.claims["scopes" if form == "opaque" else "nested"]


@pytest.mark.parametrize("seconds", ["-1", "ten", "1e3", ".", "999999", "1.0001"])
def test_an_invalid_lifetime_is_rejected(signer: Signer, seconds: str) -> None:
    with pytest.raises(ValueError, match="CLERK_MACHINE_TOKEN_SECONDS is"):
        read_instance(keys_of(signer) | {"CLERK_MACHINE_TOKEN_SECONDS": seconds})


def test_the_lifetime_is_a_setting(signer: Signer) -> None:
    given = {"": 10.0, "0": 0.0, "2.5": 2.5}
    for text, seconds in given.items():
        instance = read_instance(keys_of(signer) | {"CLERK_MACHINE_TOKEN_SECONDS": text})
        assert instance.machine_token_lifetime == seconds
