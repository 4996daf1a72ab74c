"""Finding members: by name, address or role, in any order, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .clerk import LocalClerk
from .resources import EmailAddress, OrganizationMembership, PhoneNumber, User
from .store import Value

Membership = OrganizationMembership


@dataclass(frozen=True)
class Person:
    """A member with what one can search by and sort after."""

    membership: Membership
    first_name: str
    last_name: str
    username: str
    email_addresses: Sequence[str] = ()
    phone_numbers: Sequence[str] = ()

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def text(self) -> str:
        """Everything that a query looks at, in lower case."""
        names = (self.membership.user_id, self.name, self.username)
        return "\n".join((*names, *self.email_addresses, *self.phone_numbers)).lower()


SORT_KEYS: dict[str, Callable[[Person], str]] = {
    "first_name": lambda person: person.first_name.lower(),
    "last_name": lambda person: person.last_name.lower(),
    "username": lambda person: person.username,
    "email_address": lambda person: min(person.email_addresses, default=""),
    "phone_number": lambda person: min(person.phone_numbers, default=""),
}


ORDERS = ("created_at", *SORT_KEYS)


@dataclass(frozen=True)
class MemberFilter:
    """Which members, and in which order. Empty: all of them."""

    roles: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    query: str = ""
    name_query: str = ""
    email_address_query: str = ""
    username_query: str = ""
    phone_number_query: str = ""
    order_by: str = "-created_at"

    @property
    def needs_people(self) -> bool:
        """Whether the memberships alone do not tell."""
        texts = (
            self.query,
            self.name_query,
            self.email_address_query,
            self.username_query,
            self.phone_number_query,
        )
        return any(texts) or bool(self.email_addresses) or self.order_key != "created_at"

    @property
    def order_key(self) -> str:
        """What to sort after, without its sign."""
        return self.order_by.lstrip("+-")


def list_members(
    clerk: LocalClerk, organization_id: str, wanted: MemberFilter, limit: int, offset: int
) -> tuple[list[Membership], int]:
    """A page of members, and how many there are on all pages."""
    equal: dict[str, Value] = {"organization_id": organization_id}
    equal |= {"role": wanted.roles} if wanted.roles else {}
    equal |= {"user_id": wanted.user_ids} if wanted.user_ids else {}
    newest_first = wanted.order_by.startswith("-")
    if not wanted.needs_people:
        found = clerk.store.find(
            Membership, newest_first=newest_first, limit=limit, offset=offset, **equal
        )
        return found, clerk.store.count(Membership, **equal)
    everybody = clerk.store.find(Membership, newest_first=newest_first, limit=-1, offset=0, **equal)
    people = _people(clerk, everybody)
    matching = [person for person in people if _matches(person, wanted)]
    if wanted.order_key != "created_at":
        matching.sort(key=SORT_KEYS[wanted.order_key], reverse=newest_first)
    page = matching[offset : offset + limit]
    return [person.membership for person in page], len(matching)


def _people(clerk: LocalClerk, memberships: list[Membership]) -> list[Person]:
    ids = tuple(membership.user_id for membership in memberships)
    names = clerk.store.values(User, "id", "first_name", "last_name", "username", id=ids)
    known = {id: (first or "", last or "", username or "") for id, first, last, username in names}
    emails: dict[str, list[str]] = {}
    for user_id, address in clerk.store.values(
        EmailAddress, "user_id", "email_address", user_id=ids
    ):
        emails.setdefault(user_id, []).append(address)
    phones: dict[str, list[str]] = {}
    for user_id, number in clerk.store.values(PhoneNumber, "user_id", "phone_number", user_id=ids):
        phones.setdefault(user_id, []).append(number)
    return [
        Person(membership, *known[id], emails.get(id, ()), phones.get(id, ()))
        for membership, id in zip(memberships, ids, strict=True)
        if id in known
    ]


def _matches(person: Person, wanted: MemberFilter) -> bool:
    emails = "\n".join(person.email_addresses)
    looked_at = (
        (wanted.query, person.text),
        (wanted.name_query, person.name),
        (wanted.email_address_query, emails),
        (wanted.username_query, person.username),
        (wanted.phone_number_query, "\n".join(person.phone_numbers)),
    )
    if not all(query.strip().lower() in text.lower() for query, text in looked_at):
        return False
    addresses = wanted.email_addresses
    return not addresses or not set(addresses).isdisjoint(person.email_addresses)
