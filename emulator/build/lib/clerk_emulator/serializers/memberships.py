"""Who belongs to which organization, and who asks to."""

from __future__ import annotations

from collections.abc import Sequence

from ..clerk import LocalClerk
from ..organizations import role_permissions
from ..resources import MembershipRequest, Organization, OrganizationMembership, User
from .json import Json
from .organizations import backend_organizations_json, organizations_json, role_name
from .public_users import public_user_json


def membership_json(clerk: LocalClerk, membership: OrganizationMembership, base_url: str) -> Json:
    """One membership, as the Frontend API shows it."""
    return memberships_json(clerk, [membership], base_url)[0]


def memberships_json(
    clerk: LocalClerk, memberships: Sequence[OrganizationMembership], base_url: str
) -> list[Json]:
    """Memberships with their organizations and people."""
    organizations = _organizations(clerk, memberships)
    shown = organizations_json(clerk, organizations, base_url)
    return _memberships(clerk, memberships, {json["id"]: json for json in shown}, base_url)


def backend_membership_json(clerk: LocalClerk, membership: OrganizationMembership) -> Json:
    """One membership, as the Backend API and webhooks show it."""
    return backend_memberships_json(clerk, [membership])[0]


def backend_memberships_json(
    clerk: LocalClerk, memberships: Sequence[OrganizationMembership]
) -> list[Json]:
    """Memberships with what only the app's server may see."""
    organizations = _organizations(clerk, memberships)
    shown = backend_organizations_json(clerk, organizations)
    base = clerk.config.own_url
    listed = _memberships(clerk, memberships, {json["id"]: json for json in shown}, base)
    return [
        json
        | {
            "private_metadata": membership.private_metadata,
            "public_user_data": json["public_user_data"]
            | {"profile_image_url": json["public_user_data"].get("image_url")},
        }
        for json, membership in zip(listed, memberships, strict=True)
    ]


def _organizations(
    clerk: LocalClerk, memberships: Sequence[OrganizationMembership]
) -> list[Organization]:
    ids = {membership.organization_id for membership in memberships}
    return list(clerk.store.get_many(Organization, ids).values())


def _memberships(
    clerk: LocalClerk,
    memberships: Sequence[OrganizationMembership],
    organizations: dict[str, Json],
    base_url: str,
) -> list[Json]:
    users = clerk.store.get_many(User, {membership.user_id for membership in memberships})
    people = {user.id: public_user_json(clerk, user, base_url) for user in users.values()}
    roles = {
        key: (role_name(clerk, key), list(role_permissions(clerk, key)))
        for key in {membership.role for membership in memberships}
    }
    return [
        {
            "object": "organization_membership",
            "id": membership.id,
            "organization": organizations.get(membership.organization_id),
            "public_user_data": people.get(membership.user_id, {}),
            "role": membership.role,
            "role_name": roles[membership.role][0],
            "permissions": roles[membership.role][1],
            "public_metadata": membership.public_metadata,
            "created_at": membership.created_at,
            "updated_at": membership.updated_at,
        }
        for membership in memberships
    ]


def membership_request_json(clerk: LocalClerk, asked: MembershipRequest, base_url: str) -> Json:
    """Somebody who asks to join, as the organization's admins see it."""
    user = clerk.store.get(User, asked.user_id)
    return {
        "object": "organization_membership_request",
        "id": asked.id,
        "organization_id": asked.organization_id,
        "status": asked.status,
        "public_user_data": public_user_json(clerk, user, base_url) if user else {},
        "created_at": asked.created_at,
        "updated_at": asked.updated_at,
    }
