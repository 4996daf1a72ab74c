"""Celery, its settings, and the Flask application that its tasks run in."""

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

# How these limits depend on each other, all in seconds:
#   TIME_LIMIT + LONGEST_PAUSE  <  VISIBILITY  <  QUEUE_LEASE (clerk_sync/deliveries.py)
# Redis gives a task to another worker if it isn't confirmed within VISIBILITY. A task stays
# unconfirmed while it runs and while it waits for its next retry, so both together must be shorter,
# or two workers would run the same task. It also takes VISIBILITY until the task of a lost machine
# runs again; if only a worker's child process dies, its task is rerun at once. RabbitMQ notices a
# lost worker at once; its own limit for a confirmation is 30 minutes.
TIME_LIMIT = 300
"""Seconds that a task may run, unless it sets its own limit."""
LONGEST_PAUSE = 600
"""Seconds between two attempts of a task, at most."""
VISIBILITY = 1200
"""Seconds after which Redis gives an unconfirmed task to another worker."""


def read_broker_url(environ: Mapping[str, str]) -> str:
    """The broker's URL; empty if there is none.

    :raises SettingsError: it isn't a URL of Redis or RabbitMQ.
    """
    url = environ.get("CELERY_BROKER_URL", "").strip()
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:  # not shown in the error, since it may contain a password
        raise SettingsError(
            "CELERY_BROKER_URL is not a broker's URL; expected redis://HOST:PORT/0, "
            "amqp://USER:PASSWORD@HOST:PORT//, or an empty value to run each job at once."
        )
    return url


def configuration(url: str) -> dict[str, Any]:
    """Celery's settings.

    :param url: the broker's URL; if empty, tasks run where they are called.
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
        # A webhook's request waits for the broker, and Clerk waits 15 seconds for the request.
        "broker_connection_timeout": 3,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0.1},
        "broker_transport_options": _transport_options(url),
        "beat_schedule": {
            "sync": {
                "task": "app.jobs.scheduled_sync.sync",
                "schedule": crontab(hour="3", minute="17"),
            }
        },
    }


def _transport_options(url: str) -> dict[str, Any]:
    if not url.startswith("redis"):
        # Wait until RabbitMQ has confirmed the message; only then does Clerk get its 200.
        return {"confirm_publish": True} if url else {}
    timeouts = {"socket_connect_timeout": 3, "socket_timeout": 10}
    return {"visibility_timeout": VISIBILITY, **timeouts}


@cache
def _app_of_worker() -> Flask:
    """The application of a worker process, created after the fork."""
    from app import create_app

    return create_app()


class FlaskTask(Task):  # type: ignore[type-arg]
    """A task that runs in an app context, so ``db`` and ``current_app`` work."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        app = current_app if has_app_context() else _app_of_worker()
        with app.app_context():
            return self.run(*args, **kwargs)


celery = Celery(
    "app", task_cls=FlaskTask, include=["app.jobs.signal_queue", "app.jobs.scheduled_sync"]
)
celery.set_default()
celery.add_defaults(lambda: configuration(read_broker_url(read_environment())))
