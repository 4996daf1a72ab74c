"""Asking people by e-mail to join an organization.

Who holds the ticket has read the e-mail; still, only the account with that address can accept.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError, missing, not_found
from .events import record_event
from .memberships import add_member, already_a_member, require_room
from .organizations import require_role
from .resources import (
    EmailAddress,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    User,
    new_id,
)
from .serializers import backend_organization_invitation_json, invitation_link
from .users import normalize_email
from .verifications import send_message

DAY_MS = 24 * 3_600_000
DEFAULT_EXPIRES_IN_DAYS = 30
MAX_BULK = 100


@dataclass(frozen=True)
class NewInvitation:
    """Whom to ask, and what for."""

    email_address: str
    role: str
    inviter: User | None = None
    redirect_url: str = ""
    expires_in_days: int = DEFAULT_EXPIRES_IN_DAYS
    notify: bool = True
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)


def invite(
    clerk: LocalClerk, organization: Organization, new: Sequence[NewInvitation], base_url: str
) -> list[OrganizationInvitation]:
    """Ask people to join: all of them, or nobody.

    :param base_url: where their browsers reach the emulator, for the link in the e-mail.
    :raises ClerkError: for an address or role that will not do, who is a member or invited
        already (``already_a_member_in_organization``, ``duplicate_record``), or for too many.
    """
    if not new:
        raise missing("email_address")
    if len(new) > MAX_BULK:
        message = f"Parameters exceed the maximum allowed bulk processing size of {MAX_BULK}."
        raise ClerkError("bulk_size_exceeded", message, 400)
    for one in new:
        require_role(clerk, one.role)
    addresses = [normalize_email(one.email_address) for one in new]
    _refuse_members(clerk, organization, addresses)
    _refuse_duplicates(clerk, organization, addresses)
    require_room(clerk, organization, len(new))
    return [
        _invite(clerk, organization, one, address, base_url)
        for one, address in zip(new, addresses, strict=True)
    ]


def _invite(
    clerk: LocalClerk,
    organization: Organization,
    new: NewInvitation,
    address: str,
    base_url: str,
) -> OrganizationInvitation:
    now = clerk.now
    invitation = OrganizationInvitation(
        new_id("orginv"),
        now,
        now,
        organization.id,
        address,
        new.role,
        inviter_user_id=new.inviter.id if new.inviter else None,
        ticket=secrets.token_urlsafe(32),
        redirect_url=new.redirect_url,
        expires_at=now + new.expires_in_days * DAY_MS,
        public_metadata=new.public_metadata,
        private_metadata=new.private_metadata,
    )
    clerk.store.put(invitation)
    if new.notify:
        subject = f"You are invited to join {organization.name}"
        who = (new.inviter.name if new.inviter else "") or "Somebody"
        body = f"{who} has invited you to join {organization.name}."
        link = invitation_link(invitation, base_url)
        send_message(clerk, address, subject, body, slug="organization_invitation", link=link)
    tell_invitation(clerk, "created", invitation)
    return invitation


def _refuse_members(clerk: LocalClerk, organization: Organization, addresses: list[str]) -> None:
    emails = clerk.store.find(EmailAddress, email_address=tuple(addresses), verified=True)
    owners = {email.user_id: email.email_address for email in emails}
    members = clerk.store.find(
        OrganizationMembership, user_id=tuple(owners), organization_id=organization.id
    )
    if members:
        raise already_a_member(owners[members[0].user_id])


def _refuse_duplicates(clerk: LocalClerk, organization: Organization, addresses: list[str]) -> None:
    expire_invitations(clerk, organization.id)
    pending = clerk.store.find(
        OrganizationInvitation,
        email_address=tuple(addresses),
        organization_id=organization.id,
        status="pending",
    )
    twice = {address for address in addresses if addresses.count(address) > 1}
    duplicates = sorted({invitation.email_address for invitation in pending} | twice)
    if duplicates:
        message = (
            "There are already pending invitations for the following email addresses: "
            f"{', '.join(duplicates)}"
        )
        meta = {"email_addresses": duplicates}
        raise ClerkError("duplicate_record", message, 400, "email_address", meta=meta)


def expire_invitations(clerk: LocalClerk, organization_id: str) -> None:
    """Notice which pending invitations have become too old."""
    for invitation in clerk.store.find(
        OrganizationInvitation, organization_id=organization_id, status="pending"
    ):
        _notice_expiry(clerk, invitation)


def _notice_expiry(clerk: LocalClerk, invitation: OrganizationInvitation) -> None:
    over = invitation.expires_at is not None and invitation.expires_at <= clerk.now
    if over and invitation.status == "pending":
        _finish(clerk, invitation, "expired")


def organization_invitation(
    clerk: LocalClerk, organization_id: str, id: str
) -> OrganizationInvitation:
    """An invitation of that organization.

    :raises ClerkError: 404.
    """
    invitation = clerk.store.get(OrganizationInvitation, id)
    if invitation is None or invitation.organization_id != organization_id:
        raise not_found("Organization invitation")
    _notice_expiry(clerk, invitation)
    return invitation


def revoke_invitation(clerk: LocalClerk, invitation: OrganizationInvitation) -> None:
    """Take a pending invitation back.

    :raises ClerkError: 400 if it is not pending any more.
    """
    require_pending(clerk, invitation)
    _finish(clerk, invitation, "revoked")
    tell_invitation(clerk, "revoked", invitation)


def require_pending(clerk: LocalClerk, invitation: OrganizationInvitation) -> None:
    """Whether it can still be accepted.

    :raises ClerkError: 400, whose code says why not.
    """
    _notice_expiry(clerk, invitation)
    problems = {
        "accepted": ("invitation_already_accepted", "This invitation has already been accepted."),
        "revoked": ("revoked_invitation", "The invitation was revoked."),
        "expired": ("ticket_expired_code", "This invitation has expired. Ask for another."),
    }
    if invitation.status in problems:
        code, message = problems[invitation.status]
        raise ClerkError(code, message, 400)


def find_ticket(clerk: LocalClerk, ticket: str) -> OrganizationInvitation | None:
    """The invitation that a ``__clerk_ticket`` belongs to; None if it is of another kind.

    :raises ClerkError: 400 if it has been used or revoked, or has expired.
    """
    invitation = clerk.store.first(OrganizationInvitation, ticket=ticket) if ticket else None
    if invitation is not None:
        require_pending(clerk, invitation)
    return invitation


def accept_ticket(clerk: LocalClerk, ticket: str, user: User) -> OrganizationMembership | None:
    """Accept the invitation of a ``__clerk_ticket``; None if it is of another kind.

    :raises ClerkError: as :func:`find_ticket` and :func:`accept_invitation`.
    """
    invitation = find_ticket(clerk, ticket)
    return accept_invitation(clerk, invitation, user) if invitation else None


def accept_invitation(
    clerk: LocalClerk, invitation: OrganizationInvitation, user: User
) -> OrganizationMembership:
    """Join. The seat has been kept since the invitation was sent.

    :raises ClerkError: 404 if it is for somebody else, 400 if it is not pending any more.
    """
    if not clerk.store.first(
        EmailAddress, user_id=user.id, email_address=invitation.email_address, verified=True
    ):
        raise not_found("Organization invitation")
    require_pending(clerk, invitation)
    organization = clerk.store.get(Organization, invitation.organization_id)
    if organization is None:
        raise not_found("Organization")
    invitation.user_id = user.id
    _finish(clerk, invitation, "accepted")
    membership = add_member(
        clerk,
        organization,
        user,
        invitation.role,
        public_metadata=invitation.public_metadata,
        private_metadata=invitation.private_metadata,
    )
    tell_invitation(clerk, "accepted", invitation)
    return membership


def user_invitations(clerk: LocalClerk, user: User) -> list[OrganizationInvitation]:
    """Invitations to any of a user's verified addresses, newest first."""
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    addresses = tuple(email.email_address for email in emails)
    found = clerk.store.find(OrganizationInvitation, email_address=addresses, newest_first=True)
    for invitation in found:
        _notice_expiry(clerk, invitation)
    return found


def _finish(clerk: LocalClerk, invitation: OrganizationInvitation, status: str) -> None:
    invitation.status = status
    invitation.updated_at = clerk.now
    clerk.store.put(invitation)


def tell_invitation(clerk: LocalClerk, what: str, invitation: OrganizationInvitation) -> None:
    """Record ``organizationInvitation.created``, ``accepted`` or ``revoked``."""
    data = backend_organization_invitation_json(clerk, invitation)
    data |= {"user_id": invitation.user_id} if invitation.user_id else {}
    record_event(clerk, f"organizationInvitation.{what}", data)
