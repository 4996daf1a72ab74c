"""Keep our rows true to Clerk's, whatever comes late, twice, or at the same moment.

All of these work inside a transaction of the caller's, see :func:`app.transactions.transact`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app.transactions import insert_into, lock

from . import personal_data
from .models import Membership, Organization, Tombstone, User
from .payloads import (
    Json,
    Row,
    hearsay_of_organization,
    hearsay_of_user,
    membership_row,
    organization_row,
    read_id,
    user_row,
)

Model = type[User] | type[Organization] | type[Membership]

# They say which row it is; no news changes them.
_FIXED = frozenset({"id", "organization_id", "user_id"})


class Outcome(StrEnum):
    """What became of a piece of news."""

    APPLIED = "applied"
    OLDER = "older"
    """We hold the same or something newer."""
    GONE = "gone"
    """It, or what it belongs to, has been deleted."""
    UNKNOWN = "unknown"
    """Nothing that we keep rows of."""
    INVALID = "invalid"
    """It makes no sense."""


def apply_user(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write what Clerk says of a user, unless we know something newer.

    :param data: a user of the Backend API, or of a webhook.
    :param repair: write it also over the same version, which somebody may have changed by hand.
    :raises InvalidRecord: it has no usable id.
    """
    row = user_row(data)
    lock(session, row["id"])
    if is_gone(session, row["id"]):
        return Outcome.GONE
    return _write(session, User, row, repair)


def apply_organization(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write what Clerk says of an organization; see :func:`apply_user`."""
    row = organization_row(data)
    lock(session, row["id"])
    if is_gone(session, row["id"]):
        return Outcome.GONE
    return _write(session, Organization, row, repair)


def apply_membership(session: Session, data: Json, *, repair: bool = False) -> Outcome:
    """Write what Clerk says of a membership; see :func:`apply_user`.

    Where its user or organization is not known yet, rows are made of what it mentions of them.
    """
    row = membership_row(data)
    ids = (row["id"], row["organization_id"], row["user_id"])
    lock(session, *ids)
    if is_gone(session, *ids):
        return Outcome.GONE
    if not _is_latest_of_pair(session, row):
        return Outcome.OLDER
    _mention(session, Organization, hearsay_of_organization(data))
    _mention(session, User, hearsay_of_user(data))
    return _write(session, Membership, row, repair)


def delete_record(session: Session, model: Model, id: str) -> Outcome:
    """Delete a row, and for ever refuse to have it back.

    Memberships go with their user or organization, and what :mod:`.personal_data` says. With
    ``CLERK_DELETIONS=soft`` rows stay, marked by ``deleted_at``; else rows of yours that point at
    them go by your foreign keys' ``ondelete``.

    :param model: ``User``, ``Organization`` or ``Membership``.
    :param id: Clerk's id; nothing need be known of it.
    :raises InvalidRecord: it is no usable id.
    """
    lock(session, read_id(id))
    buried = insert_into(session, Tombstone).values(id=id).on_conflict_do_nothing()
    is_first = session.execute(buried.returning(Tombstone.id)).first() is not None
    if is_first and model is User:
        personal_data.erase(session, id)
    if current_app.config["SETTINGS"].soft_deletion:
        _mark_deleted(session, model, model.id == id)
        if model is User:
            _mark_deleted(session, Membership, Membership.user_id == id)
        if model is Organization:
            _mark_deleted(session, Membership, Membership.organization_id == id)
    else:
        session.execute(sa.delete(model).where(model.id == id))
    return Outcome.APPLIED


def is_gone(session: Session, *ids: str) -> bool:
    """Whether one of these has been deleted."""
    query = sa.select(Tombstone.id).where(Tombstone.id.in_(ids)).limit(1)
    return session.scalar(query) is not None


def _write(session: Session, model: Model, row: Row, repair: bool) -> Outcome:
    statement = insert_into(session, model).values(row)
    ours, theirs = model.clerk_updated_at, statement.excluded.clerk_updated_at
    news = {name: statement.excluded[name] for name in row.keys() - _FIXED}
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_=news,
        where=ours <= theirs if repair else ours < theirs,
    )
    written = session.execute(statement.returning(model.id)).first()
    return Outcome.APPLIED if written else Outcome.OLDER


def _mention(session: Session, model: Model, row: Row) -> None:
    session.execute(insert_into(session, model).values(row).on_conflict_do_nothing())


def _is_latest_of_pair(session: Session, row: Row) -> bool:
    """Whether nobody left and joined again since. What came before that is deleted."""
    pair = (
        Membership.organization_id == row["organization_id"],
        Membership.user_id == row["user_id"],
        Membership.deleted_at.is_(None),
        Membership.id != row["id"],
    )
    other = session.execute(sa.select(Membership.id, Membership.created_at).where(*pair)).first()
    if other is None:
        return True
    joined_at = row.get("created_at") or datetime.now(UTC)
    is_latest = (joined_at, row["id"]) > (other.created_at, other.id)
    delete_record(session, Membership, other.id if is_latest else row["id"])
    return is_latest


def _mark_deleted(session: Session, model: Model, which: sa.ColumnElement[bool]) -> None:
    fresh = which & model.deleted_at.is_(None)
    session.execute(sa.update(model).where(fresh).values(deleted_at=datetime.now(UTC)))
