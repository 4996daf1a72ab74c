"""The cast of test users: a TOML file that a team shares.

Users are known by their first e-mail address, organizations by their slug. Loading the file again
brings them up to date and makes nobody twice.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .memberships import add_member, change_role
from .organization_changes import NewOrganization, create_organization, save_organization
from .organization_invitations import NewInvitation, invite
from .phone_numbers import add_phone_number, normalize_phone_number
from .resources import (
    EmailAddress,
    Invitation,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    PhoneNumber,
    User,
    new_id,
)
from .usernames import check_username_free, normalize_username
from .users import (
    NewUser,
    add_email_address,
    check_name,
    check_password,
    create_user,
    hash_password,
    normalize_email,
    save_user,
)

DAY_MS = 24 * 3_600_000
INVITATION_DAYS = 30

METADATA = ("public_metadata", "private_metadata")
KINDS: dict[str, dict[str, type]] = {
    "": {"users": list, "organizations": list, "invitations": list},
    "users": {
        "email_address": str,
        "email_addresses": list,
        "phone_numbers": list,
        "password": str,
        "username": str,
        "first_name": str,
        "last_name": str,
        "external_id": str,
        "public_metadata": dict,
        "private_metadata": dict,
        "unsafe_metadata": dict,
        "banned": bool,
        "locked": bool,
    },
    "organizations": {
        "name": str,
        "slug": str,
        "created_by": str,
        "max_allowed_memberships": int,
        "public_metadata": dict,
        "private_metadata": dict,
        "members": list,
        "invitations": list,
    },
    "members": {"email_address": str, "role": str},
    "organization_invitations": {"email_address": str, "role": str},
    "invitations": {"email_address": str, "redirect_url": str, "public_metadata": dict},
}
"""What each kind of entry may have, and of which type."""

NAMES = {str: "a string", list: "a list", dict: "a table", bool: "true or false", int: "a number"}
Entry = dict[str, Any]


class SeedsError(ValueError):
    """An entry that makes no sense. The message names it, what was seen, and what was expected."""


def read_seeds(path: Path | None) -> Entry:
    """Read a seeds file.

    :raises SeedsError: if there is none or it cannot be read.
    """
    if path is None:
        raise SeedsError("There is no seeds file. Start the local Clerk with --seeds FILE.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SeedsError(f"The seeds file {path} can't be read: {error}.") from None


def load_seeds(clerk: LocalClerk, tables: Entry) -> dict[str, int]:
    """Make what is named and not there yet, and bring the rest up to date; all of it, or nothing.

    :returns: how many users, organizations and invitations the tables name.
    :raises SeedsError: for an entry that makes no sense.
    """
    _check(tables, "", "The seeds")
    with clerk.store.transaction():
        for kind, load in LOADERS.items():
            for number, entry in enumerate(tables.get(kind, ()), 1):
                _load(clerk, load, kind, entry, f"{kind}[{number}]")
    return {kind: len(tables.get(kind, ())) for kind in LOADERS}


def _load(
    clerk: LocalClerk, load: Callable[[LocalClerk, Entry], None], kind: str, entry: Any, where: str
) -> None:
    _check(entry, kind, where)
    known = entry.get("email_address") or entry.get("slug") or entry.get("name")
    where = f"{where} ({known})" if known else where
    try:
        load(clerk, entry)
    except ClerkError as error:
        param = f", {error.param}" if error.param else ""
        raise SeedsError(f"{where}{param}: {error.message}") from None
    except SeedsError as error:
        raise SeedsError(f"{where}: {error}") from None


def _check(entry: Any, kind: str, where: str) -> None:
    if not isinstance(entry, dict):
        raise SeedsError(f"{where}: is {entry!r}; expected a table.")
    expected = KINDS[kind]
    for name, value in entry.items():
        if name not in expected:
            known = ", ".join(expected)
            raise SeedsError(f"{where}: {name} is not known; expected one of {known}.")
        wanted = expected[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise SeedsError(f"{where}: {name} is {value!r}; expected {NAMES[wanted]}.")


def _load_user(clerk: LocalClerk, entry: Entry) -> None:
    addresses = [normalize_email(address) for address in _texts(entry, "email_addresses")]
    if "email_address" in entry:
        addresses.insert(0, normalize_email(entry["email_address"]))
    if not addresses:
        raise SeedsError("email_address is missing; expected one such as ada@example.com.")
    user = _user_with(clerk, addresses[0]) or create_user(clerk, NewUser(addresses[0]))
    before = vars(user).copy()
    _change_profile(clerk, user, entry)
    _add_addresses(clerk, user, addresses)
    _add_numbers(clerk, user, _texts(entry, "phone_numbers"))
    if vars(user) != before:
        save_user(clerk, user)


def _change_profile(clerk: LocalClerk, user: User, entry: Entry) -> None:
    for name in ("external_id", *METADATA, "unsafe_metadata", "banned", "locked"):
        if name in entry:
            setattr(user, name, entry[name])
    for name in ("first_name", "last_name"):
        if name in entry:
            setattr(user, name, check_name(entry[name], name))
    if "username" in entry:
        username = normalize_username(clerk, entry["username"])
        check_username_free(clerk, username, user.id)
        user.username = username
    if "password" in entry and not _has_password(user, entry["password"]):
        user.password_hash = hash_password(entry["password"], clerk.settings.password)


def _has_password(user: User, password: str) -> bool:
    try:
        check_password(user, password)
    except ClerkError:
        return False
    return True


def _add_addresses(clerk: LocalClerk, user: User, addresses: list[str]) -> None:
    mine = {email.email_address for email in clerk.store.find(EmailAddress, user_id=user.id)}
    for address in addresses:
        if address not in mine:
            add_email_address(clerk, user.id, address, verified=True)
            mine.add(address)


def _add_numbers(clerk: LocalClerk, user: User, numbers: list[str]) -> None:
    mine = {phone.phone_number for phone in clerk.store.find(PhoneNumber, user_id=user.id)}
    for number in map(normalize_phone_number, numbers):
        if number not in mine:
            phone = add_phone_number(clerk, user.id, number, verified=True)
            user.primary_phone_number_id = user.primary_phone_number_id or phone.id
            mine.add(number)


def _load_organization(clerk: LocalClerk, entry: Entry) -> None:
    members = _entries(entry, "members", "members")
    invitations = _entries(entry, "invitations", "organization_invitations")
    slug = entry.get("slug", "")
    if not slug:
        raise SeedsError("slug is missing; expected lowercase letters, digits and dashes.")
    organization = clerk.store.first(Organization, slug=slug)
    if organization is None:
        organization = create_organization(clerk, _new_organization(entry), _creator(clerk, entry))
    else:
        _change_organization(clerk, organization, entry)
    for member in members:
        _add_member(clerk, organization, member)
    for invitation in invitations:
        _invite(clerk, organization, invitation)


def _new_organization(entry: Entry) -> NewOrganization:
    return NewOrganization(
        str(entry.get("name", entry["slug"])),
        str(entry["slug"]),
        entry.get("max_allowed_memberships"),
        public_metadata=entry.get("public_metadata", {}),
        private_metadata=entry.get("private_metadata", {}),
    )


def _creator(clerk: LocalClerk, entry: Entry) -> User | None:
    return _known_user(clerk, entry["created_by"]) if "created_by" in entry else None


def _change_organization(clerk: LocalClerk, organization: Organization, entry: Entry) -> None:
    before = vars(organization).copy()
    for name in ("name", "max_allowed_memberships", *METADATA):
        if name in entry:
            setattr(organization, name, entry[name])
    if vars(organization) != before:
        save_organization(clerk, organization)


def _add_member(clerk: LocalClerk, organization: Organization, entry: Entry) -> None:
    user = _known_user(clerk, entry.get("email_address", ""))
    role = entry.get("role", clerk.settings.organizations.default_role)
    membership = clerk.store.first(
        OrganizationMembership, organization_id=organization.id, user_id=user.id
    )
    if membership is None:
        add_member(clerk, organization, user, role, check_quota=False)
    elif membership.role != role:
        change_role(clerk, membership, role)


def _invite(clerk: LocalClerk, organization: Organization, entry: Entry) -> None:
    address = normalize_email(entry.get("email_address", ""))
    user = _user_with(clerk, address)
    found = clerk.store.first(
        OrganizationInvitation, organization_id=organization.id, email_address=address
    )
    inside = user is not None and clerk.store.first(
        OrganizationMembership, organization_id=organization.id, user_id=user.id
    )
    if found is None and not inside:
        role = entry.get("role", clerk.settings.organizations.default_role)
        invite(clerk, organization, [NewInvitation(address, role)], clerk.config.own_url)


def _load_invitation(clerk: LocalClerk, entry: Entry) -> None:
    address = normalize_email(entry.get("email_address", ""))
    if clerk.store.first(Invitation, email_address=address) or _user_with(clerk, address):
        return
    now = clerk.now
    invitation = Invitation(
        new_id("inv"),
        now,
        now,
        address,
        ticket=secrets.token_urlsafe(32),
        redirect_url=entry.get("redirect_url", ""),
        expires_at=now + INVITATION_DAYS * DAY_MS,
        public_metadata=entry.get("public_metadata", {}),
    )
    clerk.store.put(invitation)


def _texts(entry: Entry, name: str) -> list[str]:
    values: list[str] = entry.get(name, [])
    if not all(isinstance(value, str) for value in values):
        raise SeedsError(f"{name} is {values!r}; expected a list of strings.")
    return values


def _entries(entry: Entry, name: str, kind: str) -> list[Entry]:
    found: list[Entry] = entry.get(name, [])
    for number, one in enumerate(found, 1):
        _check(one, kind, f"{name}[{number}]")
    return found


def _user_with(clerk: LocalClerk, address: str) -> User | None:
    email = clerk.store.first(EmailAddress, email_address=address)
    return clerk.store.get(User, email.user_id) if email else None


def _known_user(clerk: LocalClerk, address: str) -> User:
    user = _user_with(clerk, normalize_email(address))
    if user is None:
        raise SeedsError(f"no user has the address {address}; expected one of the users above.")
    return user


LOADERS: dict[str, Callable[[LocalClerk, Entry], None]] = {
    "users": _load_user,
    "organizations": _load_organization,
    "invitations": _load_invitation,
}
