"""Public keys are cached, and stay valid during outages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from app.clerk import ConfigurationError
from app.clerk.keys import COOL_DOWN, FIRST_RETRY, LIFETIME, JwksKeys, parse_jwks, read_pem_key
from app.clerk.tokens import TokenError
from tests.signing import KID, Signer


class Clock:
    """A clock that a test sets, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """A fake JWKS endpoint that counts its requests."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.count = 0

    def __call__(self) -> object:
        self.count += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reason(find: Callable[[], object]) -> str:
    """The reason in the error for a key that is not found."""
    with pytest.raises(TokenError) as error:
        find()
    return error.value.reason


def test_keys_are_fetched_once_and_again_after_they_expire(signer: Signer) -> None:
    clock, source = Clock(), Source(signer.jwks)
    keys = JwksKeys(source, clock=clock)
    for _ in range(100):
        assert keys.find(KID).public_numbers() == signer.key.public_key().public_numbers()
    assert source.count == 1
    clock.now = LIFETIME + 1
    keys.find(KID)
    assert source.count == 2


def test_a_flood_of_unknown_kids_costs_one_fetch_per_cool_down(signer: Signer) -> None:
    clock, source = Clock(), Source(signer.jwks)
    keys = JwksKeys(source, clock=clock)
    keys.find(KID)
    for second in range(100):
        clock.now = second
        assert reason(lambda: keys.find("forged")) == "jwk-kid-mismatch"
    assert source.count == 1 + 99 // COOL_DOWN


def test_a_new_key_is_found_after_the_cool_down(signer: Signer, forger: Signer) -> None:
    clock, source = Clock(), Source(signer.jwks)
    keys = JwksKeys(source, clock=clock)
    keys.find(KID)
    rotated = Signer(kid="ins_new", key=forger.key)
    source.answer = {"keys": signer.jwks["keys"] + rotated.jwks["keys"]}
    clock.now = COOL_DOWN + 1
    assert keys.find("ins_new").public_numbers() == forger.key.public_key().public_numbers()


def test_keys_stay_valid_during_an_outage(signer: Signer) -> None:
    clock, source = Clock(), Source(signer.jwks)
    keys = JwksKeys(source, clock=clock)
    keys.find(KID)
    bad: list[object] = [OSError("down"), {"keys": []}, "nonsense", {"keys": [{"kty": "RSA"}]}]
    for answer in bad:
        source.answer = answer
        clock.now += LIFETIME + 1
        assert keys.find(KID)


def test_a_failed_first_fetch_is_reported_and_retried_after_a_pause() -> None:
    clock, source = Clock(), Source(OSError("down"))
    keys = JwksKeys(source, clock=clock)
    for _ in range(10):
        assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    assert source.count == 1
    clock.now = FIRST_RETRY
    assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    assert source.count == 2


def test_forged_kids_do_not_wait_for_a_slow_fetch(signer: Signer) -> None:
    clock, fetching, gate = Clock(), Event(), Event()

    def fetch() -> object:
        if clock.now:
            fetching.set()
            gate.wait(5)
        return signer.jwks

    keys = JwksKeys(fetch, clock=clock)
    keys.find(KID)
    clock.now = COOL_DOWN + 1
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reason, lambda: keys.find("forged"))
        assert fetching.wait(5)
        for number in range(100):
            assert reason(partial(keys.find, f"forged-{number}")) == "jwk-kid-mismatch"
        assert not first.done()
        gate.set()
        assert first.result() == "jwk-kid-mismatch"


def test_many_threads_at_startup_cause_one_fetch(signer: Signer) -> None:
    started, count = Event(), 0

    def fetch() -> object:
        nonlocal count
        count += 1
        started.wait(0.2)  # seconds for the other threads to arrive
        return signer.jwks

    keys = JwksKeys(fetch)
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda _: keys.find(KID), range(32)))
    assert len(found) == 32
    assert count == 1


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": None},
        {"keys": {}},
        {"keys": [None]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "ins_test"}]},
        {"keys": [{"kty": "RSA", "kid": "ins_test", "n": 5, "e": "AQAB"}]},
    ],
)
def test_documents_without_usable_keys_are_rejected(document: object) -> None:
    with pytest.raises(ValueError, match="is not a JWKS document"):
        parse_jwks(document)


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_the_error_for_an_invalid_pem_names_the_setting(pem: str) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_JWT_KEY"):
        read_pem_key(pem)


def test_escaped_newlines_in_the_pem_are_accepted(environ: dict[str, str]) -> None:
    from app import create_app

    create_app(environ | {"CLERK_JWT_KEY": environ["CLERK_JWT_KEY"].replace("\n", "\\n")})
