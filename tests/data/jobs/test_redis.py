"""Signals of webhooks by a real worker and a real Redis: each arrives, and once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.clerk_sync.signals import user_created
from app.clerk_sync.sync_lock import hold_sync_lock, release_sync_lock
from app.clerk_sync.tables import WebhookDelivery
from app.jobs import celery
from app.jobs.scheduled_sync import sync
from app.jobs.signal_queue import send_signal
from tests.app_fixtures import ALICE
from tests.data.deliveries import deliver, event, stored
from tests.redis_server import MISSING, Redis, Worker, wait_until

from .receivers import VISIBILITY, hear

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

CREATED = event("user.created", ALICE)


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Redis:
    """One port for all, since Celery keeps its connections."""
    return Redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def redis(one_redis: Redis) -> Iterator[Redis]:
    """A server with nothing in it."""
    redis = one_redis
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def app(environ: dict[str, str], redis: Redis, tmp_path: Path) -> Iterator[Flask]:
    """The app, with a broker. Its receivers are those of the workers."""
    app = create_app(environ | {"CELERY_BROKER_URL": redis.url})
    celery._after_fork()  # type: ignore[attr-defined] # forgets the broker of an earlier test
    with user_created.connected_to(hear):
        yield app
    create_app(environ)  # no broker for whoever comes next


@pytest.fixture
def worker(app: Flask, environ: dict[str, str], redis: Redis, tmp_path: Path) -> Iterator[Worker]:
    """A worker."""
    worker = Worker(environ | {"CELERY_BROKER_URL": redis.url}, tmp_path)
    yield worker
    worker.kill()


def lines(tmp_path: Path, name: str) -> int:
    """How many times a receiver began, or was through."""
    file = tmp_path / name
    return len(file.read_text().splitlines()) if file.exists() else 0


def is_handled(app: Flask) -> bool:
    """Whether the delivery counts as done."""
    noted = stored(app, WebhookDelivery, CREATED.id)
    return noted is not None and noted.signal_handled_at is not None


def test_a_signal_arrives_once(app: Flask, worker: Worker, tmp_path: Path) -> None:
    for _ in range(3):
        assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert deliver(app.test_client(), CREATED).status_code == 200
    assert lines(tmp_path, "heard") == 1


def test_a_delivery_that_waits_in_the_queue_is_not_put_there_twice(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = []
    monkeypatch.setattr(send_signal, "delay", lambda *given: tasks.append(given))
    for _ in range(3):
        assert deliver(app.test_client(), CREATED).status_code == 200
    assert len(tasks) == 1
    assert not is_handled(app)


def test_a_task_that_comes_again_does_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEARD", str(tmp_path))
    tasks: list[tuple[str, ...]] = []
    monkeypatch.setattr(send_signal, "delay", lambda *given: tasks.append(given))
    deliver(app.test_client(), CREATED)
    old = (*tasks[0][:3], "2020-01-01T00:00:00+00:00")
    with app.app_context():
        send_signal(*old)
        assert lines(tmp_path, "heard") == 0
        for _ in range(2):
            send_signal(*tasks[0])
    assert lines(tmp_path, "heard") == 1


def test_a_receiver_that_fails_is_called_again(app: Flask, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "order").write_text("fail")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_that_is_killed_at_work_loses_nothing(app: Flask, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "order").write_text("die")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_machine_that_is_lost_at_work_loses_nothing(
    app: Flask, worker: Worker, environ: dict[str, str], redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "order").write_text("hang")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: lines(tmp_path, "began") == 1)
    worker.kill()
    assert not is_handled(app)
    # A worker looks for lost tasks at its start, and then every 100 seconds.
    time.sleep(VISIBILITY)
    another = Worker(environ | {"CELERY_BROKER_URL": redis.url}, tmp_path)
    try:
        wait_until(lambda: is_handled(app))
    finally:
        another.kill()
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


def test_without_its_broker_the_app_asks_clerk_to_come_again(
    app: Flask, worker: Worker, redis: Redis, tmp_path: Path
) -> None:
    redis.stop()
    assert deliver(app.test_client(), CREATED).status_code == 500
    assert not is_handled(app)
    redis.start()
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert lines(tmp_path, "heard") == 1


def test_only_one_sync_runs(app: Flask) -> None:
    with app.app_context():
        assert hold_sync_lock("first")
        assert hold_sync_lock("first")
        assert not hold_sync_lock("second")
        sync()  # does nothing; a call to Clerk would fail here
        assert not hold_sync_lock("second")
        release_sync_lock("second")
        assert not hold_sync_lock("second")
        release_sync_lock("first")
        assert hold_sync_lock("second")
