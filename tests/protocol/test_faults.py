"""Keys and the Backend API while Clerk is slow, down, or faulty, and in forked processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from app.clerk import BackendApi, BackendApiError, read_instance
from app.clerk.keys import COOL_DOWN, FIRST_RETRY, LIFETIME, JwksKeys
from app.clerk.tokens import TokenError
from tests.protocol.faulty_server import FaultyServer, Reply, as_json, faulty_server
from tests.protocol.nonsense import NONSENSE
from tests.signing import KID, LIVE_HOST, Signer, publishable_key

JWKS = "/v1/jwks"


class Clock:
    """A clock that a test sets, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A Backend API whose responses a test sets, faulty ones included."""
    with faulty_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """The clock by which keys expire."""
    return Clock()


@pytest.fixture
def api(faulty: FaultyServer) -> BackendApi:
    """A client of the faulty Backend API."""
    return BackendApi(
        read_instance(
            {
                "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
                "CLERK_SECRET_KEY": "sk_live_secret",
                "CLERK_API_URL": faulty.url,
                "CLERK_AUTHORIZED_PARTIES": "*",
            }
        )
    )


@pytest.fixture
def keys(faulty: FaultyServer, api: BackendApi, clock: Clock, signer: Signer) -> JwksKeys:
    """Keys of the faulty Backend API. Nothing has been fetched yet."""
    faulty.replies[JWKS] = lambda: as_json(signer.jwks)
    return JwksKeys(api.jwks, clock=clock)


def reason(find: Callable[[], object]) -> str:
    """The reason in the error for a key that is not found; empty if the key is found."""
    try:
        find()
    except TokenError as error:
        return error.reason
    return ""


# --- Keys -----------------------------------------------------------------------------------------


def test_32_threads_at_a_cold_start_cause_one_fetch(
    keys: JwksKeys, faulty: FaultyServer, signer: Signer
) -> None:
    gate = threading.Event()
    faulty.replies[JWKS] = lambda: Reply(as_json(signer.jwks).body, gate=gate)
    with ThreadPoolExecutor(32) as pool:
        found = [pool.submit(keys.find, KID) for _ in range(32)]
        assert faulty.arrived.acquire(timeout=5)
        gate.set()
        numbers = {future.result(5).public_numbers().n for future in found}
    assert numbers == {signer.key.public_key().public_numbers().n}
    assert faulty.count(JWKS) == 1


def test_requests_with_a_known_key_do_not_wait_for_a_slow_fetch(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock, signer: Signer
) -> None:
    keys.find(KID)
    clock.now += LIFETIME + 1
    gate = threading.Event()
    faulty.replies[JWKS] = lambda: Reply(as_json(signer.jwks).body, gate=gate)
    with ThreadPoolExecutor(1) as pool:
        assert faulty.arrived.acquire(timeout=5)  # the first fetch
        fetching = pool.submit(keys.find, KID)
        assert faulty.arrived.acquire(timeout=5)
        for _ in range(100):
            assert keys.find(KID)
        assert not fetching.done()
        gate.set()
        assert fetching.result(5)


def test_an_outage_at_startup_has_no_effect_after_it_ends(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock, signer: Signer
) -> None:
    faulty.replies[JWKS] = lambda: Reply(hang_up=True)
    assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    faulty.replies[JWKS] = lambda: as_json(signer.jwks)
    assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    clock.now += FIRST_RETRY
    assert keys.find(KID)


def test_known_keys_stay_valid_while_the_server_is_down(signer: Signer, clock: Clock) -> None:
    with faulty_server() as server:
        server.replies[JWKS] = lambda: as_json(signer.jwks)
        instance = read_instance(
            {
                "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
                "CLERK_SECRET_KEY": "sk_live_secret",
                "CLERK_API_URL": server.url,
                "CLERK_AUTHORIZED_PARTIES": "*",
            }
        )
        keys = JwksKeys(BackendApi(instance).jwks, clock=clock)
        keys.find(KID)
    for _ in range(3):
        clock.now += LIFETIME
        assert keys.find(KID)


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE.keys())
def test_an_unusable_jwks_is_not_accepted(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock, reply: Reply
) -> None:
    faulty.replies[JWKS] = lambda: reply
    assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    assert faulty.count(JWKS) <= 3


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE.keys())
def test_an_unusable_response_is_an_error(faulty: FaultyServer, api: BackendApi, reply: Reply) -> None:
    faulty.otherwise = reply
    said: list[str] = []
    for call in (
        lambda: api.user("user_1"),
        lambda: api.handshake_payload("n"),
        lambda: api.refresh_session("sess_1", {}),
    ):
        try:
            call()
        except BackendApiError as error:
            said.append(str(error))
    assert "sk_live" not in " ".join(said)


def test_a_call_fails_at_once_if_clerk_asks_for_a_pause_of_an_hour(
    faulty: FaultyServer, api: BackendApi
) -> None:
    faulty.otherwise = Reply(b"{}", 503, (("Retry-After", "3600"),))
    with pytest.raises(BackendApiError) as error:
        api.user("user_1")
    assert error.value.retry_after == 3600
    assert faulty.count("/v1/users/user_1") == 1


def test_keys_are_never_fetched_from_the_target_of_a_redirect(
    keys: JwksKeys, faulty: FaultyServer, forger: Signer
) -> None:
    faulty.replies["/forged"] = lambda: as_json(forger.jwks)
    for status in (301, 302, 307, 308):
        redirect = Reply(as_json(forger.jwks).body, status, (("Location", "/forged"),))
        faulty.replies[JWKS] = partial(replace, redirect)
        assert reason(lambda: keys.find(KID)) == "jwk-remote-failed-to-load"
    assert faulty.count("/forged") == 0


def test_during_a_flood_of_forged_kids_a_new_key_is_found_within_the_cool_down(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock, signer: Signer, forger: Signer
) -> None:
    new = replace(forger, kid="ins_new")
    both = {"keys": signer.jwks["keys"] + new.jwks["keys"]}
    start, refused = clock.now, []
    with ThreadPoolExecutor(8) as pool:
        for second in range(120):
            clock.now = start + second
            if second == 35:  # Clerk publishes both keys for a while, then only the new one
                faulty.replies[JWKS] = lambda: as_json(both)
            asked = [KID, "ins_new", f"forged_{second}", "ins_new", KID, "", KID, f"f_{second}"]
            answers = list(pool.map(lambda kid: (kid, reason(lambda: keys.find(kid))), asked))
            assert all(not why for kid, why in answers if kid == KID)
            if second >= 35 and any(why for kid, why in answers if kid == "ins_new"):
                refused.append(second)
    assert len(refused) <= COOL_DOWN
    assert max(refused, default=35) < 35 + COOL_DOWN
    assert faulty.count(JWKS) <= 1 + 120 / COOL_DOWN


def test_100_000_forged_kids_cost_one_fetch_per_cool_down(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock
) -> None:
    keys.find(KID)
    start = clock.now
    for number in range(100_000):
        clock.now = start + number * 3 * COOL_DOWN / 100_000
        try:
            keys.find(f"forged_{number}")
        except TokenError:
            continue
        pytest.fail("a forged kid matched a key")
    assert faulty.count(JWKS) <= 1 + 3


# --- Processes ------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no os.fork")
# Python warns when a process with threads forks, which these tests do on purpose.
fork_on_purpose = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(work: Callable[[], object], *, seconds: int = 2) -> int:
    """Run a function in a forked process; return 0 if it finished in time without an error."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(seconds)  # kills the process if it hangs
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


@needs_fork
@fork_on_purpose
@pytest.mark.parametrize("warm", [False, True], ids=["cold start", "new key"])
def test_a_process_forked_during_a_fetch_can_fetch_keys(
    keys: JwksKeys, faulty: FaultyServer, clock: Clock, signer: Signer, forger: Signer, warm: bool
) -> None:
    wanted = KID
    if warm:
        keys.find(KID)
        faulty.arrived.acquire()
        clock.now += COOL_DOWN + 1
        wanted = "ins_new"
    document = {"keys": signer.jwks["keys"] + replace(forger, kid="ins_new").jwks["keys"]}
    gate = threading.Event()
    gates = iter([gate])
    faulty.replies[JWKS] = lambda: Reply(as_json(document).body, gate=next(gates, None))
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(keys.find, wanted)
        assert faulty.arrived.acquire(timeout=5)
        code = in_child(lambda: keys.find(wanted))
        gate.set()
        assert fetching.result(5)
    assert code == 0, "the child hung, or found no key"


@needs_fork
@fork_on_purpose
def test_a_forked_process_does_not_share_connections_with_its_parent(
    faulty: FaultyServer, api: BackendApi
) -> None:
    # On a shared connection, one process could read a response that was meant for the other.
    faulty.otherwise = as_json({"id": "user_1"})
    api.user("parent")
    assert in_child(lambda: api.user("child")) == 0
    api.user("parent_again")
    ports = dict(faulty.received)
    assert ports["/v1/users/child"] != ports["/v1/users/parent"]
