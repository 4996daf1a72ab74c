"""Organizations suggested because of an address, and people who ask to join them."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, not_found
from .memberships import add_member
from .organization_domains import SUGGESTION, domains_of_user
from .resources import (
    MembershipRequest,
    Organization,
    OrganizationDomain,
    OrganizationMembership,
    User,
    new_id,
)
from .serializers import suggestion_id

Suggestion = tuple[OrganizationDomain, MembershipRequest | None]


def user_suggestions(clerk: LocalClerk, user: User) -> list[Suggestion]:
    """Organizations that a user may ask to join, and whether they have. Not after a rejection."""
    asked = {
        request.organization_id: request
        for request in clerk.store.find(MembershipRequest, user_id=user.id)
        if request.status != "accepted"
    }
    suggested = {
        domain.organization_id: domain for domain in domains_of_user(clerk, user, SUGGESTION)
    }
    found = [(domain, asked.get(id)) for id, domain in suggested.items()]
    return [pair for pair in found if pair[1] is None or pair[1].status == "pending"]


def accept_suggestion(clerk: LocalClerk, user: User, id: str) -> Suggestion:
    """Ask to join a suggested organization; its people decide.

    :raises ClerkError: 404 for a suggestion that is not the user's.
    """
    for domain, asked in user_suggestions(clerk, user):
        if suggestion_id(domain) == id:
            return domain, asked or _ask(clerk, domain, user)
    raise not_found("Organization suggestion")


def _ask(clerk: LocalClerk, domain: OrganizationDomain, user: User) -> MembershipRequest:
    now = clerk.now
    asked = MembershipRequest(new_id("orgmemreq"), now, now, domain.organization_id, user.id)
    clerk.store.put(asked)
    return asked


def membership_request(clerk: LocalClerk, organization_id: str, id: str) -> MembershipRequest:
    """A request to join that organization, which nobody has decided yet.

    :raises ClerkError: 404.
    """
    asked = clerk.store.get(MembershipRequest, id)
    if asked is None or asked.organization_id != organization_id or asked.status != "pending":
        raise not_found("Organization membership request")
    return asked


def accept_request(clerk: LocalClerk, asked: MembershipRequest) -> OrganizationMembership:
    """Let somebody in who has asked, with the instance's default role.

    :raises ClerkError: if the organization is full, or the user has gone.
    """
    organization = clerk.store.get(Organization, asked.organization_id)
    user = clerk.store.get(User, asked.user_id)
    if organization is None or user is None:
        raise ClerkError("resource_not_found", "The user who asked to join no longer exists.", 404)
    membership = add_member(clerk, organization, user, clerk.settings.organizations.default_role)
    _decide(clerk, asked, "accepted")
    return membership


def reject_request(clerk: LocalClerk, asked: MembershipRequest) -> None:
    """Do not let somebody in. The organization is not suggested to them again."""
    _decide(clerk, asked, "rejected")


def _decide(clerk: LocalClerk, asked: MembershipRequest, status: str) -> None:
    asked.status = status
    asked.updated_at = clerk.now
    clerk.store.put(asked)
