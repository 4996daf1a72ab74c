"""Finding accounts as the Backend API lets the app's server find them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .clerk import LocalClerk
from .resources import EmailAddress, ExternalAccount, OrganizationMembership, PhoneNumber, User

EMPTY_LAST = "\uffff"


@dataclass(frozen=True)
class UserSearch:
    """What accounts must be like. Lists: one of these, or with ``-`` in front none of these.

    :param values: ``email_address``, ``phone_number``, ``username``, ``user_id``,
        ``external_id``, ``organization_id``, ``provider``, ``provider_user_id`` → wanted values.
    :param parts: ``query``, ``email_address_query``, ``phone_number_query``, ``username_query``,
        ``name_query`` → part of the text; case does not matter.
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


@dataclass(frozen=True)
class _Known:
    """An account, with the texts that it can be found by."""

    user: User
    texts: dict[str, list[str]]


ORDERS: dict[str, Callable[[_Known], str | int]] = {
    "created_at": lambda known: known.user.created_at,
    "updated_at": lambda known: known.user.updated_at,
    "last_active_at": lambda known: known.user.last_active_at or 0,
    "last_sign_in_at": lambda known: known.user.last_sign_in_at or 0,
    "first_name": lambda known: (known.user.first_name or EMPTY_LAST).lower(),
    "last_name": lambda known: (known.user.last_name or EMPTY_LAST).lower(),
    "username": lambda known: known.user.username or EMPTY_LAST,
    "email_address": lambda known: min(known.texts["email_address"], default=EMPTY_LAST),
    "phone_number": lambda known: min(known.texts["phone_number"], default=EMPTY_LAST),
    "web3wallet": lambda known: EMPTY_LAST,  # nobody has one here
}
"""What lists can be ordered by; with ``-`` in front the other way round."""

PARTS = {
    "query": ("email_address", "phone_number", "username", "user_id", "name"),
    "email_address_query": ("email_address",),
    "phone_number_query": ("phone_number",),
    "username_query": ("username",),
    "name_query": ("name",),
}


def find_users(clerk: LocalClerk, search: UserSearch, order: str = "-created_at") -> list[User]:
    """All accounts that match, in that order; equal ones in the order of creation."""
    known = [_known(clerk, user) for user in clerk.store.find(User)]
    found = [one for one in known if _matches(one, search)]
    newest_first = order.startswith("-")
    if newest_first:
        found.reverse()
    found.sort(key=ORDERS[order.lstrip("+-")], reverse=newest_first)
    return [one.user for one in found]


def _known(clerk: LocalClerk, user: User) -> _Known:
    store = clerk.store
    accounts = store.find(ExternalAccount, user_id=user.id, verified=True)
    memberships = store.find(OrganizationMembership, user_id=user.id)
    texts = {
        "email_address": [e.email_address for e in store.find(EmailAddress, user_id=user.id)],
        "phone_number": [p.phone_number for p in store.find(PhoneNumber, user_id=user.id)],
        "username": [user.username] if user.username else [],
        "external_id": [user.external_id] if user.external_id else [],
        "user_id": [user.id],
        "name": [user.name.lower()],
        "organization_id": [membership.organization_id for membership in memberships],
        "provider": [text for a in accounts for text in (a.provider, f"oauth_{a.provider}")],
        "provider_user_id": [account.provider_user_id for account in accounts],
    }
    return _Known(user, texts)


def _matches(known: _Known, search: UserSearch) -> bool:
    user = known.user
    if search.banned is not None and user.banned is not search.banned:
        return False
    if not all(_has(known.texts[name], wanted) for name, wanted in search.values.items()):
        return False
    if not all(_contains(known, name, part) for name, part in search.parts.items()):
        return False
    late = all(time <= (getattr(user, name) or 0) for name, time in search.after.items())
    early = all(0 < (getattr(user, name) or 0) <= time for name, time in search.before.items())
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
