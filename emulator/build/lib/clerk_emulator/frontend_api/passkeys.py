"""``/me/passkeys``."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import missing, not_found, unsupported_strategy
from ..passkeys import (
    STRATEGY,
    begin_passkey,
    check_passkeys_enabled,
    finish_passkey,
    remove_passkey,
    rename_passkey,
)
from ..resources import Passkey
from ..serializers import Json
from ..serializers.passkeys import passkey_json
from ..sign_in_factors import user_passkeys
from ..users import check_name
from .browser import answer, current_user
from .reverification import require_reverification

blueprint = Blueprint("passkeys", __name__, url_prefix="/passkeys")


@blueprint.get("")
def list_mine() -> Json:
    """All of the user's."""
    clerk = current_clerk()
    return answer([passkey_json(clerk, one) for one in user_passkeys(clerk, current_user().id)])


@blueprint.post("")
def create() -> Json:
    """Begin to add one: the nonce says what the browser's authenticator is asked."""
    clerk, user = current_clerk(), current_user()
    check_passkeys_enabled(clerk)
    require_reverification()
    return answer(passkey_json(clerk, begin_passkey(clerk, user)))


@blueprint.get("/<id>")
def get(id: str) -> Json:
    """One."""
    return answer(passkey_json(current_clerk(), _mine(id)))


@blueprint.post("/<id>/attempt_verification")
def attempt(id: str) -> Json:
    """Hand in what the authenticator made."""
    clerk, passkey = current_clerk(), _mine(id)
    check_passkeys_enabled(clerk)
    if request.form.get("strategy", STRATEGY) != STRATEGY:
        raise unsupported_strategy()
    credential = request.form.get("public_key_credential", "")
    if not credential:
        raise missing("public_key_credential")
    finish_passkey(clerk, current_user(), passkey, credential)
    return answer(passkey_json(clerk, passkey))


@blueprint.patch("/<id>")
def patch(id: str) -> Json:
    """Call it something else."""
    clerk, passkey = current_clerk(), _mine(id)
    name = request.form.get("name", "").strip()
    if not name:
        raise missing("name")
    check_name("name", name)
    rename_passkey(clerk, current_user(), passkey, name)
    return answer(passkey_json(clerk, passkey))


@blueprint.delete("/<id>")
def delete(id: str) -> Json:
    """Remove it. Clerk.js also gives up one that a browser did not make."""
    clerk, passkey = current_clerk(), _mine(id)
    require_reverification()
    remove_passkey(clerk, current_user(), passkey)
    return answer({"object": "passkey", "id": passkey.id, "deleted": True})


def _mine(id: str) -> Passkey:
    passkey = current_clerk().store.get(Passkey, id)
    if passkey is None or passkey.user_id != current_user().id:
        raise not_found("Passkey")
    return passkey
