"""Requests without a session cause few Backend API calls, and no worker waits long for one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from app.clerk import BackendApi, BackendApiError, Clerk, clerk_of, read_instance, session_required
from app.clerk.backend_http import QUICK_TIMEOUT, REQUEST_TIMEOUT, TooManyCallsError
from app.clerk.call_budget import (
    MAX_PER_SECOND,
    REFUSAL_LIFETIME,
    SESSION_CALLS,
    CallBudget,
)
from app.clerk.flask_request import current_environ
from app.clerk.keys import COOL_DOWN
from tests.app_fixtures import BROWSER
from tests.protocol.faulty_server import FaultyServer, Reply, as_json, faulty_server
from tests.protocol.machine_clients import GOOD
from tests.protocol.wsgi import Answer, call
from tests.signing import LIVE_HOST, Signer, publishable_key

IN_FLIGHT, PER_SECOND = 3, 10  # of each kind of call
NONCES = "/v1/clients/handshake_payload"
NAVIGATION = list(BROWSER.items())
FETCH = [("Accept", "application/json"), ("Sec-Fetch-Dest", "empty")]


class Clock:
    """A clock that a test sets, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _unlimited_calls() -> None:
    """Replace the fixture of the same name, so that calls are limited here."""


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A Backend API that knows no nonce and no token."""
    with faulty_server() as server:
        server.otherwise = as_json({"errors": [{"code": "resource_not_found"}]}, 404)
        yield server


@pytest.fixture
def clock() -> Clock:
    """The clock by which calls are limited."""
    return Clock()


@pytest.fixture
def app(faulty: FaultyServer, live_signer: Signer, clock: Clock) -> Flask:
    """An app of a production instance that fetches its keys and accepts machine tokens."""
    faulty.replies["/v1/jwks"] = lambda: as_json(live_signer.jwks)
    environ = {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
        "CLERK_SECRET_KEY": "sk_live_secret",
        "CLERK_API_URL": faulty.url,
        "CLERK_AUTHORIZED_PARTIES": "*",
    }
    app = Flask("visitors")
    clerk = Clerk(app, read_instance(environ))
    clerk.api = BackendApi(clerk.instance, clock=clock)
    clerk.machine_tokens._api = clerk.api
    app.add_url_rule("/", "page", lambda: "page")
    guard = session_required(accepts=("session", "api_key", "m2m", "oauth"))
    app.add_url_rule("/data", "data", guard(lambda: "data"))
    return app


def signed_in(app: Flask, signer: Signer) -> bool:
    """Whether a signed-in visitor gets the page, and gets it quickly."""
    started = time.monotonic()
    cookie = f"__session={signer.token()}; __client_uat=1"
    answer = call(app, "/data", headers=[*FETCH, ("Cookie", cookie)])
    return answer.status == 200 and time.monotonic() - started < 1


def nonce(app: Flask, text: str, headers: list[tuple[str, str]] = NAVIGATION) -> Answer:
    """A visit with a handshake nonce."""
    return call(app, "/", f"__clerk_handshake_nonce={text}", headers=headers)


def bearer(app: Flask, token: str) -> Answer:
    """A call of an API client."""
    return call(app, "/data", headers=[*FETCH, ("Authorization", f"Bearer {token}")])


def storm(app: Flask, signer: Signer, forger: Signer) -> list[Callable[[int], Answer]]:
    """Requests that an anonymous visitor can send, by number."""
    expired, forged = signer.expired(), forger.token({"kid": "unknown"})
    refresh = f"__refresh_{clerk_of(app).instance.cookie_suffix}"
    return [
        lambda n: nonce(app, f"made-up-{n}"),
        lambda n: nonce(app, f"made-up-{n}", [("Accept", "image/*"), ("Sec-Fetch-Dest", "image")]),
        lambda n: nonce(app, f"{n}" + "x" * 3000),
        lambda n: call(app, "/", method="POST", headers=[("Cookie", f"__clerk_handshake_nonce=c-{n}")]),
        lambda n: call(app, "/", headers=[*NAVIGATION, ("Cookie", f"__clerk_handshake_nonce=c-{n}")]),
        lambda n: bearer(app, f"ak_{n}"),
        lambda n: bearer(app, f"mt_{n}"),
        lambda n: bearer(app, f"oat_{n}"),
        lambda n: bearer(app, f"ak_{n}" + "x" * 3000),
        lambda n: call(
            app,
            "/",
            headers=[*FETCH, ("Cookie", f"__session={expired}; __client_uat=1; {refresh}=made-up-{n}")],
        ),
        lambda n: bearer(app, forged),
    ]


def test_10_000_anonymous_requests_cause_no_more_calls_than_allowed(
    app: Flask, faulty: FaultyServer, clock: Clock, live_signer: Signer, forger: Signer
) -> None:
    began = time.monotonic()
    kinds = storm(app, live_signer, forger)
    answers: dict[tuple[int, int], int] = {}
    for number in range(10_000):
        clock.now += 0.001  # so 10 seconds in total
        kind = number % len(kinds)
        status = kinds[kind](number).status
        answers[kind, status] = answers.get((kind, status), 0) + 1
        if number % 1000 == 0:
            assert signed_in(app, live_signer)
    refreshes = faulty.count("/v1/sessions/sess_1/refresh")
    assert 0 < refreshes <= 2 * SESSION_CALLS
    calls = len(faulty.received) - faulty.count("/v1/jwks") - refreshes
    assert 100 < calls <= MAX_PER_SECOND + 10 * MAX_PER_SECOND
    # The keys are fetched by the real clock, which may take minutes on a busy machine.
    assert faulty.count("/v1/jwks") <= 2 + (time.monotonic() - began) // COOL_DOWN
    # Clerk never said that these are unknown, so they aren't signed out.
    assert {kind for kind, status in answers if status == 503} == {0, 4, 5, 6, 7, 9}


@pytest.mark.parametrize("kind", ["page", "API"])
def test_beyond_the_limit_a_request_is_told_when_to_try_again(app: Flask, clock: Clock, kind: str) -> None:
    def send(number: int) -> Answer:
        return nonce(app, f"n-{number}") if kind == "page" else bearer(app, f"ak_{number}")

    answers = [send(number) for number in range(PER_SECOND + 1)]
    assert [answer.status for answer in answers] == [200 if kind == "page" else 401] * 10 + [503]
    assert answers[-1].header("Retry-After") == "1"
    assert answers[-1].header("X-Clerk-Auth-Status") != "signed-in"
    assert not answers[-1].all("Set-Cookie")
    clock.now += 1
    assert send(99).status != 503


def test_a_refusal_is_remembered_for_a_while(app: Flask, faulty: FaultyServer, clock: Clock) -> None:
    for _ in range(50):
        assert nonce(app, "same").status == 200
        assert bearer(app, "ak_same").status == 401
    assert len(faulty.received) == 2
    clock.now += REFUSAL_LIFETIME
    nonce(app, "same")
    assert len(faulty.received) == 3


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_only_refusals_are_remembered(app: Flask, faulty: FaultyServer, status: int) -> None:
    replies = iter([Reply(status=status), Reply(status=status)])
    faulty.replies["/v1/api_keys/verify"] = lambda: next(replies, as_json(GOOD))
    assert bearer(app, "ak_good").status == 503
    bearer(app, "ak_good")
    assert bearer(app, "ak_good").status == 200


def test_a_slow_api_holds_few_workers_and_serves_signed_in_visitors(
    app: Flask, faulty: FaultyServer, live_signer: Signer
) -> None:
    assert signed_in(app, live_signer)  # which fetches the keys
    gate = threading.Event()
    for path in (NONCES, "/v1/api_keys/verify"):
        faulty.replies[path] = lambda: Reply(status=404, gate=gate)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(nonce, app, f"n-{n}") for n in range(IN_FLIGHT)]
        for _ in range(IN_FLIGHT + 1):  # and the keys
            assert faulty.arrived.acquire(timeout=5)
        assert nonce(app, "one-more").status == 503
        waiting += [pool.submit(bearer, app, f"ak_{n}") for n in range(2)]
        for _ in range(2):
            assert faulty.arrived.acquire(timeout=5)
        started = time.monotonic()
        assert nonce(app, "one-more").status == bearer(app, "ak_one_more").status == 503
        assert signed_in(app, live_signer)
        assert time.monotonic() - started < 1
        gate.set()
        assert {future.result(5).status for future in waiting} <= {200, 401, 503}
    assert nonce(app, "later").status == 200


# --- One kind of call doesn't starve the others ---------------------------------------------------


def with_expired(
    app: Flask, signer: Signer, number: int, sid: str = "sess_1", *, page: bool = True
) -> Answer:
    """A visit with a genuine but expired session token, and a refresh token."""
    suffix = clerk_of(app).instance.cookie_suffix
    token = signer.token(sid=sid, at=int(time.time()) - 120)
    cookie = f"__session={token}; __client_uat=1; __refresh_{suffix}=r-{number}"
    return call(app, "/data", headers=[*(NAVIGATION if page else FETCH), ("Cookie", cookie)])


def let_refresh(faulty: FaultyServer, signer: Signer, sid: str) -> None:
    """Make the Backend API refresh this session."""
    cookies = {"cookies": [f"__session={signer.token(sid=sid)}"]}
    faulty.replies[f"/v1/sessions/{sid}/refresh"] = lambda: as_json(cookies)


def test_made_up_nonces_and_machine_tokens_do_not_keep_sessions_from_being_refreshed(
    app: Flask, faulty: FaultyServer, live_signer: Signer
) -> None:
    let_refresh(faulty, live_signer, "sess_1")
    for number in range(50):
        nonce(app, f"n-{number}")
        bearer(app, f"ak_{number}")
    assert nonce(app, "one-more").status == bearer(app, "ak_one_more").status == 503
    assert with_expired(app, live_signer, 1).status == 200


def test_nonces_in_the_query_do_not_keep_others_from_signing_in(
    app: Flask, faulty: FaultyServer, live_signer: Signer
) -> None:
    def returning(text: str) -> Answer:
        return call(app, "/", headers=[*NAVIGATION, ("Cookie", f"__clerk_handshake_nonce={text}")])

    assert {nonce(app, f"n-{number}").status for number in range(50)} == {200, 503}
    directives = {"directives": [f"__session={live_signer.token()}"]}
    faulty.replies[NONCES] = lambda: as_json(directives)
    assert returning("genuine").header("X-Clerk-Auth-Status") == "signed-in"


def test_a_session_that_is_refreshed_too_often_needs_a_handshake(
    app: Flask, faulty: FaultyServer, live_signer: Signer, clock: Clock
) -> None:
    answers = [with_expired(app, live_signer, number) for number in range(50)]
    assert {answer.status for answer in answers} == {307}
    reason = "session-token-expired-refresh-too-many-calls"
    assert answers[-1].header("X-Clerk-Auth-Reason") == reason
    assert faulty.count("/v1/sessions/sess_1/refresh") == SESSION_CALLS
    fetch = with_expired(app, live_signer, 50, page=False)
    assert (fetch.status, fetch.header("Retry-After")) == (503, "1")
    let_refresh(faulty, live_signer, "sess_2")
    assert with_expired(app, live_signer, 1, "sess_2", page=False).status == 200
    clock.now += REFUSAL_LIFETIME
    let_refresh(faulty, live_signer, "sess_1")
    assert with_expired(app, live_signer, 1).status == 200


def test_without_a_budget_for_refreshes_a_page_load_gets_a_handshake(app: Flask, live_signer: Signer) -> None:
    clerk_of(app).api.limits.by_kind["refresh"] = CallBudget(in_flight=0)
    assert with_expired(app, live_signer, 1).status == 307
    assert with_expired(app, live_signer, 1, page=False).status == 503


# --- Sign-outs ------------------------------------------------------------------------------------


def revocations(faulty: FaultyServer) -> int:
    """How many sessions the app has revoked."""
    return sum(path.endswith("/revoke") for path, _ in faulty.received)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_session_is_ended_once(app: Flask, faulty: FaultyServer, clock: Clock, status: int) -> None:
    faulty.otherwise = as_json({"status": "revoked"}, status)
    for _ in range(50):
        clerk_of(app).api.end_session("sess_1")
        clock.now += REFUSAL_LIFETIME
    assert revocations(faulty) == 1


def test_sign_outs_are_limited_for_each_session_and_in_total(
    app: Flask, faulty: FaultyServer, clock: Clock
) -> None:
    faulty.otherwise = Reply(status=500)

    def end(session_id: str) -> None:
        with pytest.raises(BackendApiError):
            clerk_of(app).api.end_session(session_id)

    for _ in range(50):
        end("sess_1")
    assert revocations(faulty) == SESSION_CALLS
    for number in range(50):
        end(f"sess_{number}")
    assert revocations(faulty) == MAX_PER_SECOND
    clock.now += REFUSAL_LIFETIME
    faulty.otherwise = as_json({"status": "revoked"})
    clerk_of(app).api.end_session("sess_1")


# --- Time-outs ------------------------------------------------------------------------------------


@pytest.fixture(params=["silence", "headers", "body", "chunks"])
def trickle(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that sends a byte every 0.2 seconds, and never ends its response."""
    starts = {
        "silence": b"",
        "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n270F\r\n",
    }
    start, stop = starts[request.param], threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(start)
                while start and not stop.wait(0.2):
                    connection.sendall(b" ")
                stop.wait(20)
            except OSError:
                return

    def accept(server: socket.socket) -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stop.set()


def api_at(url: str) -> BackendApi:
    """A client of the Backend API at this address."""
    return BackendApi(
        read_instance(
            {
                "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
                "CLERK_SECRET_KEY": "sk_live_secret",
                "CLERK_API_URL": url,
                "CLERK_AUTHORIZED_PARTIES": "*",
            }
        )
    )


def test_a_call_that_a_visitor_can_cause_ends_in_time(trickle: str) -> None:
    api = api_at(trickle)
    calls: list[Callable[[], object]] = [
        lambda: api.handshake_payload("n"),
        lambda: api.refresh_session("sess_1", {}),
        lambda: api.verify_machine_token("/api_keys/verify", "secret", "ak_1"),
        lambda: api.revoke_session("sess_1"),
        api.jwks,
    ]

    def seconds(make: Callable[[], object]) -> float:
        started = time.monotonic()
        with pytest.raises(BackendApiError) as raised:
            make()
        assert raised.value.code == "fetch-error"
        return time.monotonic() - started

    with ThreadPoolExecutor(len(calls)) as pool:
        assert max(pool.map(seconds, calls)) < QUICK_TIMEOUT + 1


def test_the_calls_of_a_request_share_their_time(app: Flask, trickle: str) -> None:
    instance = clerk_of(app).instance
    api = BackendApi(replace(instance, api_url=trickle), current_request=current_environ)

    def seconds(make: Callable[[], object]) -> float:
        started = time.monotonic()
        with pytest.raises(BackendApiError):
            make()
        return time.monotonic() - started

    with app.test_request_context():
        assert seconds(lambda: api.user("user_1")) < QUICK_TIMEOUT + 1
        left = REQUEST_TIMEOUT - QUICK_TIMEOUT
        assert left - 0.5 < seconds(lambda: list(api.memberships("org_1"))) < left + 1
        assert seconds(lambda: api.update_user("user_1")) < 0.5


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=503, headers=(("Retry-After", "0"),)),
        Reply(status=502),
        Reply(status=429),
        Reply(hang_up=True),
        Reply(missing=5),
    ],
    ids=str,
)
def test_every_call_counts_because_there_are_no_retries(faulty: FaultyServer, reply: Reply) -> None:
    faulty.otherwise = reply
    with pytest.raises(BackendApiError):
        api_at(faulty.url).handshake_payload("n")
    assert faulty.count(NONCES) == 1


def test_a_lost_connection_is_replaced(faulty: FaultyServer) -> None:
    api = api_at(faulty.url)
    faulty.replies[NONCES] = lambda: as_json({"directives": ["a=b"]})
    for _ in range(3):
        assert api.handshake_payload("n") == ["a=b"]
    assert len({port for _, port in faulty.received}) == 1  # one connection for all


# --- The budget -----------------------------------------------------------------------------------


def test_the_budget_is_earned_again_over_time(clock: Clock) -> None:
    budget = CallBudget(in_flight=100, per_second=10, clock=clock)
    assert [budget.acquire() for _ in range(11)] == [True] * 10 + [False]
    clock.now += 0.25
    assert [budget.acquire() for _ in range(3)] == [True, True, False]
    clock.now += 3600
    assert sum(budget.acquire() for _ in range(100)) == 10


def test_the_budget_limits_calls_at_the_same_time(clock: Clock) -> None:
    budget = CallBudget(in_flight=2, per_second=100, clock=clock)
    assert [budget.acquire() for _ in range(3)] == [True, True, False]
    budget.release()
    assert [budget.acquire() for _ in range(2)] == [True, False]
    budget.renew()  # as in a forked process
    assert budget.acquire()


def test_a_budget_within_another_needs_room_in_both(clock: Clock) -> None:
    total = CallBudget(in_flight=3, per_second=3, clock=clock)
    one, two = (CallBudget(in_flight=2, per_second=2, within=total, clock=clock) for _ in range(2))
    assert [one.acquire(), one.acquire(), one.acquire()] == [True, True, False]
    assert [two.acquire(), two.acquire()] == [True, False]
    for budget in (one, one, two):
        budget.release()
    assert not one.acquire()
    clock.now += 0.4
    assert [two.acquire(), one.acquire()] == [True, False]


def test_a_call_beyond_the_budget_is_an_error_of_its_own(faulty: FaultyServer) -> None:
    api = api_at(faulty.url)
    api.limits.by_kind["nonce"] = CallBudget(in_flight=0)
    with pytest.raises(TooManyCallsError) as raised:
        api.handshake_payload("n")
    assert raised.value.retry_after == 1
    assert not faulty.received
