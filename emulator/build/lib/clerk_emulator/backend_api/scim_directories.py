"""``/scim_directories``: kept as data. Nobody is provisioned by them."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..resources import Record
from ..serializers import Json, role_json
from .parameters import (
    flag,
    json_body,
    listed,
    metadata,
    optional_text,
    required_text,
    whole_number,
)
from .records import change_record, drop_record, find_record, find_records, keep_record

blueprint = Blueprint("scim_directories", __name__, url_prefix="/scim_directories")

DIRECTORY, MAPPING = "scim_directory", "scim_group_role_mapping"
FLAGS = ("enabled", "group_role_mapping_enabled")


@blueprint.get("")
def list_directories() -> Json:
    """All directories, newest first."""
    return listed(find_records(DIRECTORY), _json)


@blueprint.post("")
def post_directory() -> Json:
    """Keep one more directory, of a connection that there is. Only now its key is shown."""
    body = json_body()
    connection = find_record(
        "enterprise_connection", required_text(body, "enterprise_connection_id")
    )
    data = {
        "enterprise_connection_id": connection.id,
        "provider": required_text(body, "provider"),
        "name": optional_text(body, "name") or connection.data["name"],
    }
    record = keep_record(DIRECTORY, "scimd", data)
    for mapping in _bodies(body, "group_role_mappings"):
        _add_mapping(record, mapping)
    return _json(record) | {"api_key": _new_key()}


@blueprint.get("/<id>")
def get_directory(id: str) -> Json:
    """One directory."""
    return _json(find_record(DIRECTORY, id))


@blueprint.patch("/<id>")
def patch_directory(id: str) -> Json:
    """Change a directory."""
    record, body = find_record(DIRECTORY, id), json_body()
    changes: dict[str, Any] = {n: flag(body, n) for n in FLAGS if body.get(n) is not None}
    if body.get("name"):
        changes["name"] = optional_text(body, "name")
    if "attribute_mapping" in body:
        changes["attribute_mapping"] = metadata(body, "attribute_mapping")
    change_record(record, changes)
    return _json(record)


@blueprint.delete("/<id>")
def delete_directory(id: str) -> Json:
    """Forget a directory with its mappings."""
    record = find_record(DIRECTORY, id)
    for mapping in find_records(MAPPING, id):
        drop_record(mapping)
    return drop_record(record)


@blueprint.post("/<id>/rotate_api_key")
def rotate_api_key(id: str) -> Json:
    """Another key; it opens as little as the last one."""
    return _json(find_record(DIRECTORY, id)) | {"api_key": _new_key()}


@blueprint.get("/<id>/group_role_mappings")
def list_mappings(id: str) -> Json:
    """Which group has which role, the first one that fits first."""
    find_record(DIRECTORY, id)
    return listed(_mappings(id), _mapping_json)


@blueprint.post("/<id>/group_role_mappings")
def post_mapping(id: str) -> Json:
    """Give a group a role."""
    return _mapping_json(_add_mapping(find_record(DIRECTORY, id), json_body()))


@blueprint.put("/<id>/group_role_mappings")
def put_mappings(id: str) -> Json:
    """These mappings, and no others."""
    record = find_record(DIRECTORY, id)
    for mapping in find_records(MAPPING, id):
        drop_record(mapping)
    for body in _bodies(json_body(), "mappings"):
        _add_mapping(record, body)
    return list_mappings(id)


@blueprint.delete("/<id>/group_role_mappings/<mapping_id>")
def delete_mapping(id: str, mapping_id: str) -> Json:
    """Take a group's role away."""
    find_record(DIRECTORY, id)
    return drop_record(find_record(MAPPING, mapping_id, id))


def _bodies(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise invalid(name, "a list of JSON objects")
    return found


def _mappings(id: str) -> list[Record]:
    return sorted(find_records(MAPPING, id), key=lambda record: int(record.data["precedence"]))


def _add_mapping(directory: Record, body: dict[str, Any]) -> Record:
    group, role = required_text(body, "scim_group_id"), required_text(body, "role_id")
    _role(role)
    given = whole_number(body, "precedence", least=1)
    data = {
        "scim_group_id": group,
        "scim_group_display_name": optional_text(body, "scim_group_display_name") or group,
        "role_id": role,
        "precedence": given or len(find_records(MAPPING, directory.id)) + 1,
    }
    return keep_record(MAPPING, "scimgrm", data, directory.id)


def _role(id: str) -> Json:
    clerk = current_clerk()
    for role in clerk.settings.organizations.roles:
        shown = role_json(clerk, role)
        if id in (role.key, shown["id"]):
            return shown
    raise not_found("Organization role")


def _new_key() -> str:
    return f"scim_{secrets.token_urlsafe(24)}"


def _json(record: Record) -> Json:
    data = record.data
    return {
        "object": DIRECTORY,
        "id": record.id,
        "name": data["name"],
        "endpoint_url": f"{current_clerk().config.issuer}/v1/scim/{record.id}",
        "provider": data["provider"],
        "enabled": data.get("enabled", True),
        "group_role_mapping_enabled": data.get("group_role_mapping_enabled", False),
        "attribute_mapping": data.get("attribute_mapping", {}),
        "enterprise_connection_id": data["enterprise_connection_id"],
        "custom_attributes": [],
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


def _mapping_json(record: Record) -> Json:
    data = record.data
    return {
        "object": MAPPING,
        "id": record.id,
        "scim_directory_id": record.owner_id,
        "scim_group_id": data["scim_group_id"],
        "scim_group_display_name": data["scim_group_display_name"],
        "precedence": data["precedence"],
        "role": _role(data["role_id"]),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
