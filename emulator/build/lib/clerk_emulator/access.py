"""Who may use the instance: its allowlist and blocklist, and what addresses must not look like."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import EmailAddress, ListedIdentifier, PhoneNumber, User

SUBADDRESS_MARKS = "+=#"
GMAIL = ("gmail.com", "googlemail.com")
DISPOSABLE_DOMAINS = frozenset(
    (
        "10minutemail.com",
        "dispostable.com",
        "fakeinbox.com",
        "getnada.com",
        "guerrillamail.com",
        "maildrop.cc",
        "mailinator.com",
        "mailnesia.com",
        "mintemail.com",
        "mohmal.com",
        "sharklasers.com",
        "temp-mail.org",
        "tempmail.com",
        "throwawaymail.com",
        "trashmail.com",
        "yopmail.com",
    )
)
"""The best known ones. Clerk knows many thousands."""


def check_sign_up_access(clerk: LocalClerk, address: str | None, number: str | None) -> None:
    """Refuse a registration that the instance's lists do not let in.

    With an allowlist, one of the two has to be on it.

    :raises ClerkError: 403 ``not_allowed_access``.
    """
    if address is not None:
        check_address_looks(clerk, address)
    _check_lists(clerk, [text for text in (address, number) if text])


def check_new_identifier(clerk: LocalClerk, identifier: str) -> None:
    """Refuse an address or number that somebody wants to add to their account.

    An allowlist is for addresses here: who is in already may have any number that is not blocked.

    :raises ClerkError: 403 ``not_allowed_access``.
    """
    is_address = "@" in identifier
    if is_address:
        check_address_looks(clerk, identifier)
    _check_lists(clerk, [identifier], must_be_allowed=is_address)


def check_sign_in_access(clerk: LocalClerk, user: User) -> None:
    """Refuse an account of which an address or number is blocked, or none is allowed.

    :raises ClerkError: 403 ``not_allowed_access``.
    """
    if clerk.settings.restrictions.allowlist_blocklist_disabled_on_sign_in:
        return
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    phones = clerk.store.find(PhoneNumber, user_id=user.id, verified=True)
    known = [email.email_address for email in emails] + [phone.phone_number for phone in phones]
    _check_lists(clerk, known)


def check_address_looks(clerk: LocalClerk, address: str) -> None:
    """Refuse a new address with a part that makes many out of one, or of a throw-away mailbox.

    :raises ClerkError: 403 ``not_allowed_access``.
    """
    rules = clerk.settings.restrictions
    if rules.block_disposable_email_domains and _is_disposable(address):
        raise _refusal([address])
    if not rules.block_email_subaddresses:
        return
    if any(mark in _local_part(address) for mark in SUBADDRESS_MARKS):
        raise ClerkError(
            "not_allowed_access",
            "Email address must not contain the characters '+', '=', or '#'.",
            403,
            "email_address",
        )
    if _has_gmail_twin(clerk, address):
        raise ClerkError(
            "not_allowed_access",
            "This email address is already in use. "
            "Creating multiple accounts with the same email address is not allowed.",
            403,
            "email_address",
        )


def _check_lists(
    clerk: LocalClerk, identifiers: list[str], *, must_be_allowed: bool = True
) -> None:
    rules = clerk.settings.restrictions
    allowed = [text for text in identifiers if rules.allowlist and _is_on(clerk, "allowlist", text)]
    if rules.blocklist:
        rest = (text for text in identifiers if text not in allowed)
        blocked = [text for text in rest if _is_on(clerk, "blocklist", text)]
        if blocked:
            raise _refusal(blocked)
    if must_be_allowed and rules.allowlist and not allowed:
        raise _refusal(identifiers)


def _is_on(clerk: LocalClerk, name: str, identifier: str) -> bool:
    """Whether a list has this very identifier, its domain, or the domains above it.

    An address on the blocklist stands for all its subaddresses, too.
    """
    fits = {identifier, *_patterns(identifier)}
    if name == "blocklist":
        fits.add(_without_subaddress(identifier))
    listed = partial(clerk.store.first, ListedIdentifier, list=name)
    return any(listed(identifier=text) is not None for text in fits)


def _patterns(identifier: str) -> Iterable[str]:
    """``*@b.example.com``, ``*@*.example.com``, ``*@*.com`` for ``a@b.example.com``."""
    _, at, domain = identifier.rpartition("@")
    if at:
        yield f"*@{domain}"
        labels = domain.split(".")
        for place in range(1, len(labels)):
            yield f"*@*.{'.'.join(labels[place:])}"


def _local_part(address: str) -> str:
    return address.rpartition("@")[0]


def _without_subaddress(address: str) -> str:
    name, at, domain = address.rpartition("@")
    cut = min((name.find(mark) for mark in SUBADDRESS_MARKS if mark in name), default=len(name))
    return f"{name[:cut]}{at}{domain}" if at else address


def _is_disposable(address: str) -> bool:
    domain = address.rpartition("@")[2]
    return any(domain == known or domain.endswith(f".{known}") for known in DISPOSABLE_DOMAINS)


def _has_gmail_twin(clerk: LocalClerk, address: str) -> bool:
    """Whether an account has the same Gmail mailbox, with dots elsewhere."""
    name, _, domain = address.rpartition("@")
    if domain not in GMAIL:
        return False
    plain = name.replace(".", "")
    return any(
        known.email_address != address
        and known.email_address.rpartition("@")[2] in GMAIL
        and _local_part(known.email_address).replace(".", "") == plain
        for known in clerk.store.find(EmailAddress, verified=True)
    )


def _refusal(identifiers: list[str]) -> ClerkError:
    who = ", ".join(identifiers) or "You"
    verb = "is" if len(identifiers) == 1 else "are"
    message = f"{who} {verb} not allowed to access this application."
    return ClerkError("not_allowed_access", message, 403, meta={"identifiers": identifiers})
