"""Signals sent by a real worker through a real Redis: each one arrives exactly once."""

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
from tests.app_fixtures import ALICE
from tests.data.deliveries import deliver, event, stored
from tests.redis_server import MISSING, Redis, Worker, wait_until

from .receivers import VISIBILITY, hear

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

CREATED = event("user.created", ALICE)


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Redis:
    """One port for all tests, since Celery keeps its connections."""
    return Redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def redis(one_redis: Redis) -> Iterator[Redis]:
    """A running server without any data."""
    redis = one_redis
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def app(environ: dict[str, str], redis: Redis, tmp_path: Path) -> Iterator[Flask]:
    """The app, with a broker and the receiver that its workers have."""
    app = create_app(environ | {"CELERY_BROKER_URL": redis.url})
    celery._after_fork()  # type: ignore[attr-defined] # drops the broker of an earlier test
    with user_created.connected_to(hear):
        yield app
    create_app(environ)  # resets Celery's settings for the tests that follow


@pytest.fixture
def worker(app: Flask, environ: dict[str, str], redis: Redis, tmp_path: Path) -> Iterator[Worker]:
    """A running worker."""
    worker = Worker(environ | {"CELERY_BROKER_URL": redis.url}, tmp_path)
    yield worker
    worker.kill()


def lines(tmp_path: Path, name: str) -> int:
    """How often a receiver has ``began``, or ``heard`` the signal to its end."""
    file = tmp_path / name
    return len(file.read_text().splitlines()) if file.exists() else 0


def is_handled(app: Flask) -> bool:
    """Whether the delivery's signal counts as sent."""
    noted = stored(app, WebhookDelivery, CREATED.id)
    return noted is not None and noted.signal_handled_at is not None


def test_signal_arrives_once(app: Flask, worker: Worker, tmp_path: Path) -> None:
    for _ in range(3):
        assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert deliver(app.test_client(), CREATED).status_code == 200
    assert lines(tmp_path, "heard") == 1


def test_failed_receiver_is_called_again(app: Flask, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "order").write_text("fail")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_worker_process_loses_no_signal(app: Flask, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "order").write_text("die")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_lost_machine_loses_no_signal(
    app: Flask, worker: Worker, environ: dict[str, str], redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "order").write_text("hang")
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: lines(tmp_path, "began") == 1)
    worker.kill()
    assert not is_handled(app)
    # A worker looks for lost tasks when it starts, and then every 100 seconds.
    time.sleep(VISIBILITY)
    another = Worker(environ | {"CELERY_BROKER_URL": redis.url}, tmp_path)
    try:
        wait_until(lambda: is_handled(app))
    finally:
        another.kill()
    assert (lines(tmp_path, "began"), lines(tmp_path, "heard")) == (2, 1)


def test_webhook_gets_a_500_without_the_broker(
    app: Flask, worker: Worker, redis: Redis, tmp_path: Path
) -> None:
    redis.stop()
    assert deliver(app.test_client(), CREATED).status_code == 500
    assert not is_handled(app)
    redis.start()
    assert deliver(app.test_client(), CREATED).status_code == 200
    wait_until(lambda: is_handled(app))
    assert lines(tmp_path, "heard") == 1


def test_only_one_sync_runs_at_a_time(app: Flask) -> None:
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
