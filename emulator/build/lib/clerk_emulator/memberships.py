"""Who belongs to an organization: joining, roles, leaving. Somebody always stays in charge."""

from __future__ import annotations

from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .organizations import require_role, role_permissions
from .resources import (
    MembershipRequest,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    Session,
    User,
    new_id,
)
from .serializers import backend_membership_json

IN_CHARGE = frozenset(
    f"org:sys_{key}"
    for key in ("profile:manage", "profile:delete", "memberships:read", "memberships:manage")
)
"""What at least one member of every organization has to be able to do."""


def add_member(
    clerk: LocalClerk,
    organization: Organization,
    user: User,
    role: str,
    *,
    check_quota: bool = True,
    public_metadata: dict[str, Any] | None = None,
    private_metadata: dict[str, Any] | None = None,
) -> OrganizationMembership:
    """Let somebody into an organization.

    :raises ClerkError: ``already_a_member_in_organization``, a role that does not exist, or
        ``organization_membership_quota_exceeded``.
    """
    require_role(clerk, role)
    if clerk.store.first(OrganizationMembership, user_id=user.id, organization_id=organization.id):
        raise already_a_member(user.id)
    if check_quota:
        require_room(clerk, organization, 1)
    now = clerk.now
    membership = OrganizationMembership(
        new_id("orgmem"),
        now,
        now,
        organization.id,
        user.id,
        role,
        public_metadata=public_metadata or {},
        private_metadata=private_metadata or {},
    )
    clerk.store.put(membership)
    # Clerk makes it the active organization of the user's next session.
    user.last_active_organization_id = organization.id
    clerk.store.put(user)
    _forget_requests(clerk, membership)
    _tell(clerk, "created", membership)
    return membership


def already_a_member(who: str) -> ClerkError:
    """400 for somebody who is in already. Clerk's form looks for an address in the text."""
    message = f"{who} is already a member of the organization."
    return ClerkError("already_a_member_in_organization", message, 400)


def require_room(clerk: LocalClerk, organization: Organization, more: int) -> None:
    """Whether so many more fit in. Pending invitations count: they are promises.

    :raises ClerkError: 403 ``organization_membership_quota_exceeded``.
    """
    limit = organization.max_allowed_memberships
    members = clerk.store.count(OrganizationMembership, organization_id=organization.id)
    invited = clerk.store.count(
        OrganizationInvitation, organization_id=organization.id, status="pending"
    )
    if limit and members + invited + more > limit:
        message = (
            f"You have reached your limit of {limit} organization memberships, "
            "including outstanding invitations."
        )
        raise ClerkError("organization_membership_quota_exceeded", message, 403)


def change_role(clerk: LocalClerk, membership: OrganizationMembership, role: str) -> None:
    """Give a member another role.

    :raises ClerkError: for a role that does not exist, or if nobody would be in charge.
    """
    require_role(clerk, role)
    if not IN_CHARGE.issubset(role_permissions(clerk, role)):
        require_somebody_in_charge(clerk, membership)
    membership.role = role
    save_membership(clerk, membership)


def save_membership(clerk: LocalClerk, membership: OrganizationMembership) -> None:
    """Store a changed membership, and tell the app."""
    membership.updated_at = clerk.now
    clerk.store.put(membership)
    _tell(clerk, "updated", membership)


def remove_member(clerk: LocalClerk, membership: OrganizationMembership) -> None:
    """End a membership, on whoever's wish. The organization is nobody's active one then.

    :raises ClerkError: 400 ``organization_minimum_permissions_needed``.
    """
    require_somebody_in_charge(clerk, membership)
    _end(clerk, membership)


def forget_member(clerk: LocalClerk, user: User) -> None:
    """End all memberships of an account that is being deleted, even of the last admin."""
    for membership in clerk.store.find(OrganizationMembership, user_id=user.id):
        _end(clerk, membership)
    for asked in clerk.store.find(MembershipRequest, user_id=user.id):
        clerk.store.delete(asked)


def require_somebody_in_charge(clerk: LocalClerk, leaving: OrganizationMembership) -> None:
    """Refuse to lose the last member who can manage the organization.

    :param leaving: who is about to go, or to lose their role.
    :raises ClerkError: 400 ``organization_minimum_permissions_needed``.
    """
    roles = clerk.settings.organizations.roles
    in_charge = tuple(role.key for role in roles if IN_CHARGE.issubset(role.permissions))
    if leaving.role not in in_charge:
        return
    left = clerk.store.count(
        OrganizationMembership, organization_id=leaving.organization_id, role=in_charge
    )
    if left <= 1:
        message = (
            "There has to be at least one organization member with the minimum required "
            "permissions."
        )
        raise ClerkError("organization_minimum_permissions_needed", message, 400)


def leave_active(clerk: LocalClerk, membership: OrganizationMembership) -> None:
    """No session of the user has the organization active any more."""
    sessions = clerk.store.find(
        Session,
        user_id=membership.user_id,
        last_active_organization_id=membership.organization_id,
    )
    for session in sessions:
        session.last_active_organization_id = None
        clerk.store.put(session)


def _end(clerk: LocalClerk, membership: OrganizationMembership) -> None:
    gone = backend_membership_json(clerk, membership)
    leave_active(clerk, membership)
    clerk.store.delete(membership)
    record_event(clerk, "organizationMembership.deleted", gone)


def _forget_requests(clerk: LocalClerk, membership: OrganizationMembership) -> None:
    for asked in clerk.store.find(
        MembershipRequest,
        user_id=membership.user_id,
        organization_id=membership.organization_id,
        status="pending",
    ):
        asked.status = "accepted"
        asked.updated_at = clerk.now
        clerk.store.put(asked)


def _tell(clerk: LocalClerk, what: str, membership: OrganizationMembership) -> None:
    data = backend_membership_json(clerk, membership)
    record_event(clerk, f"organizationMembership.{what}", data)
