"""Finding accounts as the Backend API lets the app's server find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clerk import LocalClerk
from .resources import EmailAddress, ExternalAccount, OrganizationMembership, PhoneNumber, User
from .store import Value

EMPTY_LAST = "\uffff"


@dataclass(frozen=True)
class UserSearch:
    """What accounts must be like. Lists: one of these, or with ``-`` in front none of these.

    :param values: ``email_address``, ``phone_number``, ``username``, ``user_id``,
        ``external_id``, ``organization_id``, ``provider``, ``provider_user_id`` → wanted values.
    :param parts: ``query``, ``email_address_query``, ``phone_number_query``, ``username_query``,
        ``name_query``, ``anything`` → part of the text; case does not matter.
    :param after: ``created_at``, ``last_active_at``, ``last_sign_in_at`` → unix milliseconds.
    :param before: the same.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    banned: bool | None = None

    def is_empty(self) -> bool:
        """Whether every account will do."""
        some = self.values or self.parts or self.after or self.before
        return not some and self.banned is None


FIELDS = (
    "id",
    "first_name",
    "last_name",
    "username",
    "external_id",
    "banned",
    "created_at",
    "updated_at",
    "last_active_at",
    "last_sign_in_at",
)
"""What of an account decides whether it is found, and where it stands."""


@dataclass(frozen=True)
class _Known:
    """An account, with the texts that it can be found by."""

    user: dict[str, Any]
    texts: dict[str, list[str]]


def _time(name: str) -> Callable[[_Known], int]:
    return lambda known: known.user[name] or 0


def _name(name: str) -> Callable[[_Known], str]:
    return lambda known: (known.user[name] or EMPTY_LAST).lower()


def _least(name: str) -> Callable[[_Known], str]:
    return lambda known: min(known.texts[name], default=EMPTY_LAST)


ORDERS: dict[str, Callable[[_Known], str | int]] = {
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
    "last_active_at": _time("last_active_at"),
    "last_sign_in_at": _time("last_sign_in_at"),
    "first_name": _name("first_name"),
    "last_name": _name("last_name"),
    "username": _least("username"),
    "email_address": _least("email_address"),
    "phone_number": _least("phone_number"),
    "web3wallet": lambda known: EMPTY_LAST,  # nobody has one here
}
"""What lists can be ordered by; with ``-`` in front the other way round."""

PARTS = {
    "query": ("email_address", "phone_number", "username", "user_id", "name"),
    "email_address_query": ("email_address",),
    "phone_number_query": ("phone_number",),
    "username_query": ("username",),
    "name_query": ("name",),
    "anything": ("email_address", "phone_number", "username", "user_id", "name", "external_id"),
}


def find_users(clerk: LocalClerk, search: UserSearch, order: str = "-created_at") -> list[str]:
    """The ids of all accounts that match, in that order; equal ones in the order of creation."""
    found = [one for one in _known(clerk, _candidates(clerk, search)) if _matches(one, search)]
    newest_first = order.startswith("-")
    if newest_first:
        found.reverse()
    found.sort(key=ORDERS[order.lstrip("+-")], reverse=newest_first)
    return [one.user["id"] for one in found]


def load_users(clerk: LocalClerk, ids: Sequence[str]) -> list[User]:
    """These accounts, in this order."""
    found = clerk.store.get_many(User, ids)
    return [found[id] for id in ids]


def _candidates(clerk: LocalClerk, search: UserSearch) -> tuple[str, ...] | None:
    """The ids of those who may match, where the search names them; None: everybody."""
    ids = search.values.get("user_id", [])
    if ids and not any(id.startswith("-") for id in ids):
        return tuple(id.lstrip("+ ") for id in ids)
    addresses = search.values.get("email_address", [])
    if addresses and not any(address.startswith("-") for address in addresses):
        wanted = tuple(address.lower().lstrip("+ ") for address in addresses)
        owners = clerk.store.values(EmailAddress, "user_id", email_address=wanted)
        return tuple(id for (id,) in owners)
    return None


def _known(clerk: LocalClerk, ids: tuple[str, ...] | None) -> list[_Known]:
    """These accounts: one query for each kind of thing that belongs to one, for all together."""
    store = clerk.store
    which: dict[str, Value] = {} if ids is None else {"id": ids}
    theirs: dict[str, Value] = {} if ids is None else {"user_id": ids}
    users = [dict(zip(FIELDS, row, strict=True)) for row in store.values(User, *FIELDS, **which)]
    texts: dict[str, dict[str, list[str]]] = {user["id"]: _own_texts(user) for user in users}

    def add(name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for user_id, text in rows:
            if user_id in texts:
                texts[user_id][name].append(text)

    add("email_address", store.values(EmailAddress, "user_id", "email_address", **theirs))
    add("phone_number", store.values(PhoneNumber, "user_id", "phone_number", **theirs))
    add(
        "organization_id",
        store.values(OrganizationMembership, "user_id", "organization_id", **theirs),
    )
    accounts = store.values(
        ExternalAccount, "user_id", "provider", "provider_user_id", verified=True, **theirs
    )
    for user_id, provider, provider_user_id in accounts:
        add("provider", ((user_id, provider), (user_id, f"oauth_{provider}")))
        add("provider_user_id", [(user_id, provider_user_id)])
    return [_Known(user, texts[user["id"]]) for user in users]


def _own_texts(user: dict[str, Any]) -> dict[str, list[str]]:
    name = " ".join(filter(None, (user["first_name"], user["last_name"])))
    return {
        "user_id": [user["id"]],
        "username": [user["username"]] if user["username"] else [],
        "external_id": [user["external_id"]] if user["external_id"] else [],
        "name": [name],
        "email_address": [],
        "phone_number": [],
        "organization_id": [],
        "provider": [],
        "provider_user_id": [],
    }


def _matches(known: _Known, search: UserSearch) -> bool:
    user = known.user
    if search.banned is not None and bool(user["banned"]) is not search.banned:
        return False
    if not all(_has(known.texts[name], wanted) for name, wanted in search.values.items()):
        return False
    if not all(_contains(known, name, part) for name, part in search.parts.items()):
        return False
    late = all(time <= (user[name] or 0) for name, time in search.after.items())
    early = all(0 < (user[name] or 0) <= time for name, time in search.before.items())
    return late and early


def _has(texts: list[str], wanted: list[str]) -> bool:
    """One of the wanted values must be there, if any are wanted; none of those with a minus."""
    lowered = {text.lower() for text in texts}
    without = {value[1:].lower() for value in wanted if value.startswith("-")}
    # "+" means the same as nothing; but it is also how a phone number begins.
    positive = [value.lower() for value in wanted if not value.startswith("-")]
    having = {text for value in positive for text in (value, value.lstrip("+ "))}
    having |= {f"+{value.strip()}" for value in positive if value.startswith(" ")}
    return not lowered & without and (not having or bool(lowered & having))


def _contains(known: _Known, name: str, part: str) -> bool:
    wanted = part.strip().lower()
    return any(wanted in text.lower() for kind in PARTS[name] for text in known.texts[kind])
