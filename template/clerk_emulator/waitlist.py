"""The waitlist: who would like to sign up where people are let in one by one."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .resources import WaitlistEntry, new_id
from .serializers.tickets import waitlist_entry_json
from .users import check_email_free, normalize_email


def join_waitlist(clerk: LocalClerk, email_address: str) -> WaitlistEntry:
    """Put somebody on the waitlist; whoever is on it already stays where they are.

    :raises ClerkError: if there is no waitlist, or for a malformed address or one of an account.
    """
    if clerk.settings.sign_up.mode != "waitlist":
        raise ClerkError("feature_not_enabled", "The waitlist is not enabled here.", 403)
    address = normalize_email(email_address)
    check_email_free(clerk, address)
    entry = clerk.store.first(WaitlistEntry, email_address=address)
    if entry is None:
        entry = WaitlistEntry(new_id("wle"), clerk.now, clerk.now, address)
        clerk.store.put(entry)
        record_event(clerk, "waitlistEntry.created", waitlist_entry_json(clerk, entry))
    return entry


def leave_waitlist(clerk: LocalClerk, email_address: str | None) -> None:
    """Somebody has signed up."""
    entry = clerk.store.first(WaitlistEntry, email_address=email_address)
    if entry is not None:
        entry.status, entry.updated_at = "completed", clerk.now
        clerk.store.put(entry)
        record_event(clerk, "waitlistEntry.updated", waitlist_entry_json(clerk, entry))
