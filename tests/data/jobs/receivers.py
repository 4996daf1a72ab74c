"""The app of the workers under test: receivers that write down what they hear, and fail to order.

``HEARD/order`` says what the first call does: ``fail``, or ``die`` of SIGKILL, or ``hang``.
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
# A lost machine is noticed sooner than in production. The worker would take it from the app.
VISIBILITY = 3
"""Seconds."""
celery.conf.update(broker_transport_options={"visibility_timeout": VISIBILITY})


def hear(app: Flask, data: dict[str, Any], event: WebhookEvent) -> None:
    """Write down the user's id."""
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
