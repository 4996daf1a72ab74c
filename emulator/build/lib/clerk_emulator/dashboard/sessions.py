"""``/dashboard/sessions``: who is signed in where."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import not_found
from ..resources import Session
from ..sessions import LIVE, end_session, settle
from .pages import PER_PAGE, Page, go, names_of, offset_of, page_number, render

blueprint = Blueprint("sessions", __name__, url_prefix="/dashboard/sessions")


@blueprint.get("")
def index() -> Response:
    """Sessions, newest first."""
    clerk, number = current_clerk(), page_number()
    rows = clerk.store.find(Session, newest_first=True, limit=PER_PAGE, offset=offset_of(number))
    page = Page([settle(clerk, row) for row in rows], number, clerk.store.count(Session))
    names = names_of([session.user_id for session in rows])
    return render("sessions.html", section="Sessions", page=page, names=names, live=LIVE)


@blueprint.post("/<id>/revoke")
def revoke(id: str) -> Response:
    """Sign that browser out."""
    clerk = current_clerk()
    session = clerk.store.get(Session, id)
    if session is None:
        raise not_found("Session")
    end_session(clerk, session, "revoked")
    if request.form.get("back") == "user":
        done = "The session was revoked."
        return redirect(url_for("dashboard.users.show", id=session.user_id, done=done), 303)
    return go("dashboard.sessions.index", "The session was revoked.")
