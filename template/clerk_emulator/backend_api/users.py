"""``/users``: the app's server reads and manages accounts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, missing, not_found
from ..metadata import merge
from ..resources import EmailAddress, User
from ..serializers import Json, backend_user_json
from ..sessions import close_account
from ..users import NewUser, check_name, create_user, hash_password, normalize_email, save_user
from .parameters import json_body, metadata, optional_text, page

blueprint = Blueprint("users", __name__, url_prefix="/users")

METADATA = ("public_metadata", "private_metadata", "unsafe_metadata")
NAMES = ("first_name", "last_name")
ORDERS = ("created_at", "+created_at", "-created_at")


@blueprint.get("")
def list_users() -> list[Json]:
    """Accounts, newest first; ``email_address`` (repeatable) narrows them down."""
    clerk = current_clerk()
    order = request.args.get("order_by", "-created_at")
    if order not in ORDERS:
        raise invalid("order_by", f"one of {', '.join(ORDERS)}")
    limit, offset = page()
    if "email_address" in request.args:
        users = _users_with_emails()[offset : offset + limit]
    else:
        newest_first = order.startswith("-")
        users = clerk.store.find(User, newest_first=newest_first, limit=limit, offset=offset)
    return [backend_user_json(clerk, user) for user in users]


@blueprint.get("/count")
def count_users() -> Json:
    """How many accounts :func:`list_users` would list without paging."""
    by_email = "email_address" in request.args
    number = len(_users_with_emails()) if by_email else current_clerk().store.count(User)
    return {"object": "total_count", "total_count": number}


@blueprint.post("")
def post_user() -> Json:
    """Make an account. Its address counts as verified."""
    body = json_body()
    addresses = body.get("email_address")
    if not isinstance(addresses, list) or len(addresses) != 1:
        raise missing("email_address") if not addresses else invalid("email_address", "one address")
    password = optional_text(body, "password")
    new = NewUser(
        normalize_email(str(addresses[0])),
        password_hash=hash_password(password) if password is not None else None,
        first_name=_name(body, "first_name"),
        last_name=_name(body, "last_name"),
        external_id=optional_text(body, "external_id"),
        public_metadata=metadata(body, "public_metadata"),
        private_metadata=metadata(body, "private_metadata"),
        unsafe_metadata=metadata(body, "unsafe_metadata"),
    )
    return _answer(create_user(current_clerk(), new))


@blueprint.get("/<id>")
def get_user(id: str) -> Json:
    """One account."""
    return _answer(_user(id))


@blueprint.patch("/<id>")
def patch_user(id: str) -> Json:
    """Change an account. Metadata given here replaces what there was."""
    user = _user(id)
    body = json_body()
    for name in NAMES:
        if name in body:
            setattr(user, name, _name(body, name))
    for name in METADATA:
        if name in body:
            setattr(user, name, metadata(body, name))
    if "external_id" in body:
        user.external_id = optional_text(body, "external_id")
    if "password" in body:
        user.password_hash = hash_password(optional_text(body, "password") or "")
    if "primary_email_address_id" in body:
        user.primary_email_address_id = _email_id(user, body)
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.patch("/<id>/metadata")
def patch_metadata(id: str) -> Json:
    """Merge metadata into what there is; null removes a key."""
    user = _user(id)
    body = json_body()
    for name in METADATA:
        setattr(user, name, merge(getattr(user, name), metadata(body, name)))
    save_user(current_clerk(), user)
    return _answer(user)


@blueprint.delete("/<id>")
def delete_user(id: str) -> Json:
    """Delete an account and end its sessions."""
    return close_account(current_clerk(), _user(id))


def _user(id: str) -> User:
    user = current_clerk().store.get(User, id)
    if user is None:
        raise not_found("User")
    return user


def _name(body: dict[str, Any], name: str) -> str | None:
    return check_name(optional_text(body, name) or "", name)


def _users_with_emails() -> list[User]:
    store = current_clerk().store
    wanted = request.args.getlist("email_address")
    addresses = dict.fromkeys(address.strip().lower() for address in wanted)
    emails = [store.first(EmailAddress, email_address=address) for address in addresses]
    users = {email.user_id: store.get(User, email.user_id) for email in emails if email}
    return [user for user in users.values() if user is not None]


def _email_id(user: User, body: dict[str, Any]) -> str:
    email = current_clerk().store.get(EmailAddress, optional_text(body, "primary_email_address_id"))
    if email is None or email.user_id != user.id or not email.verified:
        raise not_found("Verified email address")
    return email.id


def _answer(user: User) -> Json:
    return backend_user_json(current_clerk(), user)
