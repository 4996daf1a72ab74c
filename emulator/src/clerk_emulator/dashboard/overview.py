"""``/``: how the instance stands, and what can be done to it as a whole."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..resources import Event, Message, Organization, Session, User
from ..seeds import SeedsError, load_seeds, read_seeds
from ..sessions import LIVE
from .pages import go, render

blueprint = Blueprint("overview", __name__)

SECONDS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400}


@blueprint.get("/")
def show() -> Response:
    """Counts, the latest messages, the clock, seeds and reset."""
    store = current_clerk().store
    return render(
        "overview.html",
        section="Overview",
        users=store.count(User),
        sessions=store.count(Session, status=LIVE),
        organizations=store.count(Organization),
        waiting=store.count(Event, status="pending"),
        failed=store.count(Event, status="failed"),
        messages=store.find(Message, newest_first=True, limit=3),
    )


@blueprint.post("/dashboard/seeds")
def seeds() -> Response:
    """Load the seeds file."""
    clerk = current_clerk()
    try:
        found = load_seeds(clerk, read_seeds(clerk.config.seeds))
    except SeedsError as error:
        raise ClerkError("seeds_invalid", str(error), 422) from None
    counts = ", ".join(
        f"{number} {name.removesuffix('s') if number == 1 else name}"
        for name, number in found.items()
    )
    return go("dashboard.overview.show", f"Test users loaded: {counts}.")


@blueprint.post("/dashboard/clock")
def clock() -> Response:
    """Move the clock on, or back to the real time."""
    clerk = current_clerk()
    seconds = SECONDS.get(request.form.get("step", ""))
    clerk.travel(clerk.offset + 1000 * seconds if seconds else 0)
    return go("dashboard.overview.show", "The clock was set.")


@blueprint.post("/dashboard/reset")
def reset() -> Response:
    """Forget everybody, once the box is ticked."""
    if "sure" not in request.form:
        raise ClerkError("form_param_nil", "Check the box to confirm.", 422)
    current_clerk().reset()
    return go("dashboard.overview.show", "Everything was deleted.")
