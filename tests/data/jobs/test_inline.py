"""Without a broker, jobs run within the request that starts them; the broker's URL is checked."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient

from app import create_app
from app.accounts.models import User
from app.clerk_sync.deliveries import QUEUE_LEASE
from app.clerk_sync.signals import user_created
from app.clerk_sync.tables import WebhookDelivery
from app.jobs import broker, signal_queue
from app.jobs.broker import celery
from app.jobs.scheduled_sync import sync
from app.settings import SettingsError
from tests.app_fixtures import ALICE
from tests.data.deliveries import deliver, event, stored
from tests.local_server import LocalServer


def test_signal_is_sent_within_the_request(app: Flask, client: FlaskClient) -> None:
    received = []

    def receive(app: Flask, data: dict[str, Any], event: object) -> None:
        received.append(data["id"])

    created = event("user.created", ALICE)
    with user_created.connected_to(receive):
        assert [deliver(client, created).status_code for _ in range(2)] == [200, 200]
    assert received == [ALICE["id"]]
    delivery = stored(app, WebhookDelivery, created.id)
    assert delivery
    assert delivery.signal_handled_at
    assert delivery.signal_queued_at is None


def test_job_runs_at_once(app: Flask) -> None:
    @celery.task
    def name() -> str:
        return current_app.name

    with app.app_context():
        assert name.delay().get() == app.name


def test_sync_job_does_the_same_as_the_command(app: Flask, backend: LocalServer) -> None:
    backend.answers["GET /v1/users"] = (200, [ALICE])
    for path in ("organizations", "organization_memberships"):
        backend.answers[f"GET /v1/{path}"] = (200, {"data": [], "total_count": 0})
    with app.app_context():
        sync.delay()
    user = stored(app, User, ALICE["id"])
    assert user
    assert user.email == "alice@example.com"


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://", "redis://h:x"])
def test_invalid_broker_url_is_rejected(environ: dict[str, str], url: str) -> None:
    with pytest.raises(SettingsError, match="CELERY_BROKER_URL"):
        create_app(environ | {"CELERY_BROKER_URL": url})


def test_limits_keep_a_task_from_running_in_two_workers() -> None:
    assert broker.TIME_LIMIT + broker.LONGEST_PAUSE < broker.VISIBILITY
    lease = QUEUE_LEASE.total_seconds()
    assert lease > broker.VISIBILITY
    assert lease > signal_queue.ATTEMPTS * (broker.LONGEST_PAUSE + broker.TIME_LIMIT)


def test_scheduled_and_queued_tasks_are_registered() -> None:
    celery.loader.import_default_modules()
    scheduled = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    assert scheduled <= set(celery.tasks)
    assert "app.jobs.deliveries.send_signal" in celery.tasks  # queued before the module was moved


def test_flask_dev_starts_a_worker_if_there_is_a_broker(environ: dict[str, str]) -> None:
    assert "DEV_COMMANDS" not in create_app(environ).config
    url = "amqp://guest:guest@127.0.0.1:5672//"
    app = create_app(environ | {"CELERY_BROKER_URL": url})
    assert "worker" in app.config["DEV_COMMANDS"]
    create_app(environ)  # resets Celery's settings for the tests that follow
