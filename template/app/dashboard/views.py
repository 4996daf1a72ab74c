"""Pages of the dashboard."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.clerk import session_required

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@session_required
def index() -> ResponseReturnValue:
    """The first page after signing in."""
    return render_template("dashboard/index.html")
