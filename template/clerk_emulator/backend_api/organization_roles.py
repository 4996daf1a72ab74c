"""``/organization_roles`` and ``/organization_permissions``, to read: they are settings."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import not_found
from ..organizations import require_enabled
from ..serializers import Json, permission_json, role_json
from .parameters import listed

blueprint = Blueprint("backend_organization_roles", __name__)


@blueprint.get("/organization_roles")
def list_roles() -> Json:
    """What members can be in organizations."""
    return _listed(_roles())


@blueprint.get("/organization_roles/<id>")
def get_role(id: str) -> Json:
    """One role."""
    return _one(_roles(), id, "Organization role")


@blueprint.get("/organization_permissions")
def list_permissions() -> Json:
    """What roles can allow: Clerk's own permissions, and the custom ones."""
    return _listed(_permissions())


@blueprint.get("/organization_permissions/<id>")
def get_permission(id: str) -> Json:
    """One permission."""
    return _one(_permissions(), id, "Organization permission")


def _roles() -> list[Json]:
    clerk = current_clerk()
    require_enabled(clerk)
    return [role_json(clerk, role) for role in clerk.settings.organizations.roles]


def _permissions() -> list[Json]:
    clerk = current_clerk()
    require_enabled(clerk)
    return [permission_json(one) for one in clerk.settings.organizations.all_permissions]


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


def _one(found: list[Json], id: str, what: str) -> Json:
    for json in found:
        if json["id"] == id:
            return json
    raise not_found(what)
