"""Bring our rows back to what Clerk has, after lost webhooks and years of drift.

Every change is a transaction of its own that follows the rules of :mod:`.records`, so webhooks may
arrive meanwhile, and it may be stopped at any moment. No signals are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.clerk import BackendApi
from app.database import db
from app.transactions import transact

from . import clerk_lists
from .clerk_lists import BEGINNING, Key, Kind, Page, Position
from .clerk_models import SyncCheckpoint
from .models import Tombstone, User
from .payloads import InvalidRecord, Json, Row
from .records import delete_record

BATCH = 50
"""Rows written in one transaction: few, as webhooks wait for them."""

SETTLED = timedelta(minutes=1)
"""What is younger, nobody misses: Clerk's lists may lag behind its webhooks."""

STALE = timedelta(days=1)
"""After so long an unfinished run begins anew."""

SAMPLE = 50
"""Users whom Clerk is asked about first."""


class WrongInstance(Exception):
    """Clerk knows hardly any of our users."""


class Difference(NamedTuple):
    """What a row had to become."""

    change: str
    """``add``, ``change`` or ``delete``."""
    id: str
    details: str


class Step(NamedTuple):
    """A page that has been gone through."""

    position: Position
    differences: list[Difference]


def check_instance(api: BackendApi) -> None:
    """Make sure that these are Clerk's data for this database, for else all rows would go.

    :raises WrongInstance: of a sample of our users Clerk knows less than half.
    """
    ours = sa.select(User.id).where(User.deleted_at.is_(None)).order_by(sa.func.random())
    ids = list(db.session.scalars(ours.limit(SAMPLE)))
    db.session.rollback()
    if not ids:
        return
    known = clerk_lists.patiently(lambda: api.page("/users", user_id=ids, limit=SAMPLE))
    if len(known) * 2 < len(ids):
        raise WrongInstance(
            f"Of {len(ids)} users in this database, Clerk knows {len(known)}. Expected most of "
            "them: is CLERK_SECRET_KEY the key of another instance, or DATABASE_URL another "
            "database? If those accounts really are gone, say --force."
        )


def reconcile(
    api: BackendApi, kind: Kind, start: Position = BEGINNING, *, dry_run: bool = False
) -> Iterator[Step]:
    """Go through one of Clerk's lists, oldest first, and make our rows equal to it.

    :param start: where an earlier run stopped.
    :param dry_run: change nothing.
    :raises BackendApiError: Clerk stayed away, or said no. What is done stays done.
    """
    began = datetime.now(UTC)
    for page in clerk_lists.walk(api, kind, start):
        differences = list(_compare(kind, page.objects, dry_run=dry_run))
        for key in _missing(kind, page, began):
            differences += _gone_or_unseen(api, kind, key, dry_run=dry_run)
        if not dry_run:
            _save(kind, page.end, is_done=page.is_last)
        yield Step(page.end, differences)


def starting_point(kind: Kind) -> Position | None:
    """Where an unfinished run stopped; None if it has finished with this list."""
    checkpoint = db.session.get(SyncCheckpoint, kind.name)
    db.session.rollback()
    if checkpoint is None or checkpoint.saved_at < datetime.now(UTC) - STALE:
        return BEGINNING
    return None if checkpoint.is_done else Position(checkpoint.offset, checkpoint.since)


def forget_checkpoints() -> None:
    """Begin anew the next time."""
    transact(lambda session: session.execute(sa.delete(SyncCheckpoint)))


def _save(kind: Kind, position: Position, *, is_done: bool) -> None:
    values = {"kind": kind.name, **position._asdict(), "is_done": is_done}
    saved = SyncCheckpoint(**values, saved_at=datetime.now(UTC))
    transact(lambda session: session.merge(saved))


def _compare(kind: Kind, objects: Sequence[Json], *, dry_run: bool) -> Iterator[Difference]:
    """Find what differs from our rows, and write it."""
    read = [(data, row) for data in objects if (row := _readable(kind, data))]
    with db.sessionmaker() as session:
        ours, buried = _ours(session, kind, [row["id"] for _, row in read])
    outdated = []
    for data, row in read:
        mine = ours.get(row["id"])
        if row["id"] in buried or (mine and mine["clerk_updated_at"] > row["clerk_updated_at"]):
            continue  # what we hold is newer than this list
        differing = [name for name in row if mine is None or mine[name] != row[name]]
        if differing:
            outdated.append(data)
        if difference := _difference(row, mine, differing):
            yield difference
    if not dry_run:
        for batch in _batched(outdated):
            transact(partial(_write, kind, batch))


def _readable(kind: Kind, data: Json) -> Row | None:
    try:
        return kind.row(data)
    except InvalidRecord:
        return None


def _ours(
    session: Session, kind: Kind, ids: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Our rows, and which of these have been deleted."""
    buried = set(session.scalars(sa.select(Tombstone.id).where(Tombstone.id.in_(ids))))
    found = session.execute(sa.select(*kind.model.__table__.columns).where(kind.model.id.in_(ids)))
    return {row["id"]: dict(row) for row in found.mappings()}, buried


def _difference(row: Row, mine: Row | None, differing: Sequence[str]) -> Difference | None:
    if mine is None:
        known_as = row.get("email") or row.get("name") or row.get("role") or ""
        return Difference("add", row["id"], known_as)
    details = [
        f"{name} {mine[name]!s} → {row[name]!s}" for name in differing if name != "clerk_updated_at"
    ]
    return Difference("change", row["id"], ", ".join(details)) if details else None


def _write(kind: Kind, batch: Sequence[Json], session: Session) -> None:
    for data in batch:
        kind.apply(session, data, repair=True)


def _missing(kind: Kind, page: Page, began: datetime) -> Iterator[Key]:
    """Our rows that should have been on this page, by the time of their creation."""
    model, listed = kind.model, {one.get("id") for one in page.objects}
    query = sa.select(*kind.keys).where(
        model.deleted_at.is_(None),
        model.created_at > _moment(page.begin),
        model.created_at < began - SETTLED,
    )
    if not page.is_last:
        query = query.where(model.created_at <= _moment(page.end.since))
    last = ""
    while True:
        with db.sessionmaker() as session:
            part = query.where(model.id > last).order_by(model.id).limit(clerk_lists.PAGE_SIZE)
            keys: list[Key] = [tuple(row) for row in session.execute(part)]
        yield from (key for key in keys if key[0] not in listed)
        if len(keys) < clerk_lists.PAGE_SIZE:
            return
        last = keys[-1][0]


def _gone_or_unseen(
    api: BackendApi, kind: Kind, key: Key, *, dry_run: bool
) -> Iterator[Difference]:
    """Ask Clerk for one that is not in its list, and believe that answer."""
    data = kind.look_up(api, key)
    if data is not None:
        yield from () if dry_run else _compare(kind, [data], dry_run=False)
        return
    if not dry_run:
        transact(lambda session: delete_record(session, kind.model, key[0]))
    yield Difference("delete", key[0], "")


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _batched(items: Sequence[Json]) -> Iterator[list[Json]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
