"""What would leave Clerk by e-mail, SMS or webhook."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Resource


@dataclass
class Message(Resource):
    """An e-mail or SMS that would have been sent. The dashboard shows it in the inbox."""

    TABLE = "messages"
    INDEXED = ("to",)

    kind: str
    """``email`` or ``sms``."""
    to: str
    subject: str
    body: str
    code: str = ""
    link: str = ""


@dataclass
class Event(Resource):
    """A webhook on its way to the app. ``updated_at`` is when it was last tried."""

    TABLE = "events"
    INDEXED = ("next_attempt_at",)

    body: str
    next_attempt_at: int
    attempts: int = 0
