"""``/dashboard/inbox``: every e-mail and SMS that would have been sent."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..resources import Message
from .pages import PER_PAGE, Page, go, offset_of, page_number, render

blueprint = Blueprint("inbox", __name__, url_prefix="/dashboard/inbox")


@blueprint.get("")
def index() -> Response:
    """Messages, newest first; ``to`` narrows them down."""
    store, number = current_clerk().store, page_number()
    to = request.args.get("to", "").strip().lower()
    if to:
        found = [message for message in store.find(Message, newest_first=True) if to in message.to]
        page = Page(found[offset_of(number) :][:PER_PAGE], number, len(found))
    else:
        rows = store.find(Message, newest_first=True, limit=PER_PAGE, offset=offset_of(number))
        page = Page(rows, number, store.count(Message))
    return render("inbox.html", section="Inbox", page=page, to=to)


@blueprint.post("/empty")
def empty() -> Response:
    """Throw all messages away."""
    store = current_clerk().store
    for message in store.find(Message):
        store.delete(message)
    return go("dashboard.inbox.index", "The inbox is empty.")
