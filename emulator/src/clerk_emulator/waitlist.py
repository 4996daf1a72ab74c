"""The waitlist: who would like to sign up where people are let in one by one."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .resources import WaitlistEntry
from .serializers.tickets import waitlist_entry_json
from .users import normalize_email
from .waitlist_admission import add_to_waitlist


def join_waitlist(clerk: LocalClerk, email_address: str) -> WaitlistEntry:
    """Put somebody on the waitlist; whoever is on it already stays where they are.

    The address of an account may join as well, so that nobody learns who has one.

    :raises ClerkError: if there is no waitlist, or for a malformed address.
    """
    if clerk.settings.sign_up.mode != "waitlist":
        raise ClerkError("feature_not_enabled", "The waitlist is not enabled.", 403)
    return add_to_waitlist(clerk, normalize_email(email_address))


def leave_waitlist(clerk: LocalClerk, email_address: str | None) -> None:
    """Somebody has signed up."""
    entry = clerk.store.first(WaitlistEntry, email_address=email_address)
    if entry is not None:
        entry.status, entry.updated_at = "completed", clerk.now
        clerk.store.put(entry)
        record_event(clerk, "waitlistEntry.updated", waitlist_entry_json(clerk, entry))
