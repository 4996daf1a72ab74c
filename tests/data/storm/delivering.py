"""Sixteen threads that deliver events as Clerk does: repeatedly, until the app accepts them."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import local

import requests

from tests.data.deliveries import Event, sign

THREADS = 16
LONGEST = 90
"""Seconds within which a delivery must be accepted."""

_own = local()

Headers = dict[str, str]


@dataclass(frozen=True)
class Delivery:
    """An event to deliver.

    :param forge: turns a signed delivery into a forged one; None for a genuine delivery.
    """

    event: Event
    forge: Callable[[bytes, Headers], tuple[bytes, Headers]] | None = None


def _unsigned(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, {**headers, "svix-signature": "v1,"}


def _signed_with_another_secret(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    signature = headers["svix-signature"]
    return body, {**headers, "svix-signature": signature[:3] + signature[3:].swapcase()}


def _altered(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body.replace(b'"data"', b'"data": {}, "data"'), headers


def _under_another_id(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, {**headers, "svix-id": f"{headers['svix-id']}x"}


def _from_yesterday(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    return body, sign(body, headers["svix-id"], int(time.time()) - 86_400)


FORGERIES = (_unsigned, _signed_with_another_secret, _altered, _under_another_id, _from_yesterday)


def make_storm(
    events: list[Event], seed: int, *, repeated: float = 0.3, forged: float = 0.05
) -> list[Delivery]:
    """Deliveries of all events in random order, some of them repeated, with forged ones in between.

    :param repeated: the fraction of events that are delivered twice.
    :param forged: the number of forged deliveries, as a fraction of the events.
    """
    chance = random.Random(seed)
    deliveries = [Delivery(event) for event in events]
    deliveries += [Delivery(event) for event in chance.sample(events, int(len(events) * repeated))]
    deliveries += [
        Delivery(_damaging(event), chance.choice(FORGERIES))
        for event in chance.sample(events, int(len(events) * forged))
    ]
    chance.shuffle(deliveries)
    return deliveries


def _damaging(event: Event) -> Event:
    """An event that would show in the tables if it were accepted."""
    data = {**event.data, "first_name": "Mallory", "name": "Mallory", "updated_at": 2**42}
    return Event(f"{event.id}_forged", event.type, data)


def deliver_all(url: str, deliveries: list[Delivery], on_accepted: Callable[[], None]) -> Counter[str]:
    """Deliver everything, as many deliveries at once as there are threads.

    :param on_accepted: called after each accepted delivery.
    :returns: how often each status was received; ``none`` counts broken connections.
    :raises AssertionError: a forged delivery was accepted, or a genuine one never was.
    """
    answers: Counter[str] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            deliver = partial(_deliver, f"{url}/webhooks/clerk", on_accepted)
            for seen in pool.map(deliver, deliveries):
                answers.update(seen)
        except AssertionError:
            pool.shutdown(cancel_futures=True)
            raise
    return answers


def _deliver(url: str, on_accepted: Callable[[], None], delivery: Delivery) -> list[str]:
    seen: list[str] = []
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        status = _attempt(url, delivery)
        if delivery.forge and status.isdigit() and int(status) < 500:
            assert status == "400", f"a forged delivery got the status {status}"
            return [*seen, "forged: 400"]
        seen.append(status)
        if status == "200":
            on_accepted()
            return seen
        assert status == "none" or status.startswith("5"), f"{delivery.event.id}: {status}"
        time.sleep(0.05)
    raise AssertionError(f"{delivery.event.id} was never accepted: {Counter(seen)}")


def _attempt(url: str, delivery: Delivery) -> str:
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
    event = delivery.event
    body = json.dumps({"type": event.type, "object": "event", "data": event.data}).encode()
    headers = sign(body, event.id, int(time.time()))
    if delivery.forge:
        body, headers = delivery.forge(body, headers)
    try:
        response = _own.session.post(url, data=body, headers=headers, timeout=30)
    except requests.RequestException:
        return "none"
    return str(response.status_code)
