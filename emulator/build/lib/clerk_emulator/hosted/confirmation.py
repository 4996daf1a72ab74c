"""``/confirm``: proving once more who one is, before something that matters."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..serializers.reverifications import reverification_json
from ..urls import with_query
from .csrf import check_form
from .factors import factors_page, send_factor
from .frontend import response_of
from .pages import link, signed_in

blueprint = Blueprint("confirmation", __name__, url_prefix="/confirm")

NEEDED = "session_reverification_required"
STEPS = {"needs_first_factor": "first", "needs_second_factor": "second"}


def confirm_first() -> Response:
    """To the page that asks who one is."""
    return redirect(link("/confirm"), 303)


@blueprint.get("")
def show() -> Response:
    """The ways to prove who one is."""
    base = _base()
    if base is None:
        return redirect(link("/sign-in"), 303)
    return _page(response_of(base))


@blueprint.post("/<any(first, second):step>")
def submit(step: str) -> Response:
    """Ask for a code, or hand in what was asked for."""
    check_form()
    base = _base()
    if base is None:
        return redirect(link("/sign-in"), 303)
    try:
        return _page(send_factor(base, step, "/confirm"))
    except ClerkError as error:
        return _page(_state() or response_of(base), error)


def _base() -> str | None:
    current = signed_in()
    return f"/client/sessions/{current[0].id}/verify" if current else None


def _state() -> dict[str, Any] | None:
    """The verification as it is, with the code that was sent; to ask the API would begin anew."""
    current = signed_in()
    if current is None or not current[0].verification.get("prepared"):
        return None
    return reverification_json(current_clerk(), *current, None)


def _page(state: dict[str, Any], error: ClerkError | None = None) -> Response:
    step = STEPS.get(state["status"])
    if step is None:
        return redirect(with_query(link("/user"), done="confirmed"), 303)
    return factors_page(state, step, f"/confirm/{step}", error)
