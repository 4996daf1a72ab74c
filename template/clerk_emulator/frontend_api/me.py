"""``/me``: the signed-in user's own account, as Clerk's profile component shows and changes it."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..errors import not_found
from ..metadata import merge
from ..resources import EmailAddress, Session, User
from ..serializers import Json, device_session_json, user_json
from ..sessions import close_account, end_session, end_user_sessions, user_sessions
from ..users import check_name, check_password, hash_password, save_user
from .browser import answer, current_session, current_user
from .email_addresses import blueprint as email_addresses
from .external_accounts import blueprint as external_accounts
from .forms import metadata_field

blueprint = Blueprint("me", __name__, url_prefix="/me")
blueprint.register_blueprint(email_addresses)
blueprint.register_blueprint(external_accounts)


@blueprint.get("")
def get_me() -> Json:
    """The signed-in user."""
    return _answer(current_user())


@blueprint.patch("")
def patch_me() -> Json:
    """Change the name or the primary e-mail address."""
    user = current_user()
    form = request.form
    if "first_name" in form:
        user.first_name = check_name(form["first_name"], "first_name")
    if "last_name" in form:
        user.last_name = check_name(form["last_name"], "last_name")
    if "primary_email_address_id" in form:
        user.primary_email_address_id = _verified_email_id(user, form["primary_email_address_id"])
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.patch("/metadata")
def patch_metadata() -> Json:
    """Merge into the metadata that the browser may write; null removes a key."""
    user = current_user()
    user.unsafe_metadata = merge(user.unsafe_metadata, metadata_field("unsafe_metadata") or {})
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.delete("")
def delete_me() -> Json:
    """Delete the account."""
    return answer(close_account(current_clerk(), current_user()))


@blueprint.post("/change_password")
def change_password() -> Json:
    """Set another password; the current one must be given, if there is one."""
    clerk = current_clerk()
    user = current_user()
    if user.password_hash is not None:
        check_password(user, request.form.get("current_password", ""), "current_password")
    user.password_hash = hash_password(request.form.get("new_password", ""), "new_password")
    save_user(clerk, user)
    if request.form.get("sign_out_of_other_sessions") == "true":
        end_user_sessions(clerk, user, "revoked", keep=current_session())
    return _answer(user)


@blueprint.get("/sessions/active")
def list_active_sessions() -> list[Json]:
    """The user's sessions in all browsers, as a bare list."""
    sessions = user_sessions(current_clerk(), current_user())
    return [device_session_json(session) for session in sessions]


@blueprint.post("/sessions/<id>/revoke")
def revoke_session(id: str) -> Json:
    """Sign another browser out."""
    clerk = current_clerk()
    session = clerk.store.get(Session, id)
    if session is None or session.user_id != current_user().id:
        raise not_found("Session")
    end_session(clerk, session, "revoked")
    return answer(device_session_json(session))


@blueprint.get("/organization_<any(memberships, invitations, suggestions):kind>")
def list_organizations(kind: str) -> Json:
    """Organizations are off in this instance, so that nobody has any ``kind`` of tie to one."""
    current_user()
    return answer({"data": [], "total_count": 0})


def _verified_email_id(user: User, id: str) -> str:
    email = current_clerk().store.get(EmailAddress, id)
    if email is None or email.user_id != user.id or not email.verified:
        raise not_found("Verified email address")
    return email.id


def _answer(user: User) -> Json:
    return answer(user_json(current_clerk(), user, base_url()))
