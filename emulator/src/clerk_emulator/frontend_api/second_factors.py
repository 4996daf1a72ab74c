"""``/me/totp`` and ``/me/backup_codes``: second factors of the user."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import missing
from ..multi_factor import (
    begin_totp,
    check_second_factor_allowed,
    confirm_totp,
    disable_totp,
    renew_backup_codes,
)
from ..resources import User
from ..serializers import Json
from .browser import answer, current_session, current_user
from .reverification import require_reverification

blueprint = Blueprint("second_factors", __name__)


@blueprint.post("/totp")
def create_totp() -> Json:
    """Make a secret for an authenticator app. It counts once a code has been given."""
    clerk = current_clerk()
    user = current_user()
    check_second_factor_allowed(clerk, "authenticator_app")
    require_reverification()
    uri = begin_totp(clerk, user)
    return answer(_totp_json(user) | {"secret": user.totp_secret, "uri": uri})


@blueprint.post("/totp/attempt_verification")
def verify_totp() -> Json:
    """Give the first code of an authenticator app. The answer may have fresh backup codes."""
    clerk = current_clerk()
    user = current_user()
    code = request.form.get("code", "")
    if not code:
        raise missing("code")
    codes = confirm_totp(clerk, current_session(), user, code)
    return answer(_totp_json(user) | {"backup_codes": codes})


@blueprint.delete("/totp")
def delete_totp() -> Json:
    """Do without an authenticator app."""
    clerk = current_clerk()
    user = current_user()
    require_reverification()
    disable_totp(clerk, user)
    return answer({"object": "totp", "id": _totp_id(user), "deleted": True})


@blueprint.post("/backup_codes", strict_slashes=False)
def create_backup_codes() -> Json:
    """Generate backup codes; those there were are of no use any more."""
    clerk = current_clerk()
    user = current_user()
    check_second_factor_allowed(clerk, "backup_code")
    require_reverification()
    codes = renew_backup_codes(clerk, user)
    return answer(
        {
            "object": "backup_code",
            "id": f"bkpc_{user.id.removeprefix('user_')}",
            "codes": codes,
            "created_at": clerk.now,
            "updated_at": clerk.now,
        }
    )


def _totp_id(user: User) -> str:
    return f"totp_{user.id.removeprefix('user_')}"


def _totp_json(user: User) -> Json:
    return {
        "object": "totp",
        "id": _totp_id(user),
        "secret": None,
        "uri": None,
        "verified": user.totp_verified,
        "backup_codes": None,
        "created_at": user.updated_at,
        "updated_at": user.updated_at,
    }
