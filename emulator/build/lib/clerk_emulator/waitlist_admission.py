"""Who of the waitlist is let in, as the app's server decides."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .invitations import NewInvitation, create_invitation
from .resources import WaitlistEntry, new_id
from .serializers.tickets import waitlist_entry_json


def add_to_waitlist(clerk: LocalClerk, email_address: str) -> WaitlistEntry:
    """Put somebody on the waitlist; who is on it already stays where they are.

    :param email_address: normalized.
    """
    found = clerk.store.first(WaitlistEntry, email_address=email_address)
    if found is not None:
        return found
    now = clerk.now
    entry = WaitlistEntry(new_id("wle"), now, now, email_address)
    clerk.store.put(entry)
    record_event(clerk, "waitlistEntry.created", waitlist_entry_json(clerk, entry))
    return entry


def invite_from_waitlist(
    clerk: LocalClerk, entry: WaitlistEntry, *, ignore_existing: bool = False
) -> None:
    """Let somebody in: they get an invitation by e-mail.

    :raises ClerkError: 400 if they were let in before.
    """
    if entry.status in ("invited", "completed"):
        raise ClerkError("waitlist_entry_already_invited", f"It is {entry.status}.", 400)
    new = NewInvitation(entry.email_address, ignore_existing=ignore_existing)
    entry.invitation_id = create_invitation(clerk, new).id
    _settle(clerk, entry, "invited")


def reject_from_waitlist(clerk: LocalClerk, entry: WaitlistEntry) -> None:
    """Do not let somebody in.

    :raises ClerkError: 400 if they were let in or turned away before.
    """
    if entry.status != "pending":
        raise ClerkError("waitlist_entry_not_pending", f"It is {entry.status}.", 400)
    _settle(clerk, entry, "rejected")


def _settle(clerk: LocalClerk, entry: WaitlistEntry, status: str) -> None:
    entry.status = status
    entry.updated_at = clerk.now
    clerk.store.put(entry)
    record_event(clerk, "waitlistEntry.updated", waitlist_entry_json(clerk, entry))
