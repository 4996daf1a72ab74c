"""``/avatars/…``: a picture for every user, drawn from the initial. No network needed."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug import Response

from .clerk import current_clerk
from .errors import not_found
from .resources import EmailAddress, User

blueprint = Blueprint("avatars", __name__)


@blueprint.get("/avatars/<id>")
def get_avatar(id: str) -> Response:
    """An SVG with the user's initial, in a colour of their own."""
    store = current_clerk().store
    user = store.get(User, id)
    if user is None:
        raise not_found("Avatar")
    email = store.get(EmailAddress, user.primary_email_address_id)
    initial = (user.name or (email.email_address if email else "") or "?")[0].upper()
    hue = sum(id.encode()) % 360
    svg = render_template("avatar.svg", initial=initial, hue=hue)
    response = Response(svg, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response
