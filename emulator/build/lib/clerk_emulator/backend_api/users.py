"""``/users``: the app's server reads and manages accounts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..metadata import merge
from ..password_digests import imported_hash
from ..phone_numbers import normalize_phone_number
from ..provisioning import (
    NewAccount,
    check_external_id_free,
    provision_user,
)
from ..resources import EmailAddress, PhoneNumber, User
from ..serializers import Json, backend_user_json
from ..sessions import close_account, end_user_sessions
from ..user_search import ORDERS, UserSearch, find_users, load_users
from ..usernames import check_username_free, normalize_username
from ..users import check_name, hash_any_password, hash_password, normalize_email, save_user
from .parameters import (
    flag,
    json_body,
    known,
    metadata,
    one_page,
    optional_text,
    page,
    query_flag,
    query_time,
    text_list,
    time_of,
    whole_number,
)

blueprint = Blueprint("users", __name__, url_prefix="/users")

METADATA = ("public_metadata", "private_metadata", "unsafe_metadata")
NAMES = ("first_name", "last_name")
SWITCHES = ("delete_self_enabled", "create_organization_enabled")
STATES = ("banned", "locked")
LISTS = (
    "email_address",
    "phone_number",
    "username",
    "user_id",
    "external_id",
    "organization_id",
    "provider",
    "provider_user_id",
)
PARTS = ("query", "email_address_query", "phone_number_query", "username_query", "name_query")
TIMES = ("created_at", "last_active_at", "last_sign_in_at")


@blueprint.get("")
def list_users() -> list[Json]:
    """Accounts, newest first unless ``order_by`` says otherwise, narrowed down by the query."""
    clerk = current_clerk()
    order = request.args.get("order_by", "-created_at").strip()
    if order.lstrip("+-") not in ORDERS:
        raise invalid("order_by", f"one of {', '.join(ORDERS)}, with + or - in front")
    limit, offset = page()
    search = _search()
    if search.is_empty() and order.lstrip("+-") == "created_at":
        newest_first = order.startswith("-")
        users = clerk.store.find(User, newest_first=newest_first, limit=limit, offset=offset)
    else:
        users = load_users(clerk, one_page(find_users(clerk, search, order)))
    return [backend_user_json(clerk, user) for user in users]


@blueprint.get("/count")
def count_users() -> Json:
    """How many accounts :func:`list_users` would list without paging."""
    clerk, search = current_clerk(), _search()
    number = clerk.store.count(User) if search.is_empty() else len(find_users(clerk, search))
    return {"object": "total_count", "total_count": number}


def _search() -> UserSearch:
    after = {name: query_time(f"{name}_after") for name in TIMES}
    before = {name: query_time(f"{name}_before") for name in TIMES}
    since = query_time("last_active_at_since")
    if since is not None:
        after["last_active_at"] = since
    return UserSearch(
        values={name: request.args.getlist(name) for name in LISTS if name in request.args},
        parts={name: request.args[name] for name in PARTS if request.args.get(name)},
        after={name: time for name, time in after.items() if time is not None},
        before={name: time for name, time in before.items() if time is not None},
        banned=query_flag("banned"),
    )


@blueprint.post("")
def post_user() -> Json:
    """Make an account. Its addresses and numbers count as verified unless it is said otherwise."""
    body = json_body()
    new = NewAccount(
        email_addresses=[normalize_email(text) for text in text_list(body, "email_address")],
        phone_numbers=[normalize_phone_number(text) for text in text_list(body, "phone_number")],
        profile=_profile(body)
        | {name: metadata(body, name) for name in METADATA}
        | {name: flag(body, name) for name in STATES},
        created_at=time_of(body, "created_at"),
        emails_verified=_counts_as_verified(body, "email_address"),
        phones_verified=_counts_as_verified(body, "phone_number"),
        skip_user_requirement=flag(body, "skip_user_requirement"),
    )
    return _answer(provision_user(current_clerk(), new))


def _counts_as_verified(body: dict[str, Any], name: str) -> bool:
    param = f"{name}_identification_status"
    status = optional_text(body, param) or "verified"
    if status not in ("verified", "unverified", "reserved"):
        raise invalid(param, "verified, unverified or reserved")
    return status == "verified"


@blueprint.get("/<id>")
def get_user(id: str) -> Json:
    """One account."""
    return _answer(known_user(id))


@blueprint.patch("/<id>")
def patch_user(id: str) -> Json:
    """Change an account. Metadata given here replaces what there was."""
    clerk = current_clerk()
    user = known_user(id)
    body = json_body()
    changes = _profile(body)
    changes |= {name: metadata(body, name) for name in METADATA if name in body}
    check_external_id_free(clerk, changes.get("external_id"), user.id)
    if changes.get("username"):
        check_username_free(clerk, changes["username"], user.id)
    for name, value in changes.items():
        setattr(user, name, value)
    if body.get("primary_email_address_id"):
        user.primary_email_address_id = _own(user, EmailAddress, "primary_email_address_id", body)
    if body.get("primary_phone_number_id"):
        user.primary_phone_number_id = _own(user, PhoneNumber, "primary_phone_number_id", body)
    user.created_at = time_of(body, "created_at") or user.created_at
    save_user(clerk, user)
    if changes.get("password_hash") and flag(body, "sign_out_of_other_sessions"):
        end_user_sessions(clerk, user, "revoked")
    return _answer(user)


def _profile(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a user that the request names, ready to be set."""
    changes: dict[str, Any] = {
        name: check_name(optional_text(body, name) or "", name) for name in NAMES if name in body
    }
    for name in ("external_id", "locale"):
        if name in body:
            changes[name] = optional_text(body, name)
    if "username" in body:
        username = optional_text(body, "username")
        changes["username"] = normalize_username(current_clerk(), username) if username else None
    for name in SWITCHES:
        if body.get(name) is not None:
            changes[name] = flag(body, name)
    if "create_organizations_limit" in body:
        changes["create_organizations_limit"] = whole_number(body, "create_organizations_limit")
    if body.get("legal_accepted_at") is not None:
        changes["legal_accepted_at"] = time_of(body, "legal_accepted_at")
    return changes | _secrets(body)


def _secrets(body: dict[str, Any]) -> dict[str, Any]:
    """Password and second factors that the request brings along."""
    changes: dict[str, Any] = {}
    password, digest = optional_text(body, "password"), optional_text(body, "password_digest")
    if password is not None and digest is not None:
        raise invalid("password_digest", "given without a password")
    if password is not None:
        skip = flag(body, "skip_password_checks")
        rules = current_clerk().settings.password
        changes["password_hash"] = (
            hash_any_password(password) if skip else hash_password(password, rules)
        )
        changes["password_compromised"] = False
    elif digest is not None:
        hasher = optional_text(body, "password_hasher") or ""
        changes["password_hash"] = imported_hash(digest, hasher)
        changes["password_compromised"] = False
    if secret := optional_text(body, "totp_secret"):
        changes |= {"totp_secret": secret, "totp_verified": True}
    if codes := text_list(body, "backup_codes"):
        changes["backup_codes"] = codes
    return changes


@blueprint.patch("/<id>/metadata")
def patch_metadata(id: str) -> Json:
    """Merge metadata into what there is; null removes a key."""
    user = known_user(id)
    body = json_body()
    for name in METADATA:
        setattr(user, name, merge(getattr(user, name), metadata(body, name)))
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.put("/<id>/metadata")
def put_metadata(id: str) -> Json:
    """Replace the metadata that the request names."""
    user = known_user(id)
    body = json_body()
    for name in METADATA:
        if name in body:
            setattr(user, name, metadata(body, name))
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.delete("/<id>")
def delete_user(id: str) -> Json:
    """Delete an account and end its sessions."""
    return close_account(current_clerk(), known_user(id))


def known_user(id: str | None) -> User:
    """The account with that id.

    :raises ClerkError: 404.
    """
    return known(User, id, "User")


def _own(
    user: User, kind: type[EmailAddress] | type[PhoneNumber], name: str, body: dict[str, Any]
) -> str:
    found: EmailAddress | PhoneNumber | None
    found = current_clerk().store.get(kind, optional_text(body, name))
    if found is None or found.user_id != user.id or not found.verified:
        raise not_found("Verified email address or phone number")
    return found.id


def _answer(user: User) -> Json:
    return backend_user_json(current_clerk(), user)
