"""``/me/change_password`` and ``/me/remove_password``."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..errors import ClerkError, missing
from ..password_digests import is_password
from ..resources import Session, User
from ..serializers import Json, user_json
from ..sessions import end_user_sessions
from ..users import check_password, hash_password, save_user
from .browser import answer, current_session, current_user
from .reverification import require_reverification

blueprint = Blueprint("passwords", __name__)


@blueprint.post("/change_password")
def change_password() -> Json:
    """Set another password.

    Where sessions are verified again, that takes the place of the current password; one that is
    given all the same has to be right. A compromised one proves nothing, and is not asked for.
    """
    clerk = current_clerk()
    session, user = current_session(), current_user()
    _check_enabled()
    require_reverification()
    _check_current(user)
    new = request.form.get("new_password", "")
    _refuse_same(user, new)
    user.password_hash = hash_password(new, clerk.settings.password, "new_password")
    user.password_compromised = False
    save_user(clerk, user)
    _end_others(user, session)
    return answer(user_json(clerk, user, base_url()))


@blueprint.post("/remove_password")
def remove_password() -> Json:
    """Do without a password."""
    clerk = current_clerk()
    user = current_user()
    require_reverification()
    _check_current(user)
    if clerk.settings.attributes.password.required:
        message = "This instance requires a password, so it can't be removed."
        raise ClerkError("password_required", message, 400)
    user.password_hash = None
    save_user(clerk, user)
    return answer(user_json(clerk, user, base_url()))


def _check_enabled() -> None:
    if not current_clerk().settings.attributes.password.enabled:
        message = "new_password is not a valid parameter for this request."
        raise ClerkError("form_param_unknown", message, param="new_password")


def _check_current(user: User) -> None:
    if user.password_hash is None:
        return
    current = request.form.get("current_password")
    if current is not None:
        check_password(user, current, "current_password")
    elif not (user.password_compromised or current_clerk().settings.sessions.reverification):
        raise missing("current_password")


def _refuse_same(user: User, new: str) -> None:
    if user.password_hash is not None and is_password(user.password_hash, new):
        message = "New password cannot be the same as the current password."
        raise ClerkError("form_new_password_matches_current", message, param="new_password")


def _end_others(user: User, session: Session) -> None:
    if request.form.get("sign_out_of_other_sessions") == "true":
        end_user_sessions(current_clerk(), user, "revoked", keep=session)
