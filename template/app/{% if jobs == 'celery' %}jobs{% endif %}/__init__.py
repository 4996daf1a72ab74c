"""Work that no request waits for: Celery, with Redis or RabbitMQ.

::

    celery -A app.jobs worker     does it
    celery -A app.jobs beat       begins what is due by the clock

A job of your own is a function below ``@celery.task``, in a module that ``celery.conf.include``
names. Without CELERY_BROKER_URL all of it runs at once, where it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from flask import Flask

from app.settings import read_environment

from .broker import celery, configuration, read_broker_url
from .deliveries import enqueue

__all__ = ["celery", "init_app"]


def init_app(app: Flask, environ: Mapping[str, str] | None = None) -> None:
    """Let a worker send the signals of webhooks, if there is a broker.

    :param environ: as for ``create_app()``.
    :raises SettingsError: CELERY_BROKER_URL cannot work.
    """
    url = read_broker_url(read_environment() if environ is None else environ)
    celery.conf.update(configuration(url))
    if url:
        app.extensions["send_signal"] = enqueue
        worker = [sys.executable, "-m", "celery", "-A", "app.jobs", "worker"]
        app.config["DEV_COMMANDS"] = {"worker": [*worker, "--concurrency=2", "--loglevel=INFO"]}
