"""Clerk's lists of users, organizations and memberships, walked from end to end.

A list may take minutes, while people come and go: whoever goes moves all that follow. So each page
begins a little before the last one's end, and where it does not meet it we step back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import sleep
from typing import NamedTuple, TypeVar

from sqlalchemy.orm import InstrumentedAttribute

from app.clerk import BackendApi, BackendApiError

from .models import Membership, Organization, User
from .payloads import Json, Row, membership_row, organization_row, user_row
from .records import Model, Outcome, apply_membership, apply_organization, apply_user

T = TypeVar("T")
Key = tuple[str, ...]
"""What one of our rows is found by at Clerk: its id, and what else that takes."""

PAGE_SIZE = 500
"""Objects asked for at once: as many as Clerk allows."""

OVERLAP = 20
"""Objects that a page has in common with the one before it."""

ATTEMPTS = 8
"""How often a call is made while Clerk is busy or out of reach: about two minutes in all."""

LONGEST_PAUSE = 60
"""Seconds between two of them, unless Clerk asks for more."""


class Position(NamedTuple):
    """How far we are in a list that is ordered by creation."""

    offset: int = 0
    since: int = 0
    """When the last object behind us was created: unix milliseconds."""


BEGINNING = Position()


class Page(NamedTuple):
    """A part of a list."""

    objects: list[Json]
    begin: int
    """Whatever was created up to this moment lies behind it: unix milliseconds."""
    end: Position
    is_last: bool


@dataclass(frozen=True)
class Kind:
    """One of Clerk's lists, and the rows of ours that follow it."""

    name: str
    path: str
    model: Model
    row: Callable[[Json], Row]
    apply: Callable[..., Outcome]
    look_up: Callable[[BackendApi, Key], Json | None]
    """What Clerk says of one of our rows; None if it is gone."""
    keys: Sequence[InstrumentedAttribute[str]]
    """Columns that ``look_up`` needs, the id first."""


def _look_up_user(api: BackendApi, key: Key) -> Json | None:
    return _unless_gone(lambda: api.user(key[0]))


def _look_up_organization(api: BackendApi, key: Key) -> Json | None:
    return _unless_gone(lambda: api.organization(key[0]))


def _look_up_membership(api: BackendApi, key: Key) -> Json | None:
    id, organization_id, user_id = key
    found = _unless_gone(lambda: list(api.memberships(organization_id, user_id=user_id)))
    return next((membership for membership in found or [] if membership.get("id") == id), None)


KINDS = (
    Kind("users", "/users", User, user_row, apply_user, _look_up_user, [User.id]),
    Kind(
        "organizations",
        "/organizations",
        Organization,
        organization_row,
        apply_organization,
        _look_up_organization,
        [Organization.id],
    ),
    Kind(
        "memberships",
        "/organization_memberships",
        Membership,
        membership_row,
        apply_membership,
        _look_up_membership,
        [Membership.id, Membership.organization_id, Membership.user_id],
    ),
)
"""In this order: what a row points at comes first."""


def count(api: BackendApi, kind: Kind) -> int:
    """How many objects a list has, as far as Clerk says."""
    if kind.name == "users":
        return patiently(api.count_users)
    total = patiently(lambda: api.call("GET", kind.path, params={"limit": 1})).get("total_count")
    return total if isinstance(total, int) else 0


def walk(api: BackendApi, kind: Kind, position: Position = BEGINNING) -> Iterator[Page]:
    """The pages of a list from a position on, oldest first."""
    known: set[object] = set()
    while True:
        start = max(position.offset - OVERLAP, 0)
        query = {"limit": PAGE_SIZE, "offset": start, "order_by": "+created_at"}
        objects = patiently(lambda query=query: api.page(kind.path, **query))  # type: ignore[misc]
        if start and (not objects or created_at(objects[0]) > position.since):
            # So many went meanwhile that this page may begin behind some that nobody has seen.
            position = Position(max(start - PAGE_SIZE, 0), position.since)
            continue
        begin = position.since
        latest = max((created_at(one) for one in objects), default=begin)
        position = Position(start + len(objects), max(latest, begin))
        is_last = len(objects) < PAGE_SIZE
        fresh = [one for one in objects if one.get("id") not in known]
        known = {one.get("id") for one in objects}
        yield Page(fresh, begin, position, is_last)
        if is_last:
            return


def created_at(data: Json) -> int:
    """When an object of Clerk's was created: unix milliseconds."""
    value = data.get("created_at")
    return value if isinstance(value, int) else 0


def patiently(call: Callable[[], T]) -> T:
    """Call Clerk, and wait where it is busy or out of reach.

    :raises BackendApiError: it said no, or stayed away.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except BackendApiError as error:
            may_pass = error.status in (0, 429) or error.status >= 500
            if not may_pass or attempt == ATTEMPTS - 1:
                raise
            sleep(error.retry_after or min(2**attempt, LONGEST_PAUSE))
    raise AssertionError("unreachable")


def _unless_gone(call: Callable[[], T]) -> T | None:
    try:
        return patiently(call)
    except BackendApiError as error:
        if error.status == 404:
            return None
        raise
