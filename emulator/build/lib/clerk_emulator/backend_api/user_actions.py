"""``/users/{id}/…``: what the app's server does to one account."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, missing, not_found
from ..external_accounts import PREFIX, disconnect
from ..lockouts import switch_state
from ..multi_factor import settle_multi_factor
from ..passkeys import remove_passkey
from ..password_digests import is_password
from ..pictures import MAX_BYTES, forget_picture, store_picture
from ..resources import ExternalAccount, Passkey, PhoneNumber, User
from ..second_factors import check_second_factor
from ..serializers import Json, backend_user_json
from ..sessions import end_user_sessions
from ..users import save_user
from .parameters import json_body, listed, query_flag, required_text, text_list
from .users import known_user

blueprint = Blueprint("user_actions", __name__, url_prefix="/users")


@blueprint.post("/<any(ban, unban):action>")
def change_many(action: str) -> list[Json]:
    """Ban or unban several accounts, or none of them if one is not known."""
    ids = text_list(json_body(), "user_ids")
    if not ids:
        raise missing("user_ids")
    users = [known_user(id) for id in ids]
    return [_change_state(user, action) for user in users]


@blueprint.post("/<id>/<any(ban, unban, lock, unlock):action>")
def change_one(id: str, action: str) -> Json:
    """Keep somebody from signing in, or let them again. A ban ends all sessions."""
    return _change_state(known_user(id), action)


def _change_state(user: User, action: str) -> Json:
    clerk = current_clerk()
    switch_state(clerk, user, action)
    save_user(clerk, user)
    if action == "ban":
        end_user_sessions(clerk, user, "revoked")
    return _answer(user)


@blueprint.post("/<id>/verify_password")
def verify_password(id: str) -> Json:
    """Whether this is the account's password.

    :raises ClerkError: 400 ``no_password_set``, 422 ``incorrect_password``.
    """
    user = known_user(id)
    password = required_text(json_body(), "password")
    if user.password_hash is None:
        message = "This user does not have a password set for their account"
        raise ClerkError("no_password_set", message, 400)
    if not is_password(user.password_hash, password):
        message = "The provided password is not the one the user has set"
        raise ClerkError("incorrect_password", message, 422)
    return {"verified": True}


@blueprint.post("/<id>/verify_totp")
def verify_totp(id: str) -> Json:
    """Use up the authenticator's code of now, or a backup code.

    :raises ClerkError: 400 ``totp_disabled``, 422 ``totp_incorrect_code``.
    """
    clerk = current_clerk()
    user = known_user(id)
    code = required_text(json_body(), "code").strip()
    if not user.totp_verified:
        raise ClerkError("totp_disabled", "TOTP is not enabled for this user.", 400)
    strategy = "backup_code" if code in user.backup_codes else "totp"
    try:
        check_second_factor(clerk, user, strategy, code)
    except ClerkError:
        message = "The provided TOTP code is incorrect"
        raise ClerkError("totp_incorrect_code", message, 422) from None
    return {"verified": True, "code_type": strategy}


@blueprint.post("/<id>/password/<any(set_compromised, unset_compromised):action>")
def change_password_state(id: str, action: str) -> Json:
    """Let the next sign-in choose another password, or no longer."""
    user = known_user(id)
    user.password_compromised = action == "set_compromised"
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.post("/<id>/remove_password")
def remove_password(id: str) -> Json:
    """Take the password away; the account needs another way to sign in."""
    user = known_user(id)
    user.password_hash = None
    user.password_compromised = False
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.post("/<id>/profile_image")
def post_profile_image(id: str) -> Json:
    """Upload a picture, as the multipart field ``file``."""
    clerk = current_clerk()
    user = known_user(id)
    request.max_content_length = MAX_BYTES + 100_000
    file = request.files.get("file")
    picture = store_picture(clerk, file.read(MAX_BYTES + 1) if file else b"")
    forget_picture(clerk, user.picture_id)
    user.picture_id = picture.id
    save_user(clerk, user)
    return _answer(user)


@blueprint.delete("/<id>/profile_image")
def delete_profile_image(id: str) -> Json:
    """Go back to the drawn picture."""
    clerk = current_clerk()
    user = known_user(id)
    forget_picture(clerk, user.picture_id)
    user.picture_id = None
    save_user(clerk, user)
    return _answer(user)


@blueprint.delete("/<id>/mfa")
def disable_mfa(id: str) -> Json:
    """Take all second factors away."""
    clerk = current_clerk()
    user = known_user(id)
    user.totp_secret, user.totp_verified, user.backup_codes = None, False, []
    for phone in clerk.store.find(PhoneNumber, user_id=user.id):
        phone.reserved_for_second_factor = phone.default_second_factor = False
        clerk.store.put(phone)
    _settle(user)
    return {"user_id": user.id}


@blueprint.delete("/<id>/totp")
def delete_totp(id: str) -> Json:
    """Take the authenticator app away."""
    user = known_user(id)
    user.totp_secret, user.totp_verified = None, False
    _settle(user)
    return {"user_id": user.id}


@blueprint.delete("/<id>/backup_code")
def delete_backup_codes(id: str) -> Json:
    """Take the backup codes away."""
    user = known_user(id)
    user.backup_codes = []
    _settle(user)
    return {"user_id": user.id}


def _settle(user: User) -> None:
    settle_multi_factor(current_clerk(), user)
    save_user(current_clerk(), user)


@blueprint.delete("/<id>/external_accounts/<account_id>")
def delete_external_account(id: str, account_id: str) -> Json:
    """Disconnect an account at a social provider."""
    clerk = current_clerk()
    user = known_user(id)
    account = clerk.store.get(ExternalAccount, account_id)
    if account is None or account.user_id != user.id:
        raise not_found("External account")
    disconnect(clerk, user, account)
    save_user(clerk, user)
    return {"object": "external_account", "id": account.id, "deleted": True}


@blueprint.delete("/<id>/passkeys/<passkey_id>")
def delete_passkey(id: str, passkey_id: str) -> Json:
    """Take a passkey away."""
    clerk, user = current_clerk(), known_user(id)
    passkey = clerk.store.get(Passkey, passkey_id)
    if passkey is None or passkey.user_id != user.id:
        raise not_found("Passkey")
    remove_passkey(clerk, user, passkey)
    return {"object": "passkey", "id": passkey.id, "deleted": True}


@blueprint.delete("/<id>/web3_wallets/<wallet_id>")
def delete_wallet(id: str, wallet_id: str) -> Json:
    """Nobody has a wallet here.

    :raises ClerkError: 404, always.
    """
    known_user(id)
    raise not_found(f"Web3 wallet {wallet_id}")


@blueprint.get("/<id>/trusted_devices")
def list_trusted_devices(id: str) -> Json:
    """Nobody has a trusted device here: those are for native applications."""
    known_user(id)
    return {"data": [], "total_count": 0}


@blueprint.delete("/<id>/trusted_devices/<device_id>")
def delete_trusted_device(id: str, device_id: str) -> Json:
    """Take trust from a device.

    :raises ClerkError: 404, always.
    """
    known_user(id)
    raise not_found(f"Trusted device {device_id}")


@blueprint.get("/<id>/oauth_access_tokens/<provider>")
def list_oauth_access_tokens(id: str, provider: str) -> Json | list[Json]:
    """Tokens of the user's accounts at a provider. They open nothing: nobody is behind them."""
    clerk = current_clerk()
    user = known_user(id)
    provider = provider.removeprefix(PREFIX)
    if not provider.strip():
        raise invalid("provider", "a social provider")
    accounts = clerk.store.find(ExternalAccount, user_id=user.id, provider=provider, verified=True)
    answer = listed(accounts, _provider_token)
    tokens: list[Json] = answer["data"]
    return answer if query_flag("paginated") else tokens


def _provider_token(account: ExternalAccount) -> Json:
    return {
        "object": "oauth_access_token",
        "external_account_id": account.id,
        "provider_user_id": account.provider_user_id,
        "token": f"local-{account.provider}-{account.provider_user_id}",
        "expires_at": None,
        "provider": PREFIX + account.provider,
        "public_metadata": {},
        "label": None,
        "scopes": account.approved_scopes.split(),
    }


def _answer(user: User) -> Json:
    return backend_user_json(current_clerk(), user)
