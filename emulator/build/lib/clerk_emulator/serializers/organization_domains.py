"""E-mail domains of organizations, and the suggestions they lead to."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..resources import (
    EmailAddress,
    MembershipRequest,
    Organization,
    OrganizationDomain,
    OrganizationInvitation,
    Verification,
)
from .json import Json
from .organizations import public_organization_json


def organization_domain_json(clerk: LocalClerk, domain: OrganizationDomain) -> Json:
    """A domain, as both APIs and webhooks show it."""
    verification = _verification(clerk, domain)
    return {
        "object": "organization_domain",
        "id": domain.id,
        "organization_id": domain.organization_id,
        "name": domain.name,
        "enrollment_mode": domain.enrollment_mode,
        "affiliation_email_address": domain.affiliation_email_address,
        "affiliation_verification": verification,
        "verification": verification,
        "ownership_verification": None,
        "total_pending_invitations": _pending_invitations(clerk, domain),
        "total_pending_suggestions": _pending_requests(clerk, domain),
        "created_at": domain.created_at,
        "updated_at": domain.updated_at,
    }


def backend_organization_domain_json(clerk: LocalClerk, domain: OrganizationDomain) -> Json:
    """A domain with its organization, as the Backend API shows it."""
    organization = clerk.store.get(Organization, domain.organization_id)
    base = clerk.config.own_url
    return organization_domain_json(clerk, domain) | {
        "public_organization_data": public_organization_json(organization, base)
        if organization
        else None
    }


def _verification(clerk: LocalClerk, domain: OrganizationDomain) -> Json | None:
    under_way = clerk.store.get(Verification, domain.verification_id)
    if not domain.verified and under_way is None:
        return None
    expire_at = under_way.expire_at if under_way else None
    return {
        "status": "verified" if domain.verified else "unverified",
        "strategy": "email_code",
        "attempts": under_way.attempts if under_way else None,
        "expire_at": expire_at,
        "expires_at": expire_at,
        "verified_at": domain.updated_at if domain.verified else None,
    }


def _pending_invitations(clerk: LocalClerk, domain: OrganizationDomain) -> int:
    """Those that the domain itself has led to: nobody sent them."""
    pending = clerk.store.find(
        OrganizationInvitation,
        organization_id=domain.organization_id,
        status="pending",
        inviter_user_id=None,
    )
    return sum(invitation.email_address.endswith(f"@{domain.name}") for invitation in pending)


def _pending_requests(clerk: LocalClerk, domain: OrganizationDomain) -> int:
    """How many people with an address in the domain wait to be let in."""
    asked = clerk.store.find(
        MembershipRequest, organization_id=domain.organization_id, status="pending"
    )
    people = tuple(request.user_id for request in asked)
    emails = clerk.store.find(EmailAddress, user_id=people, verified=True)
    return len({e.user_id for e in emails if e.email_address.endswith(f"@{domain.name}")})


def organization_suggestion_json(
    domain: OrganizationDomain,
    organization: Organization,
    asked: MembershipRequest | None,
    base_url: str,
) -> Json:
    """An organization that somebody may ask to join, because of their e-mail address.

    :param asked: whether they have asked already.
    """
    return {
        "object": "organization_suggestion",
        "id": suggestion_id(domain),
        "status": "accepted" if asked else "pending",
        "public_organization_data": public_organization_json(organization, base_url),
        "created_at": domain.created_at,
        "updated_at": asked.updated_at if asked else domain.updated_at,
    }


def suggestion_id(domain: OrganizationDomain) -> str:
    """Suggestions are not stored: they follow from a domain, and are known by its id."""
    return f"orgsug_{domain.id.partition('_')[2]}"
