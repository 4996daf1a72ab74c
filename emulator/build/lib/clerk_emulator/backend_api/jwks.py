"""``/jwks``: the instance's public key."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..serializers import Json

blueprint = Blueprint("jwks", __name__)


@blueprint.get("/jwks")
def get_jwks() -> Json:
    """The key that verifies session tokens."""
    return current_clerk().signer.jwks()
