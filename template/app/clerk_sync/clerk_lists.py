"""Read Clerk's lists of users, organizations and memberships from beginning to end.

Reading a list can take minutes, and objects that are deleted meanwhile move all later ones forward.
So each page begins a little before the end of the previous one, and if the two don't meet, reading
continues from an earlier offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import sleep
from typing import NamedTuple, TypeVar

from flask import current_app

from app.clerk import BackendApi, BackendApiError

from .extension import Model, clerk_sync_of
from .payloads import Json, Row, membership_row, organization_row, user_row
from .records import Outcome, apply_membership, apply_organization, apply_user

T = TypeVar("T")
Key = tuple[str, ...]
"""What Clerk needs to find one object: its ID, and any further columns of ``key_columns``."""

PAGE_SIZE = 500
"""Objects per page: the most that Clerk allows."""

OVERLAP = 20
"""Objects that a page has in common with the previous one."""

ATTEMPTS = 8
"""How often a call is made while Clerk is busy or unreachable: about two minutes in all."""

LONGEST_PAUSE = 60
"""Seconds between two attempts, unless Clerk asks for more."""


class Position(NamedTuple):
    """A position in a list that is ordered by creation."""

    offset: int = 0
    last_created_at: int = 0
    """When the last object before this position was created, in Unix milliseconds."""


BEGINNING = Position()


class Page(NamedTuple):
    """A part of a list."""

    objects: list[Json]
    begin: int
    """Objects created up to this moment are on earlier pages; Unix milliseconds."""
    end: Position
    is_last: bool


@dataclass(frozen=True)
class ClerkList:
    """One of Clerk's lists, and how its objects become rows."""

    name: str
    """The list's name in checkpoints and output, and of our table."""
    path: str
    read_row: Callable[[Json], Row]
    apply: Callable[..., Outcome]
    look_up: Callable[[BackendApi, Key], Json | None]
    """Fetch one object; None if Clerk doesn't have it."""
    key_columns: tuple[str, ...] = ("id",)
    """Columns that ``look_up`` needs, the ID first."""

    @property
    def model(self) -> Model:
        """The current app's model for the list's objects."""
        sync = clerk_sync_of(current_app)
        models: dict[str, Model] = {
            "users": sync.user,
            "organizations": sync.organization,
            "memberships": sync.membership,
        }
        return models[self.name]


def _look_up_user(api: BackendApi, key: Key) -> Json | None:
    return _none_if_missing(lambda: api.user(key[0]))


def _look_up_organization(api: BackendApi, key: Key) -> Json | None:
    return _none_if_missing(lambda: api.organization(key[0]))


def _look_up_membership(api: BackendApi, key: Key) -> Json | None:
    id, organization_id, user_id = key
    found = _none_if_missing(lambda: list(api.memberships(organization_id, user_id=user_id)))
    return next((membership for membership in found or [] if membership.get("id") == id), None)


CLERK_LISTS = (
    ClerkList("users", "/users", user_row, apply_user, _look_up_user),
    ClerkList(
        "organizations",
        "/organizations",
        organization_row,
        apply_organization,
        _look_up_organization,
    ),
    ClerkList(
        "memberships",
        "/organization_memberships",
        membership_row,
        apply_membership,
        _look_up_membership,
        ("id", "organization_id", "user_id"),
    ),
)
"""In this order, so that the rows that memberships refer to come first."""


def count_objects(api: BackendApi, clerk_list: ClerkList) -> int:
    """How many objects a list has; 0 if Clerk doesn't say."""
    if clerk_list.name == "users":
        return retrying(api.count_users)
    answer = retrying(lambda: api.call("GET", clerk_list.path, params={"limit": 1}))
    total = answer.get("total_count")
    return total if isinstance(total, int) else 0


def read_pages(
    api: BackendApi, clerk_list: ClerkList, position: Position = BEGINNING
) -> Iterator[Page]:
    """The pages of a list from a position on, oldest objects first.

    :raises BackendApiError: Clerk rejected a call, or stayed unreachable.
    """
    known: set[object] = set()
    while True:
        start = max(position.offset - OVERLAP, 0)
        query = {"limit": PAGE_SIZE, "offset": start, "order_by": "+created_at"}
        objects = retrying(lambda query=query: api.page(clerk_list.path, **query))  # type: ignore[misc]
        if start and (not objects or created_at(objects[0]) > position.last_created_at):
            # More than OVERLAP objects were deleted, so this page may begin behind unread ones.
            position = Position(max(start - PAGE_SIZE, 0), position.last_created_at)
            continue
        begin = position.last_created_at
        latest = max((created_at(one) for one in objects), default=begin)
        position = Position(start + len(objects), max(latest, begin))
        is_last = len(objects) < PAGE_SIZE
        new = [one for one in objects if one.get("id") not in known]
        known = {one.get("id") for one in objects}
        yield Page(new, begin, position, is_last)
        if is_last:
            return


def created_at(data: Json) -> int:
    """When one of Clerk's objects was created, in Unix milliseconds; 0 if it doesn't say."""
    value = data.get("created_at")
    return value if isinstance(value, int) else 0


def retrying(call: Callable[[], T]) -> T:
    """Call Clerk, and retry while it is busy or unreachable.

    :raises BackendApiError: Clerk rejected the call, or the last attempt failed as well.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except BackendApiError as error:
            is_temporary = error.status in (0, 429) or error.status >= 500
            if not is_temporary or attempt == ATTEMPTS - 1:
                raise
            sleep(error.retry_after or min(2**attempt, LONGEST_PAUSE))
    raise AssertionError("unreachable")


def _none_if_missing(call: Callable[[], T]) -> T | None:
    try:
        return retrying(call)
    except BackendApiError as error:
        if error.status == 404:
            return None
        raise
