"""``/organization_roles``, ``/organization_permissions`` and ``/role_sets``: they are settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..organization_roles import (
    add_permission,
    add_role,
    change_permission,
    change_role,
    remove_permission,
    remove_role,
)
from ..organizations import require_enabled
from ..resources import OrganizationMembership, new_id
from ..serializers import Json, permission_json, role_json, role_set_json
from ..settings.model import Permission, Role
from .parameters import json_body, listed, optional_text, required_text, text_list
from .settings_changes import switch

blueprint = Blueprint("backend_organization_roles", __name__)


@blueprint.before_request
def admit() -> None:
    """All of this is about organizations."""
    require_enabled(current_clerk())


@blueprint.get("/organization_roles")
def list_roles() -> Json:
    """What members can be in organizations."""
    return _listed(_roles())


@blueprint.post("/organization_roles")
def post_role() -> Json:
    """Another role."""
    clerk, body = current_clerk(), json_body()
    role = _changed_role(Role(id=new_id("role")), body)
    add_role(clerk, role)
    return role_json(clerk, role)


@blueprint.get("/organization_roles/<id>")
def get_role(id: str) -> Json:
    """One role."""
    return role_json(current_clerk(), _role(id))


@blueprint.patch("/organization_roles/<id>")
def patch_role(id: str) -> Json:
    """Change a role; permissions replace those there were."""
    return _save(_role(id), _changed_role(_role(id), json_body()))


@blueprint.delete("/organization_roles/<id>")
def delete_role(id: str) -> Json:
    """Take a role away."""
    remove_role(current_clerk(), _role(id))
    return {"object": "role", "id": id, "deleted": True}


@blueprint.post("/organization_roles/<id>/permissions/<permission_id>")
def assign_permission(id: str, permission_id: str) -> Json:
    """Let a role allow something more."""
    role, key = _role(id), _permission(permission_id).key
    kept = [one for one in role.permissions if one != key]
    return _save(role, replace(role, permissions=(*kept, key)))


@blueprint.delete("/organization_roles/<id>/permissions/<permission_id>")
def withdraw_permission(id: str, permission_id: str) -> Json:
    """Let a role no longer allow something."""
    role, key = _role(id), _permission(permission_id).key
    if key not in role.permissions:
        raise not_found("Organization permission")
    kept = tuple(one for one in role.permissions if one != key)
    return _save(role, replace(role, permissions=kept))


@blueprint.get("/organization_permissions")
def list_permissions() -> Json:
    """What roles can allow: Clerk's own permissions, and the custom ones."""
    return _listed(_permissions())


@blueprint.post("/organization_permissions")
def post_permission() -> Json:
    """Another permission."""
    permission = _changed_permission(Permission(id=new_id("perm")), json_body())
    add_permission(current_clerk(), permission)
    return permission_json(permission)


@blueprint.get("/organization_permissions/<id>")
def get_permission(id: str) -> Json:
    """One permission."""
    return permission_json(_permission(id))


@blueprint.patch("/organization_permissions/<id>")
def patch_permission(id: str) -> Json:
    """Change a custom permission."""
    old = _permission(id)
    new = _changed_permission(replace(old, id=id), json_body())
    change_permission(current_clerk(), old, new)
    return permission_json(new)


@blueprint.delete("/organization_permissions/<id>")
def delete_permission(id: str) -> Json:
    """Take a custom permission away."""
    remove_permission(current_clerk(), _permission(id))
    return {"object": "permission", "id": id, "deleted": True}


@blueprint.get("/role_sets")
def list_role_sets() -> Json:
    """The one set that there is."""
    return _listed([_role_set()])


@blueprint.get("/role_sets/<id>")
def get_role_set(id: str) -> Json:
    """The set, by id or key."""
    return _known_role_set(id)


@blueprint.patch("/role_sets/<id>")
def patch_role_set(id: str) -> Json:
    """Change which role new members have, and which one creators."""
    _known_role_set(id)
    _switch_special_roles(json_body())
    return _role_set()


def _switch_special_roles(body: dict[str, Any]) -> None:
    rules = current_clerk().settings.organizations
    changes: dict[str, str] = {}
    for name in ("default_role", "creator_role"):
        key = optional_text(body, f"{name}_key")
        if key is not None and rules.role(key) is None:
            raise invalid(f"{name}_key", "the key of a role in the set")
        if key is not None:
            changes[name] = key
    switch({"organizations": changes})


def _known_role_set(id: str) -> Json:
    found = _role_set()
    if id not in (found["id"], found["key"]):
        raise not_found("Role set")
    return found


def _role_set() -> Json:
    clerk = current_clerk()
    return role_set_json(clerk, clerk.store.count_by(OrganizationMembership, "role"))


def _save(old: Role, new: Role) -> Json:
    clerk = current_clerk()
    change_role(clerk, old, replace(new, id=role_json(clerk, old)["id"]))
    return role_json(clerk, _role(role_json(clerk, old)["id"]))


def _changed_role(role: Role, body: dict[str, Any]) -> Role:
    permissions = role.permissions
    if body.get("permissions") is not None:
        permissions = tuple(_permission(id).key for id in text_list(body, "permissions"))
    return replace(
        role,
        name=optional_text(body, "name") or role.name or required_text(body, "name"),
        key=optional_text(body, "key") or role.key or required_text(body, "key"),
        description=optional_text(body, "description") or role.description,
        permissions=permissions,
    )


def _changed_permission(permission: Permission, body: dict[str, Any]) -> Permission:
    return replace(
        permission,
        name=optional_text(body, "name") or permission.name or required_text(body, "name"),
        key=optional_text(body, "key") or permission.key or required_text(body, "key"),
        description=optional_text(body, "description") or permission.description,
    )


def _role(id: str) -> Role:
    clerk = current_clerk()
    for role in clerk.settings.organizations.roles:
        if role_json(clerk, role)["id"] == id:
            return role
    raise not_found("Organization role")


def _permission(id: str) -> Permission:
    for permission in current_clerk().settings.organizations.all_permissions:
        if permission_json(permission)["id"] == id:
            return permission
    raise not_found("Organization permission")


def _roles() -> list[Json]:
    clerk = current_clerk()
    return [role_json(clerk, role) for role in clerk.settings.organizations.roles]


def _permissions() -> list[Json]:
    return [permission_json(one) for one in current_clerk().settings.organizations.all_permissions]


def _listed(found: list[Json]) -> Json:
    query = request.args.get("query", "").strip().lower()
    matching = [
        json
        for json in found
        if query in json["name"].lower() or query in json["key"] or query == json["id"].lower()
    ]
    order = request.args.get("order_by", "").strip()
    if order.lstrip("+-") in ("name", "key"):
        matching.sort(key=lambda json: str(json[order.lstrip("+-")]), reverse=order[:1] == "-")
    return listed(matching, dict)
