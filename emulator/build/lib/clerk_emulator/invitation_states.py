"""What an invitation to sign up is worth now, and where its link leads."""

from __future__ import annotations

from .clerk import LocalClerk
from .resources import Invitation
from .urls import with_query


def invitation_url(clerk: LocalClerk, invitation: Invitation) -> str:
    """The link in the e-mail."""
    accept = f"{clerk.config.own_url}/v1/tickets/accept"
    return with_query(accept, ticket=invitation.ticket)


def invitation_status(clerk: LocalClerk, invitation: Invitation) -> str:
    """The status now: time may have passed."""
    over = invitation.expires_at is not None and invitation.expires_at <= clerk.now
    return "expired" if over and invitation.status == "pending" else invitation.status
