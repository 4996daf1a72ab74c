"""``/me``: the signed-in user's own account, as Clerk's profile component shows and changes it."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..errors import ClerkError, missing, not_found
from ..identifications import check_changeable
from ..metadata import merge
from ..pictures import forget_picture
from ..resources import EmailAddress, PhoneNumber, Session, User
from ..serializers import Json, device_session_json, user_json
from ..sessions import close_account, end_session, user_sessions
from ..usernames import check_username_free, normalize_username
from ..users import check_name, save_user
from . import (
    external_accounts,
    identifications,
    my_organizations,
    oauth_consent,
    passkeys,
    passwords,
    second_factors,
)
from .browser import answer, current_user
from .forms import metadata_field
from .reverification import require_reverification
from .uploads import image_json, uploaded_picture

blueprint = Blueprint("me", __name__, url_prefix="/me")
for part in (
    identifications,
    external_accounts,
    passkeys,
    passwords,
    second_factors,
    my_organizations,
    oauth_consent,
):
    blueprint.register_blueprint(part.blueprint)

SENSITIVE = ("username", "primary_email_address_id", "primary_phone_number_id")


@blueprint.get("")
def get_me() -> Json:
    """The signed-in user."""
    return _answer(current_user())


@blueprint.patch("")
def patch_me() -> Json:
    """Change names, or what the user is first known by."""
    clerk = current_clerk()
    user = current_user()
    form = request.form
    if any(name in form for name in SENSITIVE):
        require_reverification()
    for name in ("first_name", "last_name"):
        if name in form:
            setattr(user, name, _name(name, form[name]))
    if "username" in form:
        user.username = _username(user, form["username"])
    if "primary_email_address_id" in form:
        id = form["primary_email_address_id"]
        user.primary_email_address_id = _verified_id(EmailAddress, user, id)
    if "primary_phone_number_id" in form:
        id = form["primary_phone_number_id"]
        user.primary_phone_number_id = _verified_id(PhoneNumber, user, id)
    if "unsafe_metadata" in form:
        user.unsafe_metadata = metadata_field("unsafe_metadata") or {}
    save_user(clerk, user)
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
    clerk = current_clerk()
    user = current_user()
    if not (clerk.settings.actions.delete_self and user.delete_self_enabled):
        raise ClerkError("user_delete_self_not_enabled", "You cannot delete your account.", 403)
    require_reverification()
    return answer(close_account(clerk, user))


@blueprint.post("/profile_image")
def set_profile_image() -> Json:
    """Upload a picture."""
    user = current_user()
    picture = uploaded_picture()
    _set_picture(user, picture.id)
    return answer(image_json(picture))


@blueprint.delete("/profile_image")
def delete_profile_image() -> Json:
    """Go back to the picture that is drawn for everybody."""
    user = current_user()
    id = user.picture_id
    _set_picture(user, None)
    return answer({"object": "image", "id": id, "deleted": True})


@blueprint.get("/sessions")
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


@blueprint.get("/enterprise_connections")
@blueprint.get("/biometric_credentials")
def list_nothing() -> Json:
    """What a local instance has none of."""
    current_user()
    return answer([])


def _name(param: str, value: str) -> str | None:
    attribute = getattr(current_clerk().settings.attributes, param)
    check_changeable(attribute, param)
    name = check_name(value, param)
    if name is None and attribute.required:
        raise missing(param)
    return name


def _username(user: User, value: str) -> str | None:
    clerk = current_clerk()
    attribute = clerk.settings.attributes.username
    check_changeable(attribute, "username")
    if not value.strip() and not attribute.required:
        _check_otherwise_known(user)
        return None
    username = normalize_username(clerk, value)
    check_username_free(clerk, username, owner_id=user.id)
    return username


def _check_otherwise_known(user: User) -> None:
    store = current_clerk().store
    if not any(store.count(k, user_id=user.id, verified=True) for k in (EmailAddress, PhoneNumber)):
        message = "You cannot delete your last identification."
        raise ClerkError("last_identification_deletion_failed", message, 403)


def _verified_id(kind: type[EmailAddress] | type[PhoneNumber], user: User, id: str) -> str:
    found = current_clerk().store.get(kind, id)
    if found is None or found.user_id != user.id or not found.verified:
        raise not_found("Verified email address or phone number")
    return found.id


def _set_picture(user: User, id: str | None) -> None:
    clerk = current_clerk()
    forget_picture(clerk, user.picture_id)
    user.picture_id = id
    save_user(clerk, user)


def _answer(user: User) -> Json:
    return answer(user_json(current_clerk(), user, base_url()))
