"""``/avatars/…``: the picture that a user uploaded, else one drawn from the initial."""

from __future__ import annotations

import base64

from flask import Blueprint, render_template
from werkzeug import Response

from .clerk import current_clerk
from .errors import not_found
from .resources import EmailAddress, Organization, Picture, User

blueprint = Blueprint("avatars", __name__)

YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("/avatars/<id>")
def get_avatar(id: str) -> Response:
    """An uploaded picture by its own id; for a user's or an organization's, the initial."""
    picture = current_clerk().store.get(Picture, id)
    response = _drawn(id) if picture is None else _uploaded(picture)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _uploaded(picture: Picture) -> Response:
    response = Response(base64.b64decode(picture.content), mimetype=picture.content_type)
    response.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    return response


def _drawn(id: str) -> Response:
    store = current_clerk().store
    user = store.get(User, id)
    organization = store.get(Organization, id)
    if user is None and organization is None:
        raise not_found("Avatar")
    name = (organization.name if organization else "") or (_name(user) if user else "") or "?"
    svg = render_template("avatar.svg", initial=name[0].upper(), hue=sum(id.encode()) % 360)
    return Response(svg, mimetype="image/svg+xml")


def _name(user: User) -> str:
    email = current_clerk().store.get(EmailAddress, user.primary_email_address_id)
    return user.name or user.username or (email.email_address if email else "")
