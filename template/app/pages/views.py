"""The landing page and the health check."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.clerk import exempt

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def landing() -> ResponseReturnValue:
    """The page at the root of the site."""
    return render_template("pages/landing.html")


@blueprint.get("/healthz")
@exempt
def health() -> ResponseReturnValue:
    """Tell load balancers and supervisors that this process responds."""
    return {"status": "ok"}
