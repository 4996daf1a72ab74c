"""Making, changing and deleting organizations, by Clerk's rules."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from .belongings import drop_organization_belongings
from .billing_events import tell_new_payer
from .clerk import LocalClerk
from .errors import ClerkError
from .events import record_event
from .memberships import add_member, leave_active
from .organizations import require_enabled
from .pictures import forget_picture
from .plans import Payer
from .resources import (
    MembershipRequest,
    Organization,
    OrganizationDomain,
    OrganizationInvitation,
    OrganizationMembership,
    User,
    new_id,
)
from .serializers import backend_organization_json
from .users import NAME_MAX_LENGTH, check_required_name

SLUG = re.compile(r"[a-z0-9]+(-+[a-z0-9]+)*")
OF_AN_ORGANIZATION = (
    OrganizationMembership,
    OrganizationInvitation,
    OrganizationDomain,
    MembershipRequest,
)


@dataclass(frozen=True)
class NewOrganization:
    """What an organization is made of."""

    name: str
    slug: str | None = None
    max_allowed_memberships: int | None = None
    """None: what the instance's settings say."""
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)
    created_at: int | None = None
    """Unix milliseconds; None: now."""


def create_organization(
    clerk: LocalClerk, new: NewOrganization, creator: User | None
) -> Organization:
    """Make an organization, whose creator gets the instance's ``creator_role``.

    :raises ClerkError: if the name or slug will not do.
    """
    require_enabled(clerk)
    rules = clerk.settings.organizations
    now = clerk.now
    limit = new.max_allowed_memberships
    organization = Organization(
        new_id("org"),
        now if new.created_at is None else new.created_at,
        now,
        check_required_name(new.name),
        _new_slug(clerk, new),
        created_by=creator.id if creator else None,
        max_allowed_memberships=rules.max_allowed_memberships if limit is None else limit,
        public_metadata=new.public_metadata,
        private_metadata=new.private_metadata,
    )
    clerk.store.put(organization)
    record_event(clerk, "organization.created", backend_organization_json(clerk, organization))
    tell_new_payer(clerk, Payer(organization.id, "org"))
    if creator is not None:
        add_member(clerk, organization, creator, rules.creator_role, check_quota=False)
    return organization


def require_may_create(clerk: LocalClerk, user: User) -> None:
    """Refuse people who may not make (more) organizations by themselves.

    :raises ClerkError: 403 ``authorization_invalid`` or ``organization_quota_exceeded``.
    """
    require_enabled(clerk)
    if not (clerk.settings.actions.create_organization and user.create_organization_enabled):
        message = "You are not authorized to create organizations."
        raise ClerkError("authorization_invalid", message, 403)
    limit = user.create_organizations_limit
    if limit and clerk.store.count(Organization, created_by=user.id) >= limit:
        message = f"You have reached your limit of {limit} organizations."
        raise ClerkError("organization_quota_exceeded", message, 403)


def save_organization(clerk: LocalClerk, organization: Organization) -> None:
    """Store a changed organization, and tell the app."""
    organization.updated_at = clerk.now
    clerk.store.put(organization)
    record_event(clerk, "organization.updated", backend_organization_json(clerk, organization))


def require_may_be_deleted(clerk: LocalClerk, organization: Organization) -> None:
    """Whether its own people may delete it; their permission is another question.

    :raises ClerkError: 403 ``organization_admin_delete_not_enabled``.
    """
    if not (clerk.settings.organizations.admin_delete and organization.admin_delete_enabled):
        message = "Deletion by admin is not enabled for this organization."
        raise ClerkError("organization_admin_delete_not_enabled", message, 403)


def delete_organization(clerk: LocalClerk, organization: Organization) -> dict[str, Any]:
    """Delete an organization with all that belongs to it. Nobody has it active afterwards.

    :returns: the deleted object, as the APIs answer it.
    """
    for membership in clerk.store.find(OrganizationMembership, organization_id=organization.id):
        leave_active(clerk, membership)
    for kind in OF_AN_ORGANIZATION:
        for resource in clerk.store.find(kind, organization_id=organization.id):
            clerk.store.delete(resource)
    drop_organization_belongings(clerk, organization.id)
    forget_picture(clerk, organization.picture_id)
    clerk.store.delete(organization)
    gone = {"object": "organization", "id": organization.id, "deleted": True}
    slug = {"slug": organization.slug} if organization.slug else {}
    record_event(clerk, "organization.deleted", gone | slug)
    return gone


def set_logo(clerk: LocalClerk, organization: Organization, picture_id: str | None) -> None:
    """Show another picture, or with None the drawn one."""
    forget_picture(clerk, organization.picture_id)
    organization.picture_id = picture_id
    save_organization(clerk, organization)


def check_slug(clerk: LocalClerk, slug: str, organization: Organization | None = None) -> str:
    """A slug that nobody else has.

    :param organization: whose slug it is going to be, if that exists already.
    :raises ClerkError: ``form_param_format_invalid`` or ``form_identifier_exists``.
    """
    if len(slug) > NAME_MAX_LENGTH or not SLUG.fullmatch(slug):
        message = "slug must contain only lowercase letters, digits and dashes."
        raise ClerkError("form_param_format_invalid", message, param="slug")
    holder = clerk.store.first(Organization, slug=slug)
    if holder is not None and (organization is None or holder.id != organization.id):
        message = "That slug is taken. Please try another."
        raise ClerkError("form_identifier_exists", message, param="slug")
    return slug


def _new_slug(clerk: LocalClerk, new: NewOrganization) -> str:
    """The slug asked for, else one made from the name; none where slugs are switched off."""
    if not clerk.settings.organizations.slugs:
        return ""
    if new.slug:
        return check_slug(clerk, new.slug)
    ascii_name = unicodedata.normalize("NFKD", new.name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-") or "organization"
    taken = clerk.store.first(Organization, slug=plain) is not None
    return check_slug(clerk, f"{plain}-{clerk.now}" if taken else plain)
