"""A queued signal is sent once, whatever happens between the request, the queue and the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from celery.exceptions import Retry
from flask import Flask
from flask.testing import FlaskClient

from app.clerk.webhooks import WebhookEvent
from app.clerk_sync import clerk_sync_of
from app.clerk_sync import deliveries as sync_deliveries
from app.clerk_sync.deliveries import CLAIM_LEASE, QUEUE_LEASE
from app.clerk_sync.signals import user_created
from app.clerk_sync.tables import WebhookDelivery
from app.jobs import signal_queue
from app.jobs.signal_queue import enqueue_signal, send_signal
from app.transactions import transact
from tests.app_fixtures import ALICE, ON_BOTH_DATABASES
from tests.data.deliveries import deliver, event, stored

pytestmark = ON_BOTH_DATABASES

CREATED = event("user.created", ALICE)
EVENT = WebhookEvent(CREATED.id, CREATED.type, CREATED.data)

Task = tuple[Any, ...]


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The user IDs that a receiver was called with."""
    ids: list[str] = []

    def hear(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        ids.append(data["id"])

    with user_created.connected_to(hear):
        yield ids


@pytest.fixture
def tasks(app: Flask, heard: list[str], monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """The tasks that requests have put into the queue; nothing runs them."""
    queue: list[Task] = []
    monkeypatch.setattr(sync_deliveries, "WAITS", ())
    monkeypatch.setattr(send_signal, "delay", lambda *task: queue.append(task))
    clerk_sync_of(app).enqueue_signal = enqueue_signal
    return queue


def work(app: Flask, task: Task) -> None:
    """Run a task, as a worker does."""
    with app.app_context():
        send_signal(*task)


def delivery(app: Flask) -> WebhookDelivery:
    """The recorded delivery."""
    row = stored(app, WebhookDelivery, CREATED.id)
    assert row
    return row


def age(app: Flask, by: timedelta, *columns: str) -> None:
    """Move these times of the delivery into the past."""
    row = delivery(app)
    values = {name: getattr(row, name) - by for name in columns}
    statement = sa.update(WebhookDelivery).values(values)
    with app.app_context():
        transact(lambda session: session.execute(statement))


def die_after(call: Callable[..., object]) -> Callable[..., None]:
    """The same call, after which the request dies."""

    def die(*arguments: object) -> None:
        call(*arguments)
        raise SystemExit

    return die


def test_queued_signal_is_sent_once(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str]
) -> None:
    for _ in range(3):
        assert deliver(client, CREATED).status_code == 200
    [task] = tasks
    assert delivery(app).signal_queued_at
    assert not heard
    for _ in range(2):
        work(app, task)
    assert heard == [ALICE["id"]]
    assert delivery(app).signal_handled_at
    assert deliver(client, CREATED).status_code == 200
    assert len(tasks) == 1


def test_broker_failure_releases_the_claim(
    app: Flask, client: FlaskClient, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*task: object) -> None:
        raise ConnectionError("the broker can't be reached")

    app.testing = False
    with monkeypatch.context() as patch:
        patch.setattr(send_signal, "delay", fail)
        assert deliver(client, CREATED).status_code == 500
    assert delivery(app).signal_claimed_at is None
    assert deliver(client, CREATED).status_code == 200
    assert len(tasks) == 1


def test_lost_confirmation_does_not_release_the_claim_of_a_running_task(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker has the task and a worker starts it, but the request sees a failure."""
    answers = []

    def hear(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        answers.append(deliver(app.test_client(), CREATED).status_code)

    def confirmation_is_lost(*task: Any) -> None:
        with user_created.connected_to(hear):
            send_signal(*task)
        raise ConnectionError("the broker closed the connection")

    app.testing = False
    monkeypatch.setattr(send_signal, "delay", confirmation_is_lost)
    assert deliver(client, CREATED).status_code == 500
    assert answers == [200]  # taken by the queue
    assert deliver(client, CREATED).status_code == 200
    assert heard == [ALICE["id"]]


def test_task_of_a_request_that_died_is_replaced(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(send_signal, "delay", die_after(lambda *task: tasks.append(task)))
        with pytest.raises(SystemExit):
            deliver(client, CREATED)
    assert delivery(app).signal_queued_at is None
    assert deliver(client, CREATED).status_code == 503
    age(app, CLAIM_LEASE * 2, "signal_claimed_at")
    assert deliver(client, CREATED).status_code == 200
    first, second = tasks
    work(app, first)
    assert not heard
    work(app, second)
    assert heard == [ALICE["id"]]


def test_started_task_of_a_request_that_died_is_not_replaced(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(send_signal, "delay", die_after(lambda *task: tasks.append(task)))
        with pytest.raises(SystemExit):
            deliver(client, CREATED)
    answers = []

    def hear(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
        answers.append(deliver(app.test_client(), CREATED).status_code)

    age(app, CLAIM_LEASE * 2, "signal_claimed_at")
    task = (*tasks[0][:3], delivery(app).signal_claimed_at.isoformat())  # type: ignore[union-attr]
    with user_created.connected_to(hear):
        work(app, task)
    assert answers == [200]
    assert len(tasks) == 1
    assert heard == [ALICE["id"]]


def test_slow_request_does_not_queue_a_signal_that_another_has_queued(
    app: Flask, client: FlaskClient, tasks: list[Task]
) -> None:
    """A request claims a signal, is slow, and meanwhile another request claims and queues it."""
    clerk_sync_of(app).enqueue_signal = lambda event: None
    assert deliver(client, CREATED).status_code == 200
    age(app, CLAIM_LEASE * 2, "signal_claimed_at")
    clerk_sync_of(app).enqueue_signal = enqueue_signal
    assert deliver(client, CREATED).status_code == 200
    before = delivery(app).signal_claimed_at
    with app.app_context():
        enqueue_signal(EVENT)
    assert len(tasks) == 1
    assert delivery(app).signal_claimed_at == before


def test_of_two_requests_that_queue_at_once_one_task_sends(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*task: Any) -> None:
        tasks.append(task)
        monkeypatch.setattr(send_signal, "delay", lambda *task: tasks.append(task))
        enqueue_signal(EVENT)  # another request, whose claim is newer

    monkeypatch.setattr(send_signal, "delay", overtaken)
    assert deliver(client, CREATED).status_code == 200
    assert len(tasks) == 2
    for task in tasks:
        work(app, task)
    assert heard == [ALICE["id"]]


def test_signal_that_the_queue_lost_is_queued_again_after_its_lease(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str]
) -> None:
    assert deliver(client, CREATED).status_code == 200
    age(app, QUEUE_LEASE * 0.9, "signal_claimed_at", "signal_queued_at")
    assert deliver(client, CREATED).status_code == 200
    assert len(tasks) == 1
    age(app, QUEUE_LEASE * 0.2, "signal_claimed_at", "signal_queued_at")
    assert deliver(client, CREATED).status_code == 200
    first, second = tasks
    for task in (first, second, first):
        work(app, task)
    assert heard == [ALICE["id"]]


def test_lease_ends_one_day_after_the_request_queued_the_signal(
    app: Flask, client: FlaskClient, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retries of the task don't extend it."""
    began = datetime.now(UTC)
    assert deliver(client, CREATED).status_code == 200
    queued_at = delivery(app).signal_queued_at
    assert queued_at
    assert began <= queued_at <= datetime.now(UTC)
    with user_created.connected_to(fail), pytest.raises((Retry, RuntimeError)):
        work(app, tasks[0])
    assert delivery(app).signal_queued_at == queued_at


def test_last_failed_attempt_releases_the_claim(
    app: Flask, client: FlaskClient, tasks: list[Task], heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deliver(client, CREATED).status_code == 200
    monkeypatch.setattr(signal_queue, "ATTEMPTS", 0)
    with user_created.connected_to(fail), pytest.raises(RuntimeError):
        work(app, tasks[0])
    row = delivery(app)
    assert (row.signal_claimed_at, row.signal_queued_at, row.signal_handled_at) == (None, None, None)
    heard.clear()
    assert deliver(client, CREATED).status_code == 200
    first, second = tasks
    work(app, first)
    assert not heard
    work(app, second)
    assert heard == [ALICE["id"]]


def fail(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
    """A receiver that can't do its work."""
    raise RuntimeError("the mail server is down")
