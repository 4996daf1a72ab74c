"""Celery, its settings, and how its tasks come to the Flask application."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from celery import Celery, Task
from celery.schedules import crontab
from flask import Flask, current_app, has_app_context

from app.settings import SettingsError, read_environment

SCHEMES = ("redis", "rediss", "amqp", "amqps")

# How the times fit together. All seconds:
#   TIME_LIMIT + LONGEST_PAUSE  <  VISIBILITY  <  LEASE (deliveries.py)
# Redis hands a task out again when a worker has not confirmed it within VISIBILITY, dead or not. A
# task that waits for its next attempt sits unconfirmed in a worker, and so does one that runs: both
# together must be shorter, or two workers would be at the same task. RabbitMQ sees at once that a
# worker is gone; its own limit for a confirmation is 30 minutes. VISIBILITY is also how long a task
# of a machine that vanished may rest; a mere child of a worker that died is replaced at once.
TIME_LIMIT = 300
"""Seconds that a task may take, unless it says otherwise."""
LONGEST_PAUSE = 600
"""Seconds between two attempts of a task, at most."""
VISIBILITY = 1200
"""Seconds after which Redis gives a task to another worker."""


def read_broker_url(environ: Mapping[str, str]) -> str:
    """Where the broker is; empty if there is none.

    :raises SettingsError: it is no address of Redis or RabbitMQ.
    """
    url = environ.get("CELERY_BROKER_URL", "").strip()
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:  # it may hold a password, so it is not shown
        raise SettingsError(
            "CELERY_BROKER_URL is no address of a broker; expected redis://HOST:PORT/0 or "
            "amqp://USER:PASSWORD@HOST:PORT//, or nothing, to run every job at once"
        )
    return url


def configuration(url: str) -> dict[str, Any]:
    """Celery's settings.

    :param url: of the broker; empty: tasks run where they are called.
    """
    return {
        "broker_url": url or "memory://",
        "task_always_eager": not url,
        "task_eager_propagates": not url,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": TIME_LIMIT,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        # A request waits for the broker, and Clerk for the request: 15 seconds at most.
        "broker_connection_timeout": 3,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.1},
        "broker_transport_options": _transport_options(url),
        "beat_schedule": {
            "sync": {"task": "app.jobs.sync.sync", "schedule": crontab(hour="3", minute="17")}
        },
    }


def _transport_options(url: str) -> dict[str, Any]:
    if not url.startswith("redis"):
        # RabbitMQ says that it has the message, before we say so to Clerk.
        return {"confirm_publish": True} if url else {}
    timeouts = {"socket_connect_timeout": 3, "socket_timeout": 10}
    return {"visibility_timeout": VISIBILITY, **timeouts}


@cache
def _app_of_worker() -> Flask:
    """One for each process of a worker, made after it was forked."""
    from app import create_app

    return create_app()


class FlaskTask(Task):  # type: ignore[type-arg]
    """A task within the application, so that ``db`` and ``current_app`` are there."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        app = current_app if has_app_context() else _app_of_worker()
        with app.app_context():
            return self.run(*args, **kwargs)


celery = Celery("app", task_cls=FlaskTask, include=["app.jobs.deliveries", "app.jobs.sync"])
celery.set_default()
celery.add_defaults(lambda: configuration(read_broker_url(read_environment())))
