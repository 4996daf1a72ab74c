"""Invitations to sign up: an e-mail with a ticket, which proves the address and lets people in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .invitation_states import invitation_status, invitation_url
from .resources import EmailAddress, Invitation, new_id
from .serializers.tickets import invitation_json
from .verifications import send_message

DAY_MS = 24 * 3_600_000
DEFAULT_DAYS = 30
STATUSES = ("pending", "accepted", "revoked", "expired")


@dataclass(frozen=True)
class NewInvitation:
    """Whom to invite. The e-mail address must have been normalized.

    :param redirect_url: the page of the app that the e-mail leads to; it gets the ticket.
    :param notify: whether an e-mail is sent.
    :param ignore_existing: whether somebody can be invited again, or who has an account already.
    """

    email_address: str
    redirect_url: str = ""
    public_metadata: dict[str, Any] = field(default_factory=dict)
    notify: bool = True
    ignore_existing: bool = False
    expires_in_days: int | None = None


def create_invitation(clerk: LocalClerk, new: NewInvitation) -> Invitation:
    """Invite somebody.

    :raises ClerkError: ``duplicate_record`` for a second invitation, ``form_identifier_exists``
        for an address of an account.
    """
    if not new.ignore_existing:
        _check_new(clerk, new.email_address)
    now = clerk.now
    invitation = Invitation(
        new_id("inv"),
        now,
        now,
        new.email_address,
        ticket=secrets.token_urlsafe(32),
        redirect_url=new.redirect_url,
        expires_at=now + (new.expires_in_days or DEFAULT_DAYS) * DAY_MS,
        public_metadata=new.public_metadata,
    )
    clerk.store.put(invitation)
    if new.notify:
        name = clerk.settings.application.name or clerk.config.name
        subject, link = f"Your invitation to {name}", invitation_url(clerk, invitation)
        body = f"You are invited to {name}. Accept the invitation: {link}"
        send_message(clerk, new.email_address, subject, body, slug="invitation", link=link)
    tell_invitation(clerk, "created", invitation)
    return invitation


def tell_invitation(clerk: LocalClerk, what: str, invitation: Invitation) -> None:
    """Record ``invitation.created``, ``accepted`` or ``revoked``."""
    record_event(clerk, f"invitation.{what}", invitation_json(clerk, invitation))


def _check_new(clerk: LocalClerk, address: str) -> None:
    if clerk.store.first(EmailAddress, email_address=address, verified=True):
        message = "That email address is taken. Please try another."
        raise ClerkError("form_identifier_exists", message, param="email_address")
    for invitation in clerk.store.find(Invitation, email_address=address):
        if invitation_status(clerk, invitation) == "pending":
            message = f"There are already pending invitations for {address}."
            raise ClerkError("duplicate_record", message, 400, param="email_address")


def revoke_invitation(clerk: LocalClerk, invitation: Invitation) -> None:
    """Take an invitation back.

    :raises ClerkError: 400 if it was accepted or revoked before.
    """
    status = invitation_status(clerk, invitation)
    if status in ("accepted", "revoked"):
        message = f"This invitation is already {status}."
        raise ClerkError(f"invitation_already_{status}", message, 400)
    invitation.status, invitation.updated_at = "revoked", clerk.now
    clerk.store.put(invitation)
    tell_invitation(clerk, "revoked", invitation)
