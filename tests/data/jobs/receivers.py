"""The app of the workers under test, with a receiver that records its calls and fails on command.

The file ``HEARD/order`` says what the first call does: ``fail``, ``die`` by SIGKILL, or ``hang``.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from flask import Flask

from app.clerk.webhooks import WebhookEvent
from app.clerk_sync.signals import user_created
from app.jobs import celery, signal_queue

__all__ = ["celery"]

signal_queue.FIRST_PAUSE = 1
# Shorter than in production, so that the task of a lost machine is rerun soon.
VISIBILITY = 3
"""Seconds."""
celery.conf.update(broker_transport_options={"visibility_timeout": VISIBILITY})


def hear(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
    """Record the user's ID in ``HEARD/began``, follow the order, then record it in ``heard``."""
    folder = Path(os.environ["HEARD"])
    with (folder / "began").open("a") as file:
        file.write(f"{data['id']}\n")
    order = folder / "order"
    if order.exists():
        what = order.read_text()
        order.unlink()
        if what == "fail":
            raise RuntimeError("the mail server is down")
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    with (folder / "heard").open("a") as file:
        file.write(f"{data['id']}\n")


if "HEARD" in os.environ:
    user_created.connect(hear)
