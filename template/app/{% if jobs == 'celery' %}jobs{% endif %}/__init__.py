"""Background jobs: Celery, with Redis or RabbitMQ.

::

    celery -A app.jobs worker     runs jobs
    celery -A app.jobs beat       starts scheduled jobs

To add a job, decorate a function with ``@celery.task`` and add its module to ``include`` in
``broker.py``. If CELERY_BROKER_URL is empty, a job runs at once, within the request that starts it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from flask import Flask

from app.clerk_sync import clerk_sync_of
from app.settings import read_environment

from .broker import celery, configuration, read_broker_url
from .signal_queue import enqueue_signal

__all__ = ["celery", "init_app"]


def init_app(app: Flask, environ: Mapping[str, str] | None = None) -> None:
    """Let workers send the signals of webhooks, if there is a broker.

    :param environ: as for ``create_app()``.
    :raises SettingsError: CELERY_BROKER_URL is invalid.
    """
    url = read_broker_url(read_environment() if environ is None else environ)
    celery.conf.update(configuration(url))
    if url:
        clerk_sync_of(app).enqueue_signal = enqueue_signal
        worker = [sys.executable, "-m", "celery", "-A", "app.jobs", "worker"]
        app.config["DEV_COMMANDS"] = {"worker": [*worker, "--concurrency=2", "--loglevel=INFO"]}
