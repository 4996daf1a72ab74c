"""Invitations to organizations, from both sides."""

from __future__ import annotations

from collections.abc import Sequence

from ..clerk import LocalClerk
from ..resources import Organization, OrganizationInvitation, User
from .json import Json
from .organizations import public_organization_json, role_name
from .public_users import public_user_json


def organization_invitation_json(clerk: LocalClerk, invitation: OrganizationInvitation) -> Json:
    """An invitation, as the organization's own people see it."""
    return {
        "object": "organization_invitation",
        "id": invitation.id,
        "organization_id": invitation.organization_id,
        "email_address": invitation.email_address,
        "role": invitation.role,
        "role_name": role_name(clerk, invitation.role),
        "status": invitation.status,
        "public_metadata": invitation.public_metadata,
        "created_at": invitation.created_at,
        "updated_at": invitation.updated_at,
    }


def backend_organization_invitation_json(
    clerk: LocalClerk, invitation: OrganizationInvitation
) -> Json:
    """An invitation, as the Backend API and webhooks show it."""
    base = clerk.config.own_url
    inviter = clerk.store.get(User, invitation.inviter_user_id)
    return organization_invitation_json(clerk, invitation) | {
        "inviter_id": invitation.inviter_user_id,
        "public_inviter_data": public_user_json(clerk, inviter, base) if inviter else None,
        "url": invitation_link(invitation, base) if invitation.status == "pending" else None,
        "expires_at": invitation.expires_at,
        "private_metadata": invitation.private_metadata,
    }


def user_invitations_json(
    clerk: LocalClerk, invitations: Sequence[OrganizationInvitation], base_url: str
) -> list[Json]:
    """Invitations, as the invited person sees them."""
    ids = {invitation.organization_id for invitation in invitations}
    organizations = clerk.store.get_many(Organization, ids)
    return [
        organization_invitation_json(clerk, invitation)
        | {
            "public_organization_data": public_organization_json(organization, base_url)
            if (organization := organizations.get(invitation.organization_id))
            else None
        }
        for invitation in invitations
    ]


def invitation_link(invitation: OrganizationInvitation, base_url: str) -> str:
    """Where the invited person accepts.

    :param base_url: where their browser reaches the emulator.
    """
    return f"{base_url}/v1/tickets/accept?ticket={invitation.ticket}"
