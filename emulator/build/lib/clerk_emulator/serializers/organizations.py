"""Organizations, and what people see of them before they belong to them."""

from __future__ import annotations

from collections.abc import Sequence

from ..clerk import LocalClerk
from ..resources import Organization, OrganizationInvitation, OrganizationMembership
from ..settings.model import Permission, Role
from .json import Json

DEFAULT_ROLE_SET = "role_set:default"


def organization_json(clerk: LocalClerk, organization: Organization, base_url: str) -> Json:
    """One organization, as the Frontend API shows it to its members."""
    return organizations_json(clerk, [organization], base_url)[0]


def organizations_json(
    clerk: LocalClerk, organizations: Sequence[Organization], base_url: str
) -> list[Json]:
    """Organizations with the numbers of their members and invitations: two queries for all."""
    admin_delete = clerk.settings.organizations.admin_delete
    ids = tuple(organization.id for organization in organizations)
    members = clerk.store.count_by(OrganizationMembership, "organization_id", organization_id=ids)
    invited = clerk.store.count_by(
        OrganizationInvitation, "organization_id", organization_id=ids, status="pending"
    )
    return [
        _organization(admin_delete, organization, base_url)
        | {
            "members_count": members.get(organization.id, 0),
            "pending_invitations_count": invited.get(organization.id, 0),
        }
        for organization in organizations
    ]


def backend_organization_json(
    clerk: LocalClerk, organization: Organization, *, members_count: bool = False
) -> Json:
    """An organization, as the Backend API and webhooks show it."""
    return backend_organizations_json(clerk, [organization], members_count=members_count)[0]


def backend_organizations_json(
    clerk: LocalClerk, organizations: Sequence[Organization], *, members_count: bool = False
) -> list[Json]:
    """Organizations with what only the app's server may see.

    :param members_count: whether to count members and pending invitations too.
    """
    base = clerk.config.own_url
    admin_delete = clerk.settings.organizations.admin_delete
    shown = (
        organizations_json(clerk, organizations, base)
        if members_count
        else [_organization(admin_delete, organization, base) for organization in organizations]
    )
    return [
        json | {"private_metadata": organization.private_metadata}
        for json, organization in zip(shown, organizations, strict=True)
    ]


def _organization(admin_delete: bool, organization: Organization, base_url: str) -> Json:
    return public_organization_json(organization, base_url) | {
        "object": "organization",
        "created_by": organization.created_by,
        "max_allowed_memberships": organization.max_allowed_memberships,
        "admin_delete_enabled": organization.admin_delete_enabled and admin_delete,
        "self_serve_sso_enabled": False,
        "exclusive_membership": False,
        "role_set_key": DEFAULT_ROLE_SET,
        "public_metadata": organization.public_metadata,
        "created_at": organization.created_at,
        "updated_at": organization.updated_at,
    }


def public_organization_json(organization: Organization, base_url: str) -> Json:
    """What somebody sees who is asked to join."""
    return {
        "id": organization.id,
        "name": organization.name,
        "slug": organization.slug or None,
        "image_url": f"{base_url}/avatars/{organization.picture_id or organization.id}",
        "has_image": organization.picture_id is not None,
    }


def role_json(clerk: LocalClerk, role: Role) -> Json:
    """A role with its permissions. Roles are settings, and as old as the instance."""
    known = {
        permission.key: permission for permission in clerk.settings.organizations.all_permissions
    }
    return {
        "object": "role",
        "id": role.id or f"role_{role.key.removeprefix('org:')}",
        "key": role.key,
        "name": role.name or role_name(clerk, role.key),
        "description": role.description,
        "is_creator_eligible": role.key == clerk.settings.organizations.creator_role,
        "permissions": [
            permission_json(known.get(key, Permission(key))) for key in role.permissions
        ],
        "created_at": 0,
        "updated_at": 0,
    }


def role_set_json(clerk: LocalClerk, members: dict[str, int] | None = None) -> Json:
    """The roles that all organizations of the instance have: there is one set.

    :param members: how many have each role; None: not to be told.
    """
    rules = clerk.settings.organizations
    items = {role.key: _role_set_item(role_json(clerk, role), members) for role in rules.roles}
    return {
        "object": "role_set",
        "id": "rset_default",
        "name": "Default",
        "key": DEFAULT_ROLE_SET,
        "description": None,
        "roles": list(items.values()),
        "default_role": items.get(rules.default_role),
        "creator_role": items.get(rules.creator_role),
        "type": "initial",
        "role_set_migration": None,
        "created_at": 0,
        "updated_at": 0,
    }


def _role_set_item(role: Json, members: dict[str, int] | None) -> Json:
    names = ("id", "name", "key", "description", "created_at", "updated_at")
    item = {"object": "role_set_item"} | {name: role[name] for name in names}
    if members is None:
        return item
    number = members.get(role["key"], 0)
    return item | {"members_count": number, "has_members": number > 0}


def permission_json(permission: Permission) -> Json:
    """Something that a role may allow."""
    system = permission.key.startswith("org:sys_")
    return {
        "object": "permission",
        "id": permission.id or f"perm_{permission.key.removeprefix('org:').replace(':', '_')}",
        "key": permission.key,
        "name": permission.name or permission.key,
        "description": permission.description,
        "type": "system" if system else "user",
        "created_at": 0,
        "updated_at": 0,
    }


def role_name(clerk: LocalClerk, key: str) -> str:
    """What people call a role, also one that has been taken away."""
    role = clerk.settings.organizations.role(key)
    plain = key.removeprefix("org:").replace("_", " ").capitalize()
    return (role.name if role else "") or plain
