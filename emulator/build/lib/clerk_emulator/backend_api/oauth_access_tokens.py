"""``/oauth_applications/access_tokens``: is what a request shows from one of our applications?"""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import missing
from ..oauth_applications import verify_access_token
from ..serializers import Json
from ..serializers.machines import oauth_access_token_json
from .parameters import json_body, optional_text

blueprint = Blueprint(
    "oauth_access_tokens", __name__, url_prefix="/oauth_applications/access_tokens"
)


@blueprint.post("/verify")
def verify() -> Json:
    """The access token with that secret, unless it is revoked or has expired."""
    clerk, body = current_clerk(), json_body()
    secret = optional_text(body, "access_token") or optional_text(body, "secret")
    if not secret:
        raise missing("access_token")
    return oauth_access_token_json(clerk, verify_access_token(clerk, secret))
