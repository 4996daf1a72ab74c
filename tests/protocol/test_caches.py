"""The caches stay within their bounds in bytes, whatever requests contain."""

from __future__ import annotations

import base64
import gc
import json
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.clerk import (
    BackendApi,
    backend_api,
    call_budget,
    clerk_of,
    flask_request,
    lost_cookies,
    machine_tokens,
    read_instance,
    token_verifier,
)
from app.clerk.bounded_cache import ENTRY_OVERHEAD, BoundedCache
from app.clerk.keys import read_pem_key
from app.clerk.machine_tokens import MachineTokens
from app.clerk.token_verifier import TokenVerifier
from app.clerk.tokens import MAX_COOKIE_LENGTH, TokenError, decode_unverified
from tests.app_fixtures import keys_of
from tests.local_server import LocalServer
from tests.protocol.machine_clients import GOOD
from tests.protocol.wsgi import call
from tests.signing import Signer, encode_part

MEGABYTE = 1024 * 1024
NOW = 1_800_000_000  # Unix time in seconds

HOSTILE_JSON = [
    "[" * 300 + "]" * 300,
    '{"":' * 300 + "0" + "}" * 300,
    "[" + "{}," * 900 + "0]",
    "[" + "[0]," * 700 + "0]",
    json.dumps([f"{number:03}" for number in range(350)]),
    '["' + "x" * 2500 + '", "\N{KEY}"]',
]
"""JSON that needs much more memory than it has characters."""


@pytest.fixture
def memory_kept() -> Iterator[Callable[[], int]]:
    """A function that returns the bytes allocated since the test began and not freed."""
    gc.collect()
    tracemalloc.start()

    def measure() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    yield measure
    tracemalloc.stop()


@pytest.fixture
def kept_cookies(monkeypatch: pytest.MonkeyPatch) -> BoundedCache[str, object]:
    """An empty cache of parsed cookies, in place of the one that other tests have filled."""
    cache: BoundedCache[str, object] = BoundedCache(flask_request.PARSED_COOKIES_SIZE)
    monkeypatch.setattr(flask_request, "_parsed_cookies", cache)
    return cache


def hostile_token(number: int) -> str:
    """A forged token of up to 4 kB whose claims need a lot of memory, different for each number."""
    claims = f'{{"n": {number}, "c": {HOSTILE_JSON[number % len(HOSTILE_JSON)]}}}'
    payload = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    token = f"{encode_part({'alg': 'RS256', 'n': number})}.{payload}.AAAA"
    assert len(token) <= MAX_COOKIE_LENGTH
    return token


def test_all_caches_together_need_less_than_8_mb(memory_kept: Callable[[], int]) -> None:
    for number in range(50):
        decode_unverified(hostile_token(number))
    sizes = (
        flask_request.PARSED_COOKIES_SIZE,
        token_verifier.SESSION_TOKENS_SIZE,
        machine_tokens.MACHINE_TOKENS_SIZE,
        backend_api.ENDED_SIZE,
        call_budget.REFUSALS_SIZE,
        call_budget.SESSION_COUNTS_SIZE,
        lost_cookies.RECENT_SIZE,
        MEGABYTE // 2,  # recently decoded tokens, see below
    )
    assert sum(sizes) < 8 * MEGABYTE
    assert memory_kept() < MEGABYTE // 2


def test_the_claims_of_forged_tokens_are_not_kept(
    app: Flask, kept_cookies: BoundedCache[str, object], memory_kept: Callable[[], int]
) -> None:
    call(app, "/api/me")  # so that everything that a first request allocates exists
    before = memory_kept()
    for number in range(100):
        headers = [("Authorization", f"Bearer {hostile_token(number)}")]
        assert call(app, "/api/me", headers=headers).status == 401
    assert memory_kept() - before < MEGABYTE
    assert not clerk_of(app).tokens._verified.get(hostile_token(0))


def test_long_cookie_headers_are_not_kept(
    app: Flask, kept_cookies: BoundedCache[str, object], memory_kept: Callable[[], int]
) -> None:
    call(app, "/healthz")
    before = memory_kept()
    for number in range(20):
        call(app, "/api/me", headers=[("Cookie", ";".join(f"c{n}={number}{'x' * 8000}" for n in range(95)))])
    assert memory_kept() - before < MEGABYTE // 10
    assert not kept_cookies._entries


@pytest.mark.parametrize(
    "cookies",
    [
        lambda number: f"c={number}{'x' * 15_000}",
        lambda number: f"n={number}; " + ";".join(f"{name}=" for name in range(500)),
        lambda number: f'n={number}; c="{"x" * 4000}\\360\\237\\224\\221"',
        lambda number: "; ".join(f'{name}="{number}\\"{"x" * 100}"' for name in range(90)),
    ],
    ids=["one long cookie", "many short cookies", "wide characters", "quoted values"],
)
def test_a_flood_of_cookies_stays_within_the_bound(
    app: Flask,
    kept_cookies: BoundedCache[str, object],
    memory_kept: Callable[[], int],
    cookies: Callable[[int], str],
) -> None:
    call(app, "/api/me")
    before = memory_kept()
    for number in range(60):  # twice as many as the cache can keep
        header = cookies(number)
        assert len(header) <= flask_request.LONGEST_KEPT_HEADER
        call(app, "/api/me", headers=[("Cookie", header)])
    assert memory_kept() - before < flask_request.PARSED_COOKIES_SIZE + MEGABYTE // 10


def test_many_verified_tokens_stay_within_the_bound(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, memory_kept: Callable[[], int]
) -> None:
    monkeypatch.setattr(token_verifier, "SESSION_TOKENS_SIZE", 200_000)
    key = read_pem_key(signer.pem)
    verifier = TokenVerifier(read_instance(keys_of(signer)), lambda kid: key)
    # Users may choose some claims of their session tokens, such as those from their metadata.
    tokens = [signer.token(at=NOW, n=number, meta="x" * 2000) for number in range(150)]
    before = memory_kept()
    for token in tokens:
        assert verifier.verify(token, NOW)["sub"] == "user_alice"
    assert memory_kept() - before < 200_000 + MEGABYTE // 2  # and the recently decoded ones
    assert verifier._verified.get(tokens[-1])
    assert not verifier._verified.get(tokens[0])


def test_a_forged_token_does_not_evict_verified_ones(signer: Signer, forger: Signer) -> None:
    key = read_pem_key(signer.pem)
    verifier = TokenVerifier(read_instance(keys_of(signer)), lambda kid: key)
    verified = signer.token(at=NOW)
    verifier.verify(verified, NOW)
    for number in range(20):
        with pytest.raises(TokenError):
            verifier.verify(forger.token(at=NOW, n=number), NOW)
    assert list(verifier._verified._entries) == [verified]


def test_large_responses_about_machine_tokens_stay_within_the_bound(
    signer: Signer, backend: LocalServer, memory_kept: Callable[[], int]
) -> None:
    key = read_pem_key(signer.pem)
    instance = read_instance(keys_of(signer) | {"CLERK_API_URL": backend.url})
    tokens = MachineTokens(BackendApi(instance), lambda kid: key, instance.issuer)
    path = "POST /v1/api_keys/verify"
    backend.answers[path] = (200, GOOD | {"claims": {"x": "y" * 3 * MEGABYTE}})
    tokens.verify("ak_huge", "api_key", NOW)
    assert not tokens._remembered._entries
    backend.answers[path] = (200, GOOD | {"claims": {"x": "y" * 50_000, "l": [[]] * 5000}})
    for number in range(60):
        tokens.verify(f"ak_{number}", "api_key", NOW)
    backend.forget()
    assert memory_kept() < machine_tokens.MACHINE_TOKENS_SIZE + MEGABYTE // 2
    assert len(tokens._remembered._entries) > 10


def test_the_oldest_entries_are_dropped_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10 * (100 + ENTRY_OVERHEAD))
    for number in range(12):
        cache.put(str(number), number, size=100)
    assert [cache.get(str(number)) for number in range(12)] == [None, None, *range(2, 12)]


def test_a_replaced_value_is_counted_once() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10 * (100 + ENTRY_OVERHEAD))
    for number in range(50):
        cache.put("same", number, size=100)
        cache.put(f"other {number % 9}", number, size=100)
    assert cache.get("same") == 49
    assert len(cache._entries) == 10


def test_a_value_that_would_evict_most_others_is_not_kept() -> None:
    cache: BoundedCache[str, int] = BoundedCache(100_000)
    cache.put("small", 1, size=100)
    cache.put("large", 2, size=20_000)
    assert (cache.get("small"), cache.get("large")) == (1, None)


def test_threads_can_share_a_cache() -> None:
    cache: BoundedCache[int, int] = BoundedCache(100_000)

    def fill(start: int) -> None:
        for number in range(start, start + 5000):
            cache.put(number % 700, number, size=number % 500)
            cache.get((number * 7) % 700)

    threads = [threading.Thread(target=fill, args=(start,)) for start in (0, 1000, 2000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache._bytes == sum(size for _, size in cache._entries.values()) <= 100_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_process_forked_while_a_thread_writes_can_use_the_cache() -> None:
    cache: BoundedCache[str, int] = BoundedCache(100_000)
    with cache._lock:
        child = os.fork()
        if child == 0:
            cache.put("key", 1, size=1)  # would wait forever for the parent's lock
            os._exit(0 if cache.get("key") == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
