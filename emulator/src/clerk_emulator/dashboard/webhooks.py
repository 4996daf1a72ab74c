"""``/dashboard/webhooks``: what was sent to the app, and what it answered."""

from __future__ import annotations

import json

from flask import Blueprint
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import not_found
from ..resources import Event
from ..webhooks import send_again, webhook_url
from .pages import PER_PAGE, Page, go, offset_of, page_number, render

blueprint = Blueprint("webhooks", __name__, url_prefix="/dashboard/webhooks")

SOME = 10


@blueprint.get("")
def index() -> Response:
    """Webhooks, newest first."""
    clerk, number = current_clerk(), page_number()
    rows = clerk.store.find(Event, newest_first=True, limit=PER_PAGE, offset=offset_of(number))
    return render(
        "webhooks.html",
        section="Webhooks",
        page=Page(rows, number, clerk.store.count(Event)),
        url=webhook_url(clerk),
        rules=clerk.settings.webhooks,
        some=SOME,
    )


@blueprint.get("/<id>")
def show(id: str) -> Response:
    """One webhook: its body, and every attempt."""
    event = _event(id)
    body = json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)
    return render("webhook.html", section="Webhooks", event=event, body=body)


@blueprint.post("/<id>/again")
def again(id: str) -> Response:
    """Send it once more, with the same id: a replay, or a duplicate."""
    send_again(current_clerk(), [_event(id)])
    return go("dashboard.webhooks.show", "The webhook is sent again, with the same ID.", id=id)


@blueprint.post("/shuffled")
def shuffled() -> Response:
    """Send the latest once more, the newest first."""
    clerk = current_clerk()
    send_again(clerk, clerk.store.find(Event, newest_first=True, limit=SOME))
    return go("dashboard.webhooks.index", "The latest webhooks are being sent again, newest first.")


@blueprint.post("/<any(pause, resume):what>")
def pause(what: str) -> Response:
    """Hold webhooks back, or let them go."""
    clerk = current_clerk()
    clerk.source.switch({"webhooks": {"paused": what == "pause"}})
    clerk.on_event()
    done = "Webhooks are paused." if what == "pause" else "Webhooks are sent again."
    return go("dashboard.webhooks.index", done)


def _event(id: str) -> Event:
    found = current_clerk().store.get(Event, id)
    if found is None:
        raise not_found("Webhook")
    return found
