"""``/client/sessions/{id}/verify``: proving once more who one is, and what asks for it."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import authorized_party, base_url, current_clerk
from ..errors import ClerkError, signed_out
from ..passkeys import STRATEGY as PASSKEY
from ..resources import Session, User
from ..reverification import (
    FIRST,
    SECOND,
    attempt_first_factor,
    attempt_passkey,
    attempt_second_factor,
    is_fresh,
    prepare_factor,
    start_reverification,
)
from ..serializers import Json, session_json
from ..serializers.reverifications import reverification_json
from .browser import answer, client_session, current_client, current_session, current_user

blueprint = Blueprint("reverification", __name__, url_prefix="/client/sessions/<id>/verify")


def require_reverification() -> None:
    """Refuse something that matters until the person has proved who they are just now.

    :raises ClerkError: 403 ``session_reverification_required``; Clerk.js opens a dialog, and
        then calls again.
    """
    clerk = current_clerk()
    if not clerk.settings.sessions.reverification:
        return
    if not is_fresh(clerk, current_session(), current_user()):
        message = "You need to provide additional verification to perform this operation."
        raise ClerkError("session_reverification_required", message, 403)


@blueprint.post("")
def start(id: str) -> Json:
    """Begin a verification."""
    session, user = _session_and_user(id)
    level = request.form.get("level") or "second_factor"
    start_reverification(current_clerk(), session, user, level)
    return _answer(session, user)


@blueprint.post("/prepare_first_factor")
def prepare_first(id: str) -> Json:
    """Send a code to an address or number."""
    session, user = _session_and_user(id)
    target = request.form.get("email_address_id") or request.form.get("phone_number_id") or ""
    prepare_factor(current_clerk(), session, user, FIRST, _strategy(), target)
    return _answer(session, user)


@blueprint.post("/attempt_first_factor")
def attempt_first(id: str) -> Json:
    """Give the password, or the code."""
    session, user = _session_and_user(id)
    form = request.form
    if _strategy() == PASSKEY:
        credential = form.get("public_key_credential", "")
        attempt_passkey(current_clerk(), session, user, credential)
        return _answer(session, user)
    attempt_first_factor(
        current_clerk(),
        session,
        user,
        _strategy(),
        form.get("password", ""),
        form.get("code", ""),
    )
    return _answer(session, user)


@blueprint.post("/prepare_second_factor")
def prepare_second(id: str) -> Json:
    """Send a code to a number that is a second factor."""
    session, user = _session_and_user(id)
    target = request.form.get("phone_number_id", "")
    prepare_factor(current_clerk(), session, user, SECOND, _strategy(), target)
    return _answer(session, user)


@blueprint.post("/attempt_second_factor")
def attempt_second(id: str) -> Json:
    """Give the second factor."""
    session, user = _session_and_user(id)
    code = request.form.get("code", "")
    attempt_second_factor(current_clerk(), session, user, _strategy(), code)
    return _answer(session, user)


def _strategy() -> str:
    return request.form.get("strategy", "")


def _session_and_user(id: str) -> tuple[Session, User]:
    session = client_session(current_client(), id)
    user = current_clerk().store.get(User, session.user_id)
    if user is None:
        raise signed_out()
    return session, user


def _answer(session: Session, user: User) -> Json:
    clerk = current_clerk()
    shown = session_json(clerk, session, user, base_url(), authorized_party())
    return answer(reverification_json(clerk, session, user, shown))
