"""Measure the local Clerk: its start, a sign-up, many users, and many browsers at the same time.

Run this in a generated project. It starts `python -m clerk_emulator` there. It prints numbers and
checks only that no user is lost.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import requests

CLIENTS = 32
USERS, ORGANIZATIONS = 1_000, 200
SLOW_MS = 50
SECRET = "sk_test_bench"
HEADERS = {"Authorization": f"Bearer {SECRET}"}
HOST = base64.b64encode(b"local-bench-1.clerk.accounts.dev$").decode()
ENVIRON = {"CLERK_PUBLISHABLE_KEY": f"pk_test_{HOST}", "CLERK_SECRET_KEY": SECRET}
READY = "Local Clerk ready on "


@contextmanager
def running(state: Path) -> Iterator[tuple[str, float, int]]:
    """Start the local Clerk; yield its address, the seconds until it was ready, and its process ID."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "clerk_emulator", "--port", "0", "--state", str(state)],
        env=os.environ | ENVIRON,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.removeprefix(READY).strip(), time.perf_counter() - began, process.pid
    finally:
        process.terminate()
        process.wait()


def call(http: requests.Session, method: str, url: str, **arguments: Any) -> Any:
    """Send a request that must succeed."""
    answer = http.request(method, url, timeout=60, **arguments)
    answer.raise_for_status()
    return answer.json()


def sign_up(http: requests.Session, url: str, email: str) -> None:
    """Sign up a user with the five requests that Clerk.js sends."""
    query = {"__clerk_db_jwt": call(http, "POST", f"{url}/v1/dev_browser")["id"]}
    form = {"email_address": email, "password": "correct horse 9"}
    path = f"{url}/v1/client/sign_ups"
    begun = call(http, "POST", path, params=query, data=form)["response"]
    code = {"strategy": "email_code", "code": "424242"}
    for step in ("prepare", "attempt"):
        call(http, "POST", f"{path}/{begun['id']}/{step}_verification", params=query, data=code)
    call(http, "GET", f"{url}/v1/client", params=query)


def median_ms(action: Callable[[], object], times: int = 20) -> float:
    """Return the median time of an action in milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)


def starts(folder: Path) -> None:
    """Measure cold starts. The first one also generates the key."""
    taken = []
    for _ in range(6):
        with running(folder / "starts.sqlite3") as (_, seconds, _):
            taken.append(seconds)
    flask = median_ms(lambda: subprocess.run([sys.executable, "-c", "import flask"], check=True), 5) / 1000
    warm = statistics.median(taken[1:])
    print(f"start: first {taken[0]:.2f} s, then {warm:.2f} s, {warm / flask:.1f} times Flask's import")


def many_users(url: str, emails: Iterator[int]) -> None:
    """Measure single requests, without users and with many."""
    http = requests.Session()
    health = median_ms(lambda: http.get(f"{url}/healthz"))
    empty = median_ms(lambda: sign_up(http, url, f"u{next(emails)}@example.com"))
    print(f"healthz: {health:.1f} ms; sign-up, five requests: {empty:.1f} ms")
    call(
        http, "PATCH", f"{url}/emulator/settings", headers=HEADERS, json={"organizations": {"enabled": True}}
    )
    users = [{"email_address": f"s{number}@example.com"} for number in range(USERS)]
    organizations = [
        {"slug": f"org-{number}", "members": [*users] if number == 0 else [users[number]]}
        for number in range(ORGANIZATIONS)
    ]
    began = time.perf_counter()
    seeds = {"users": users, "organizations": organizations}
    call(http, "POST", f"{url}/emulator/seeds", headers=HEADERS, json=seeds)
    print(f"seeds, {USERS} users, {ORGANIZATIONS} organizations: {time.perf_counter() - began:.2f} s")
    full = median_ms(lambda: sign_up(http, url, f"u{next(emails)}@example.com"))
    print(f"sign-up among them: {full:.1f} ms, {full / empty:.2f} times as long")


def listings(url: str) -> list[str]:
    """Return every list and page that grows with the number of users, by path."""
    http = requests.Session()

    def first(path: str) -> Any:
        found = call(http, "GET", f"{url}/api/v1{path}", headers=HEADERS)
        return (found["data"] if isinstance(found, dict) else found)[0]["id"]

    user, organization = first("/users?email_address=s0@example.com"), first("/organizations?query=org-0")
    api = (
        *("/users?limit=100", "/users?query=s99", "/users?order_by=last_name", "/users/count?query=s9"),
        *(f"/users?organization_id={organization}", f"/users/{user}/organization_memberships"),
        *("/organizations?limit=100", "/organizations?query=org-1", f"/organizations?user_id={user}"),
        *("/organization_memberships", f"/organizations/{organization}/memberships?limit=100"),
        f"/organizations/{organization}/memberships?query=s9",
    )
    pages = (
        *("", "/users", "/users?query=s99", f"/users/{user}", "/sessions", "/organizations"),
        *(f"/organizations/{organization}", "/inbox", "/webhooks"),
    )
    return [
        *(f"/api/v1{path}" for path in api),
        *("/emulator/inbox", "/emulator/webhooks"),
        *(f"/dashboard{path}" if path else "/" for path in pages),
    ]


def cpu_ms(process: int, action: Callable[[], object], times: int = 10) -> float:
    """Return the CPU time of another process during an action, in milliseconds. Linux only."""
    ticks = os.sysconf("SC_CLK_TCK")

    def spent() -> int:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = spent()
    for _ in range(times):
        action()
    return 1000 * (spent() - before) / ticks / times


def growing_lists(url: str, process: int) -> None:
    """Measure what each list costs the server with many users."""
    http = requests.Session()
    for path in listings(url):
        taken = cpu_ms(process, lambda path=path: http.get(url + path, headers=HEADERS).raise_for_status())  # type: ignore[misc]
        print(f"GET {path}: {taken:.0f} ms of processor time{' (slow)' if taken > SLOW_MS else ''}")


def many_browsers(url: str, emails: Iterator[int], seconds: float) -> None:
    """Measure browsers that sign up at the same time, each several times in a row."""
    before = call(requests.Session(), "GET", f"{url}/api/v1/users/count", headers=HEADERS)
    until = time.monotonic() + seconds

    def browse(_: int) -> int:
        done = 0
        with requests.Session() as http:
            while time.monotonic() < until:
                sign_up(http, url, f"u{next(emails)}@example.com")
                done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        made = sum(pool.map(browse, range(CLIENTS)))
    after = call(requests.Session(), "GET", f"{url}/api/v1/users/count", headers=HEADERS)
    lost = made - (after["total_count"] - before["total_count"])
    rate = 5 * made / seconds
    print(f"{CLIENTS} browsers, {seconds:.0f} s: {made} sign-ups, {rate:.0f} requests/s, {lost} lost")
    assert lost == 0


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of many browsers at once")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        starts(Path(folder))
        with running(Path(folder) / "load.sqlite3") as (url, _, process):
            emails = count()
            many_users(url, emails)
            if Path("/proc/self/stat").exists():
                growing_lists(url, process)
            many_browsers(url, emails, seconds)


if __name__ == "__main__":
    main()
