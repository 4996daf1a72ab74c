"""Changing roles and permissions, which are settings of the instance.

Members keep their role when its key changes. What is in use cannot be taken away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

from .clerk import LocalClerk
from .errors import ClerkError, invalid
from .events import record_event
from .organizations import SYSTEM_PREFIX
from .resources import OrganizationInvitation, OrganizationMembership
from .serializers import permission_json, role_json
from .settings.model import Permission, Role
from .users import check_required_name

ROLE_KEY = re.compile(r"org:[a-z0-9_]{1,60}")
PERMISSION_KEY = re.compile(r"org:[a-z0-9_]{1,60}:[a-z0-9_]{1,60}")
MOST_ROLES = 10


def add_role(clerk: LocalClerk, role: Role) -> None:
    """Let the instance have another role.

    :raises ClerkError: for a key that is none or taken, an unknown permission, or an 11th role.
    """
    rules = clerk.settings.organizations
    if len(rules.roles) >= MOST_ROLES:
        message = f"An instance cannot have more than {MOST_ROLES} roles."
        raise ClerkError("organization_roles_quota_exceeded", message, 403)
    _check_role(clerk, role)
    _save_roles(clerk, (*rules.roles, role))
    record_event(clerk, "role.created", role_json(clerk, role))


def change_role(clerk: LocalClerk, old: Role, new: Role) -> None:
    """Change a role. Whoever has it has the new one.

    :raises ClerkError: as :func:`add_role`.
    """
    rules = clerk.settings.organizations
    _check_role(clerk, new, old)
    _save_roles(clerk, [new if role.key == old.key else role for role in rules.roles])
    record_event(clerk, "role.updated", role_json(clerk, new))
    if new.key == old.key:
        return
    for member in clerk.store.find(OrganizationMembership, role=old.key):
        member.role = new.key
        clerk.store.put(member)
    for invitation in clerk.store.find(OrganizationInvitation, role=old.key):
        invitation.role = new.key
        clerk.store.put(invitation)
    for name in ("default_role", "creator_role"):
        if getattr(rules, name) == old.key:
            clerk.source.switch({"organizations": {name: new.key}})


def remove_role(clerk: LocalClerk, role: Role) -> None:
    """Let the instance no longer have a role.

    :raises ClerkError: 403 while anybody has it, or gets it.
    """
    rules = clerk.settings.organizations
    if role.key in (rules.default_role, rules.creator_role):
        message = "New members or creators of organizations get this role."
        raise ClerkError("organization_role_in_use", message, 403)
    if clerk.store.first(OrganizationMembership, role=role.key) is not None:
        message = "Some members of organizations have this role."
        raise ClerkError("organization_role_assigned_to_members", message, 403)
    if clerk.store.first(OrganizationInvitation, role=role.key, status="pending") is not None:
        message = "An invitation has this role."
        raise ClerkError("organization_role_exists_in_invitations", message, 403)
    gone = role_json(clerk, role)
    _save_roles(clerk, [one for one in rules.roles if one.key != role.key])
    record_event(clerk, "role.deleted", gone)


def add_permission(clerk: LocalClerk, permission: Permission) -> None:
    """Let roles allow something more.

    :raises ClerkError: for a key that is none, taken, or one of Clerk's own.
    """
    _check_permission(clerk, permission)
    _save_permissions(clerk, (*clerk.settings.organizations.permissions, permission))
    record_event(clerk, "permission.created", permission_json(permission))


def change_permission(clerk: LocalClerk, old: Permission, new: Permission) -> None:
    """Change a custom permission. Roles that allow it go on to do so.

    :raises ClerkError: as :func:`add_permission`; 403 for one of Clerk's own.
    """
    _refuse_system(old)
    _check_permission(clerk, new, old)
    known = clerk.settings.organizations.permissions
    _save_permissions(clerk, [new if one.key == old.key else one for one in known])
    _rename_in_roles(clerk, old.key, new.key)
    record_event(clerk, "permission.updated", permission_json(new))


def remove_permission(clerk: LocalClerk, permission: Permission) -> None:
    """Take a custom permission away, also from all roles.

    :raises ClerkError: 403 for one of Clerk's own.
    """
    _refuse_system(permission)
    known = clerk.settings.organizations.permissions
    _save_permissions(clerk, [one for one in known if one.key != permission.key])
    _rename_in_roles(clerk, permission.key, None)
    record_event(clerk, "permission.deleted", permission_json(permission))


def _rename_in_roles(clerk: LocalClerk, old: str, new: str | None) -> None:
    roles = [
        replace(
            role,
            permissions=tuple(
                name
                for name in (new if key == old else key for key in role.permissions)
                if name is not None
            ),
        )
        for role in clerk.settings.organizations.roles
    ]
    _save_roles(clerk, roles)


def _check_role(clerk: LocalClerk, role: Role, old: Role | None = None) -> None:
    check_required_name(role.name)
    rules = clerk.settings.organizations
    if not ROLE_KEY.fullmatch(role.key):
        raise invalid("key", "org: and lowercase letters, digits and underscores")
    taken = rules.role(role.key)
    if taken is not None and (old is None or taken.key != old.key):
        raise ClerkError(
            "form_identifier_exists", "A role with this key already exists.", param="key"
        )
    if not set(role.permissions) <= {permission.key for permission in rules.all_permissions}:
        raise invalid("permissions", "a list of permission IDs")


def _check_permission(
    clerk: LocalClerk, permission: Permission, old: Permission | None = None
) -> None:
    check_required_name(permission.name)
    if not PERMISSION_KEY.fullmatch(permission.key) or permission.key.startswith(SYSTEM_PREFIX):
        raise invalid("key", "org:feature:action, and not begin with org:sys_")
    others = {one.key for one in clerk.settings.organizations.permissions} - {
        old.key if old else ""
    }
    if permission.key in others:
        message = "A permission with this key already exists."
        raise ClerkError("form_identifier_exists", message, param="key")


def _refuse_system(permission: Permission) -> None:
    if permission.key.startswith(SYSTEM_PREFIX):
        message = "Clerk's own permissions cannot be changed."
        raise ClerkError("organization_system_permission_not_modifiable", message, 403)


def _save_roles(clerk: LocalClerk, roles: Sequence[Role]) -> None:
    clerk.source.switch({"organizations": {"roles": [asdict(role) for role in roles]}})


def _save_permissions(clerk: LocalClerk, permissions: Sequence[Permission]) -> None:
    tables = [asdict(permission) for permission in permissions]
    clerk.source.switch({"organizations": {"permissions": tables}})
