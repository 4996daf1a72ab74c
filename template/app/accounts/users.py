"""Keep our record of people true to Clerk's."""

from __future__ import annotations

import logging
from typing import Any

from flask import current_app
from sqlalchemy.exc import IntegrityError

from app.clerk import BackendApi, BackendApiError, Session, clerk_of
from app.database import db

from .models import User

log = logging.getLogger(__name__)


def user_of(session: Session) -> User | None:
    """The local user of a session; on the first request of a new person the row is made.

    :param session: a verified session.
    :returns: None when Clerk says that the account is gone.
    """
    user = db.session.get(User, session.user_id)
    if user is None and add_user(session.user_id):
        user = db.session.get(User, session.user_id)
    return user


def add_user(user_id: str) -> bool:
    """Make a row for somebody we have not seen yet.

    While Clerk cannot be reached, the row holds the id alone; the next webhook completes it.

    :returns: False when Clerk says that there is no such user.
    """
    api: BackendApi = clerk_of(current_app).api
    try:
        data = api.user(user_id)
    except BackendApiError as error:
        if error.status == 404:
            return False
        log.warning("A new user is kept by id only for now: %s", error)
        data = {}
    save_user({**data, "id": user_id})
    return True


def save_user(data: dict[str, Any]) -> None:
    """Write what Clerk says of a user, unless we know something newer.

    Works in a transaction of its own, so that no view's work is committed half done.

    :param data: a user object of the Backend API, or of a webhook.
    """
    try:
        _write(data)
    except IntegrityError:
        # Somebody made the row between our look and our write; theirs may be the older one.
        _write(data)


def _write(data: dict[str, Any]) -> None:
    with db.sessionmaker.begin() as session:
        user = session.get(User, data["id"])
        if user is None:
            session.add(User(id=data["id"], **_columns(data)))
        elif _version(data) > user.clerk_updated_at:
            for name, value in _columns(data).items():
                setattr(user, name, value)


def delete_user(user_id: str) -> None:
    """Forget somebody. Rows of yours that point at them go by your foreign keys' ``ondelete``."""
    with db.sessionmaker.begin() as session:
        user = session.get(User, user_id)
        if user is not None:
            session.delete(user)


def _columns(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "email": _primary_email(data),
        "first_name": _text(data.get("first_name"), 255),
        "last_name": _text(data.get("last_name"), 255),
        "image_url": _text(data.get("image_url"), 2048),
        "clerk_updated_at": _version(data),
    }


def _primary_email(data: dict[str, Any]) -> str | None:
    addresses = data.get("email_addresses")
    for address in addresses if isinstance(addresses, list) else []:
        if isinstance(address, dict) and address.get("id") == data.get("primary_email_address_id"):
            return _text(address.get("email_address"), 320)
    return None


def _version(data: dict[str, Any]) -> int:
    value = data.get("updated_at")
    return value if isinstance(value, int) and 0 < value < 2**62 else 0


def _text(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    # JSON can hold what no database takes: lone surrogates, and zero characters.
    clean = value.encode("utf-8", "replace").decode().replace("\0", "")
    return clean[:longest] or None
