"""One person, at Clerk and here: found, deleted, exported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.clerk import BackendApi, BackendApiError
from app.database import Base, db
from app.transactions import transact

from . import personal_data
from .models import Membership, User, WebhookEvent
from .records import delete_record

Json = dict[str, Any]


class Person(NamedTuple):
    """Somebody, as far as each side knows them."""

    id: str
    at_clerk: Json | None
    here: User | None


class NobodyFound(Exception):
    """No person, or several, answer to an id or an address."""


def find_person(wanted: str, api: BackendApi | None) -> Person:
    """Find somebody by id or e-mail address.

    :param api: None: look here only.
    :raises NobodyFound: nobody, or more than one.
    :raises BackendApiError: Clerk cannot be asked.
    """
    ids = _ids_with(wanted.lower(), api) if "@" in wanted else [wanted]
    if len(ids) > 1:
        raise NobodyFound(f"{wanted} stands for several people: {', '.join(ids)}. Name an id.")
    person = Person("", None, None)
    if ids:
        at_clerk = _at_clerk(ids[0], api) if api else None
        person = Person(ids[0], at_clerk, db.session.get(User, ids[0]))
    if person.at_clerk is None and person.here is None:
        where = "at Clerk or in this database" if api else "in this database"
        raise NobodyFound(f"Nobody {where} has the id or e-mail address {wanted!r}.")
    return person


def delete_person(person: Person, api: BackendApi) -> None:
    """Delete an account at Clerk, then here. Stopped in between, it is finished by a second call.

    :raises BackendApiError: Clerk did not do it; nothing has changed here either.
    """
    try:
        api.delete_user(person.id)
    except BackendApiError as error:
        if error.status != 404:
            raise
    db.session.rollback()
    transact(lambda session: delete_record(session, User, person.id))


def export_person(person: Person, api: BackendApi | None) -> Json:
    """All that is known of somebody, for JSON.

    :param api: None: without what Clerk holds.
    :raises BackendApiError: Clerk cannot be asked.
    """
    exported: Json = {"user_id": person.id, "exported_at": datetime.now(UTC)}
    if api and person.at_clerk:
        exported["clerk"] = {
            "user": person.at_clerk,
            "sessions": list(api.sessions(person.id)),
            "organization_memberships": list(
                api.pages(f"/users/{person.id}/organization_memberships")
            ),
        }
    memberships = sa.select(Membership).where(Membership.user_id == person.id)
    events = sa.select(WebhookEvent).where(
        WebhookEvent.payload.contains(person.id, autoescape=True)
    )
    exported["app"] = {
        "user": _columns(person.here) if person.here else None,
        "memberships": [_columns(row) for row in db.session.scalars(memberships)],
        "webhook_events": [_columns(row) for row in db.session.scalars(events)],
        **personal_data.export(db.session, person.id),
    }
    return exported


def _ids_with(address: str, api: BackendApi | None) -> list[str]:
    found = api.page("/users", email_address=[address], limit=2) if api else []
    ids = {str(user.get("id")) for user in found}
    ids |= set(db.session.scalars(sa.select(User.id).where(User.email == address).limit(2)))
    return sorted(ids)


def _at_clerk(user_id: str, api: BackendApi) -> Json | None:
    try:
        return api.user(user_id)
    except BackendApiError as error:
        if error.status == 404:
            return None
        raise


def _columns(row: Base) -> Json:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}
