"""``/me/external_accounts``: connecting accounts at social providers to one's own."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..errors import not_found
from ..external_accounts import disconnect
from ..oauth import begin_connection, reauthorize
from ..resources import ExternalAccount
from ..serializers import Json, external_account_json
from ..users import save_user
from .browser import answer, current_client, current_user
from .reverification import require_reverification

blueprint = Blueprint("external_accounts", __name__, url_prefix="/external_accounts")


@blueprint.get("", strict_slashes=False)
def list_external_accounts() -> Json:
    """All accounts elsewhere of the user."""
    accounts = current_clerk().store.find(ExternalAccount, user_id=current_user().id)
    return answer([_json(account) for account in accounts])


@blueprint.post("", strict_slashes=False)
def create_external_account() -> Json:
    """Start connecting one: the answer says to which page to go."""
    require_reverification()
    require_reverification()
    account = begin_connection(
        current_clerk(),
        current_client(),
        current_user(),
        request.form.get("strategy", ""),
        request.form.get("redirect_url", ""),
    )
    return answer(_json(account))


@blueprint.post("/<id>/reauthorize")
@blueprint.patch("/<id>/reauthorize")
def reauthorize_external_account(id: str) -> Json:
    """Ask the provider again."""
    account = _account(id)
    redirect_url = request.form.get("redirect_url", "")
    reauthorize(current_clerk(), current_client(), account, redirect_url)
    return answer(_json(account))


@blueprint.delete("/<id>")
def delete_external_account(id: str) -> Json:
    """Disconnect one."""
    require_reverification()
    clerk = current_clerk()
    user = current_user()
    account = _account(id)
    require_reverification()
    disconnect(clerk, user, account)
    save_user(clerk, user)
    return answer({"object": "external_account", "id": account.id, "deleted": True})


def _account(id: str) -> ExternalAccount:
    account = current_clerk().store.get(ExternalAccount, id)
    if account is None or account.user_id != current_user().id:
        raise not_found("External account")
    return account


def _json(account: ExternalAccount) -> Json:
    return external_account_json(current_clerk(), account, base_url())
