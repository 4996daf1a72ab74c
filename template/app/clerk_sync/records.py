"""Write Clerk's records to our rows, correctly even if they arrive late, twice or at once.

Every function here runs inside a transaction of the caller's, see
:func:`app.transactions.transact`, and in an app context.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app.transactions import insert_into, lock

from .extension import Model, clerk_sync_of
from .payloads import (
    Json,
    Row,
    membership_row,
    organization_row,
    partial_organization_row,
    partial_user_row,
    read_id,
    user_row,
)
from .tables import Tombstone

# They identify the row, so an update leaves them alone.
_FIXED = frozenset({"id", "organization_id", "user_id"})


class Outcome(StrEnum):
    """The result of applying an event to our rows."""

    APPLIED = "applied"
    OLDER = "older"
    """Our row is as new, or newer."""
    DELETED = "gone"
    """The record, or the user or organization it belongs to, has been deleted."""
    UNKNOWN = "unknown"
    """There are no rows for this type of event."""
    INVALID = "invalid"
    """The event has no usable ID."""


def apply_user(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write a user, unless our row is newer.

    :param data: a user from the Backend API or a webhook.
    :param repair: also overwrite a row of the same version, in case it was changed by hand.
    :raises InvalidRecord: the user has no usable ID.
    """
    row = user_row(data)
    lock(session, row["id"])
    if is_deleted(session, row["id"]):
        return Outcome.DELETED
    return _upsert(session, clerk_sync_of(current_app).user, row, repair)


def apply_organization(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write an organization, unless our row is newer; see :func:`apply_user`."""
    row = organization_row(data)
    lock(session, row["id"])
    if is_deleted(session, row["id"]):
        return Outcome.DELETED
    return _upsert(session, clerk_sync_of(current_app).organization, row, repair)


def apply_membership(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write a membership, unless our row is newer; see :func:`apply_user`.

    If there is no row for its user or organization yet, a partial one is created from the data
    that the membership contains.
    """
    sync = clerk_sync_of(current_app)
    row = membership_row(data)
    ids = (row["id"], row["organization_id"], row["user_id"])
    lock(session, *ids)
    if is_deleted(session, *ids):
        return Outcome.DELETED
    if superseded := _superseded_membership(session, row):
        delete_record(session, sync.membership, superseded)
        if superseded == row["id"]:
            return Outcome.OLDER
    _insert_if_missing(session, sync.organization, partial_organization_row(data))
    _insert_if_missing(session, sync.user, partial_user_row(data))
    return _upsert(session, sync.membership, row, repair)


def delete_record(session: Session, model: Model, id: str) -> Outcome:
    """Delete a row, and ignore the record from now on.

    Deleting a user or an organization deletes its memberships, and deleting a user calls the app's
    ``erase`` hook. With ``CLERK_DELETIONS=soft`` the rows stay, with ``deleted_at`` set; otherwise
    the foreign keys of your own tables decide, by ``ondelete``, what happens to their rows.

    :param model: the app's user, organization or membership class.
    :param id: Clerk's ID; there need not be a row.
    :raises InvalidRecord: the ID isn't usable.
    """
    sync = clerk_sync_of(current_app)
    lock(session, read_id(id))
    tombstone = insert_into(session, Tombstone).values(id=id).on_conflict_do_nothing()
    is_first = session.execute(tombstone.returning(Tombstone.id)).first() is not None
    if is_first and model is sync.user:
        sync.erase(session, id)
    if not sync.soft_deletion:
        session.execute(sa.delete(model).where(model.id == id))  # memberships by ON DELETE CASCADE
        return Outcome.APPLIED
    _mark_deleted(session, model, model.id == id)
    if model is sync.user:
        _mark_deleted(session, sync.membership, sync.membership.user_id == id)
    if model is sync.organization:
        _mark_deleted(session, sync.membership, sync.membership.organization_id == id)
    return Outcome.APPLIED


def is_deleted(session: Session, *ids: str) -> bool:
    """Whether the record with one of these IDs has been deleted."""
    query = sa.select(Tombstone.id).where(Tombstone.id.in_(ids)).limit(1)
    return session.scalar(query) is not None


def _upsert(session: Session, model: Model, row: Row, repair: bool) -> Outcome:
    statement = insert_into(session, model).values(row)
    ours, theirs = model.clerk_updated_at, statement.excluded.clerk_updated_at
    changes = {name: statement.excluded[name] for name in row.keys() - _FIXED}
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_=changes,
        where=ours <= theirs if repair else ours < theirs,
    )
    written = session.execute(statement.returning(model.id)).first()
    return Outcome.APPLIED if written else Outcome.OLDER


def _insert_if_missing(session: Session, model: Model, row: Row) -> None:
    session.execute(insert_into(session, model).values(row).on_conflict_do_nothing())


def _superseded_membership(session: Session, row: Row) -> str | None:
    """The ID of the older of two memberships of one user in one organization.

    A user who leaves and joins again gets a new membership, and its event may arrive before the
    old one's deletion, or before the old one's creation.

    :returns: the ID of the current row or of the new one; None if there is no other membership.
    """
    membership = clerk_sync_of(current_app).membership
    same_pair = (
        membership.organization_id == row["organization_id"],
        membership.user_id == row["user_id"],
        membership.deleted_at.is_(None),
        membership.id != row["id"],
    )
    query = sa.select(membership.id, membership.created_at).where(*same_pair)
    other = session.execute(query).first()
    if other is None:
        return None
    joined_at = row.get("created_at") or datetime.now(UTC)
    is_later = (joined_at, row["id"]) > (other.created_at, other.id)
    return str(other.id if is_later else row["id"])


def _mark_deleted(session: Session, model: Model, which: sa.ColumnElement[bool]) -> None:
    current = which & model.deleted_at.is_(None)
    session.execute(sa.update(model).where(current).values(deleted_at=datetime.now(UTC)))
