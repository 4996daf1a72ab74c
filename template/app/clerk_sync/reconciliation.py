"""Make our rows match Clerk's data again, after lost webhooks or manual changes.

Every change runs in its own transaction and follows the rules of :mod:`.records`, so webhooks may
arrive during a run, and a run may be stopped at any time. No signals are sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.clerk import BackendApi
from app.database import db
from app.database_errors import is_database_unavailable
from app.transactions import transact

from . import clerk_lists
from .clerk_lists import BEGINNING, ClerkList, Key, Page, Position
from .extension import clerk_sync_of
from .payloads import InvalidRecord, Json, Row
from .records import delete_record
from .tables import SyncCheckpoint, Tombstone

log = logging.getLogger(__name__)

BATCH = 50
"""Rows written in one transaction; few, because webhooks wait for it."""

SETTLED = timedelta(minutes=1)
"""Rows younger than this are never treated as missing: Clerk's lists may lag behind its
webhooks."""

CHECKPOINT_LIFETIME = timedelta(days=1)
"""An unfinished run older than this is not continued: the next run starts over."""

SAMPLE = 50
"""How many users :func:`check_instance` asks Clerk about."""


class WrongInstance(Exception):
    """Clerk doesn't know most of the users in this database."""


class Difference(NamedTuple):
    """How a row differed from Clerk's data."""

    change: str
    """``add``, ``change`` or ``delete``."""
    id: str
    details: str


class Step(NamedTuple):
    """A page that has been compared."""

    position: Position
    differences: list[Difference]


def check_instance(api: BackendApi) -> None:
    """Check that the secret key belongs to this database: otherwise, a sync would delete all rows.

    :raises WrongInstance: Clerk knows less than half of a random sample of our users.
    :raises BackendApiError: the call to Clerk failed.
    """
    model = clerk_sync_of(current_app).user
    sample = sa.select(model.id).where(model.deleted_at.is_(None)).order_by(sa.func.random())
    ids = list(db.session.scalars(sample.limit(SAMPLE)))
    db.session.rollback()
    if not ids:
        return
    known = clerk_lists.retrying(lambda: api.page("/users", user_id=ids, limit=SAMPLE))
    if len(known) * 2 < len(ids):
        raise WrongInstance(
            f"Of {len(ids)} users in this database, Clerk knows {len(known)}. Expected most of "
            "them. CLERK_SECRET_KEY probably belongs to another instance, or DATABASE_URL names "
            "the wrong database. If these accounts have really been deleted, add --force."
        )


def reconcile(
    api: BackendApi, clerk_list: ClerkList, start: Position = BEGINNING, *, dry_run: bool = False
) -> Iterator[Step]:
    """Read one of Clerk's lists, oldest objects first, and make our rows match it.

    :param start: where an earlier run stopped.
    :param dry_run: find the differences, but change nothing.
    :raises BackendApiError: a call failed, retries included. Changes of earlier steps remain.
    """
    began = datetime.now(UTC)
    for page in clerk_lists.read_pages(api, clerk_list, start):
        differences = list(_compare(clerk_list, page.objects, dry_run=dry_run))
        for key in _missing_from(page, clerk_list, began):
            differences += _check_missing(api, clerk_list, key, dry_run=dry_run)
        if not dry_run:
            _save_checkpoint(clerk_list, page.end, is_done=page.is_last)
        yield Step(page.end, differences)


def starting_point(clerk_list: ClerkList) -> Position | None:
    """Where an unfinished run stopped; None if it has finished this list."""
    checkpoint = db.session.get(SyncCheckpoint, clerk_list.name)
    db.session.rollback()
    if checkpoint is None or checkpoint.saved_at < datetime.now(UTC) - CHECKPOINT_LIFETIME:
        return BEGINNING
    return None if checkpoint.is_done else Position(checkpoint.offset, checkpoint.last_created_at)


def forget_checkpoints() -> None:
    """Let the next run start from the beginning."""
    transact(lambda session: session.execute(sa.delete(SyncCheckpoint)))


def _save_checkpoint(clerk_list: ClerkList, position: Position, *, is_done: bool) -> None:
    values = {"kind": clerk_list.name, **position._asdict(), "is_done": is_done}
    checkpoint = SyncCheckpoint(**values, saved_at=datetime.now(UTC))
    transact(lambda session: session.merge(checkpoint))


def _compare(
    clerk_list: ClerkList, objects: Sequence[Json], *, dry_run: bool
) -> Iterator[Difference]:
    """Find objects that differ from our rows, and write them."""
    valid = [(data, row) for data in objects if (row := _valid_row(clerk_list, data))]
    with db.sessionmaker() as session:
        ours, deleted = _our_rows(session, clerk_list, [row["id"] for _, row in valid])
    outdated, differences = [], []
    for data, row in valid:
        mine = ours.get(row["id"])
        if row["id"] in deleted or (mine and mine["clerk_updated_at"] > row["clerk_updated_at"]):
            continue  # our row is newer than this list
        differing = [name for name in row if mine is None or mine[name] != row[name]]
        if differing:
            outdated.append(data)
        if difference := _difference(row, mine, differing):
            differences.append(difference)
    rejected: set[str] = set()
    for batch in _batched(outdated) if not dry_run else ():
        rejected |= transact(partial(_write_batch, clerk_list, batch))
    yield from (difference for difference in differences if difference.id not in rejected)


def _valid_row(clerk_list: ClerkList, data: Json) -> Row | None:
    try:
        return clerk_list.read_row(data)
    except InvalidRecord:
        return None


def _our_rows(
    session: Session, clerk_list: ClerkList, ids: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Our rows with these IDs, and which of the IDs have been deleted."""
    deleted = set(session.scalars(sa.select(Tombstone.id).where(Tombstone.id.in_(ids))))
    model = clerk_list.model
    found = session.execute(sa.select(*sa.inspect(model).columns).where(model.id.in_(ids)))
    return {row["id"]: dict(row) for row in found.mappings()}, deleted


def _difference(row: Row, mine: Row | None, differing: Sequence[str]) -> Difference | None:
    if mine is None:
        known_as = row.get("email") or row.get("name") or row.get("role") or ""
        return Difference("add", row["id"], known_as)
    details = [
        f"{name} {mine[name]!s} → {row[name]!s}" for name in differing if name != "clerk_updated_at"
    ]
    return Difference("change", row["id"], ", ".join(details)) if details else None


def _write_batch(clerk_list: ClerkList, batch: Sequence[Json], session: Session) -> set[str]:
    """Write objects, but none that the database rejects, such as for a constraint of your own.

    :returns: the IDs of the rejected objects.
    """
    rejected = set()
    for data in batch:
        try:
            with session.begin_nested():
                clerk_list.apply(session, data, repair=True)
        except (IntegrityError, DataError) as error:
            reason = str(error.orig).partition("\n")[0]  # further lines may show the values
            log.error("%s can't be stored in %s: %s", data["id"], clerk_list.name, reason)
            rejected.add(data["id"])
    return rejected


def _missing_from(page: Page, clerk_list: ClerkList, began: datetime) -> Iterator[Key]:
    """Our rows whose creation time falls within this page, but which the page doesn't contain."""
    model, listed = clerk_list.model, {one.get("id") for one in page.objects}
    columns = sa.inspect(model).columns
    query = sa.select(*(columns[name] for name in clerk_list.key_columns)).where(
        model.deleted_at.is_(None),
        model.created_at > _moment(page.begin),
        model.created_at < began - SETTLED,
    )
    if not page.is_last:
        query = query.where(model.created_at <= _moment(page.end.last_created_at))
    last = ""
    while True:
        with db.sessionmaker() as session:
            part = query.where(model.id > last).order_by(model.id).limit(clerk_lists.PAGE_SIZE)
            keys: list[Key] = [tuple(row) for row in session.execute(part)]
        yield from (key for key in keys if key[0] not in listed)
        if len(keys) < clerk_lists.PAGE_SIZE:
            return
        last = keys[-1][0]


def _check_missing(
    api: BackendApi, clerk_list: ClerkList, key: Key, *, dry_run: bool
) -> Iterator[Difference]:
    """Ask Clerk about a row that isn't in the list, and delete it only if Clerk doesn't know it."""
    data = clerk_list.look_up(api, key)
    if data is not None:
        yield from () if dry_run else _compare(clerk_list, [data], dry_run=False)
        return
    try:
        if not dry_run:
            transact(lambda session: delete_record(session, clerk_list.model, key[0]))
    except Exception as error:  # of the app's erase hook or foreign keys; other rows go on
        if is_database_unavailable(error):
            raise
        log.exception("%s can't be deleted from %s", key[0], clerk_list.name)
        return
    yield Difference("delete", key[0], "")


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _batched(items: Sequence[Json]) -> Iterator[list[Json]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
