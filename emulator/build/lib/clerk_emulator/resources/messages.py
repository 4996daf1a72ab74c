"""What would leave Clerk by e-mail, SMS or webhook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
    slug: str = ""
    """Clerk's name of the template, such as ``verification_code``."""


@dataclass
class Event(Resource):
    """A webhook. ``status``: ``pending``, ``delivered`` or ``failed`` (given up).

    Its times are real ones, whatever time the instance has travelled to.
    """

    TABLE = "events"
    INDEXED = ("status",)

    body: str
    next_attempt_at: int
    attempts: int = 0
    """How often it was tried since it was last put into the queue."""
    type: str = ""
    status: str = "pending"
    log: list[dict[str, Any]] = field(default_factory=list)
    """Of each attempt: ``at``, the answer's ``status`` (None: there was none) and ``answer``."""
