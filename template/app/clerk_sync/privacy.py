"""Find, delete and export one user's account, in Clerk and in this database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import current_app

from app.clerk import BackendApi, BackendApiError
from app.database import db
from app.transactions import transact

from .columns import UserColumns
from .extension import clerk_sync_of
from .payloads import Json
from .records import delete_record


class Account(NamedTuple):
    """A user's account, as far as Clerk and this database know it."""

    id: str
    in_clerk: Json | None
    row: UserColumns | None


class AccountNotFound(Exception):
    """No account, or several, match an ID or an email address."""


def find_account(id_or_email: str, api: BackendApi | None) -> Account:
    """Find an account by user ID or email address.

    :param api: None to search only this database.
    :raises AccountNotFound: no account matches, or more than one.
    :raises BackendApiError: Clerk can't be asked.
    """
    ids = _ids_by_email(id_or_email.lower(), api) if "@" in id_or_email else [id_or_email]
    if len(ids) > 1:
        raise AccountNotFound(
            f"Several accounts match {id_or_email}. Pass a user ID instead: {', '.join(ids)}."
        )
    account = Account("", None, None)
    if ids:
        in_clerk = _fetch_user(ids[0], api) if api else None
        account = Account(ids[0], in_clerk, db.session.get(clerk_sync_of(current_app).user, ids[0]))
    if account.in_clerk is None and account.row is None:
        where = "in Clerk or in this database" if api else "in this database"
        raise AccountNotFound(f"No account {where} has the ID or email address {id_or_email!r}.")
    return account


def delete_account(account: Account, api: BackendApi) -> None:
    """Delete an account in Clerk, then here. If it's interrupted, calling it again finishes it.

    :raises BackendApiError: Clerk didn't delete it; nothing has changed here either.
    """
    try:
        api.delete_user(account.id)
    except BackendApiError as error:
        if error.status != 404:
            raise
    db.session.rollback()
    model = clerk_sync_of(current_app).user
    transact(lambda session: delete_record(session, model, account.id))


def export_account(account: Account, api: BackendApi | None) -> Json:
    """Everything that Clerk and this database know about a user, for JSON.

    The app's ``export`` hook adds what its own tables hold.

    :param api: None to leave out Clerk's data.
    :raises BackendApiError: Clerk can't be asked.
    """
    exported: Json = {"user_id": account.id, "exported_at": datetime.now(UTC)}
    if api and account.in_clerk:
        memberships = api.pages(f"/users/{account.id}/organization_memberships")
        exported["clerk"] = {
            "user": account.in_clerk,
            "sessions": list(api.sessions(account.id)),
            "organization_memberships": list(memberships),
        }
    exported["app"] = _export_rows(account)
    return exported


def _export_rows(account: Account) -> Json:
    sync = clerk_sync_of(current_app)
    memberships = sa.select(sync.membership).where(sync.membership.user_id == account.id)
    return {
        "user": _columns(account.row) if account.row else None,
        "memberships": [_columns(row) for row in db.session.scalars(memberships)],
        **sync.export(db.session, account.id),
    }


def _ids_by_email(address: str, api: BackendApi | None) -> list[str]:
    found = api.page("/users", email_address=[address], limit=2) if api else []
    ids = {str(user.get("id")) for user in found}
    model = clerk_sync_of(current_app).user
    ids |= set(db.session.scalars(sa.select(model.id).where(model.email == address).limit(2)))
    return sorted(ids)


def _fetch_user(user_id: str, api: BackendApi) -> Json | None:
    try:
        return api.user(user_id)
    except BackendApiError as error:
        if error.status == 404:
            return None
        raise


def _columns(row: Any) -> Json:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}
