"""What all pages of the dashboard share: the frame, times, lists in pages, and the headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug import Response

from ..clerk import current_clerk, instances
from ..resources import EmailAddress, User
from .forms import form_token

T = TypeVar("T")

PER_PAGE = 25
SECTIONS = (
    ("Overview", "dashboard.overview.show"),
    ("Users", "dashboard.users.index"),
    ("Sessions", "dashboard.sessions.index"),
    ("Organizations", "dashboard.organizations.index"),
    ("Inbox", "dashboard.inbox.index"),
    ("Webhooks", "dashboard.webhooks.index"),
    ("Settings", "dashboard.features.index"),
)
AGO = ((60, "second"), (3600, "minute"), (86_400, "hour"), (10**12, "day"))


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a longer list.

    :param number: counts from 1.
    """

    rows: Sequence[T]
    number: int
    total: int

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.total // PER_PAGE))


def page_number() -> int:
    """Which page is asked for, from 1; nonsense is the first."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def offset_of(number: int) -> int:
    """How many rows come before that page."""
    return (number - 1) * PER_PAGE


def render(template: str, **context: object) -> Response:
    """A page that can show itself, send its forms, and refresh itself with our own script."""
    clerk = current_clerk()
    html = render_template(
        f"dashboard/{template}",
        clerk=clerk,
        app_name=clerk.settings.application.name or clerk.config.name,
        instances=instances(),
        sections=SECTIONS,
        csrf_token=form_token(),
        ago=ago,
        now=clerk.now,
        when=when,
        safe_link=safe_link,
        done=request.args.get("done", "")[:200],
        **context,
    )
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; "
        f"form-action 'self' {clerk.app_origin}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def go(endpoint: str, done: str = "", **values: Any) -> Response:
    """To another page, which says what has been done."""
    if done:
        values["done"] = done
    return redirect(url_for(endpoint, **values), 303)


def when(ms: int | None) -> str:
    """A time as people write it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %b %Y, %H:%M:%S") if ms else "never"


def ago(ms: int | None, *, real: bool = False) -> str:
    """How long ago that was.

    :param real: whether it was taken from the real clock, not the instance's.
    """
    if not ms:
        return "never"
    clerk = current_clerk()
    seconds = ((clerk.clock() if real else clerk.now) - ms) // 1000
    past, size = seconds >= 0, abs(seconds)
    if size < 5:
        return "just now"
    step = 1
    for limit, name in AGO:
        if size < limit:
            number = size // step
            words = f"{number} {name}{'s' if number != 1 else ''}"
            return f"{words} ago" if past else f"in {words}"
        step = limit
    return when(ms)


def safe_link(url: str) -> str:
    """The URL if a browser may go there, else nothing."""
    return url if urlsplit(url).scheme in ("http", "https") else ""


def addresses_of(users: Sequence[User]) -> dict[str, str]:
    """Primary e-mail address by user id, in one query."""
    ids = [user.primary_email_address_id for user in users if user.primary_email_address_id]
    found = current_clerk().store.get_many(EmailAddress, ids)
    return {email.user_id: email.email_address for email in found.values()}


def names_of(user_ids: Sequence[str]) -> dict[str, str]:
    """What to call each of these users."""
    users = list(current_clerk().store.get_many(User, user_ids).values())
    addresses = addresses_of(users)
    return {
        user.id: addresses.get(user.id) or user.username or user.name or user.id for user in users
    }
