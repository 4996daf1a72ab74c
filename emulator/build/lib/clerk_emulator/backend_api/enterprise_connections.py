"""``/enterprise_connections`` and ``/saml_connections``: kept as data. Nobody signs in by them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, missing, not_found
from ..resources import Organization, Record
from ..serializers import Json
from .parameters import flag, json_body, listed, metadata, optional_text, required_text, text_list
from .records import change_record, drop_record, find_record, find_records, keep_record

blueprint = Blueprint("enterprise_connections", __name__)

ENTERPRISE, SAML = "enterprise_connection", "saml_connection"
IDP_FIELDS = (
    "idp_entity_id",
    "idp_sso_url",
    "idp_certificate",
    "idp_metadata_url",
    "idp_metadata",
)
OIDC_FIELDS = ("client_id", "discovery_url", "auth_url", "token_url", "user_info_url")
FLAGS = (
    "active",
    "sync_user_attributes",
    "disable_additional_identifications",
    "allow_organization_account_linking",
    "allow_subdomains",
    "allow_idp_initiated",
    "force_authn",
)
NO_HINT: Json = {"mode": "off"}


@blueprint.get("/<any(enterprise_connections, saml_connections):kind>")
def list_connections(kind: str) -> Json:
    """Connections, newest first; ``organization_id``, ``query`` and ``active`` narrow them down."""
    wanted = request.args.getlist("organization_id")
    part = request.args.get("query", "").strip().lower()
    active = request.args.get("active")
    found = [
        record
        for record in find_records(kind.removesuffix("s"))
        if (not wanted or record.data.get("organization_id") in wanted)
        and (part in record.data["name"].lower() or part == record.id.lower())
        and active in (None, str(record.data.get("active", False)).lower())
    ]
    return listed(found, _json)


@blueprint.post("/<any(enterprise_connections, saml_connections):kind>")
def post_connection(kind: str) -> tuple[Json, int]:
    """Keep one more connection. It is off until it is switched on."""
    body = json_body()
    name, provider = required_text(body, "name"), required_text(body, "provider")
    data = {"name": name, "provider": provider} | _changes(body)
    if not data.get("domains"):
        raise missing("domains")
    _check_domains_free(kind.removesuffix("s"), data["domains"])
    is_saml = kind == "saml_connections"
    if is_saml and not provider.startswith("saml_"):
        raise invalid("provider", "one that begins with saml_")
    record = keep_record(kind.removesuffix("s"), "samlc" if is_saml else "entconn", data)
    return _json(record), 200 if is_saml else 201


@blueprint.get("/<any(enterprise_connections, saml_connections):kind>/<id>")
def get_connection(kind: str, id: str) -> Json:
    """One connection."""
    return _json(find_record(kind.removesuffix("s"), id))


@blueprint.patch("/<any(enterprise_connections, saml_connections):kind>/<id>")
def patch_connection(kind: str, id: str) -> Json:
    """Change a connection."""
    record = find_record(kind.removesuffix("s"), id)
    changes = _changes(json_body())
    _check_domains_free(record.category, changes.get("domains", []), record.id)
    change_record(record, changes)
    return _json(record)


@blueprint.delete("/<any(enterprise_connections, saml_connections):kind>/<id>")
def delete_connection(kind: str, id: str) -> Json:
    """Forget a connection."""
    return drop_record(find_record(kind.removesuffix("s"), id))


@blueprint.get("/enterprise_connections/<id>/test_runs")
def list_test_runs(id: str) -> Json:
    """Nobody has tried a connection: there is nothing behind it."""
    find_record(ENTERPRISE, id)
    return {"data": [], "total_count": 0}


@blueprint.post("/enterprise_connections/<id>/test_runs")
def post_test_run(id: str) -> Json:
    """Where a connection would be tried."""
    record = find_record(ENTERPRISE, id)
    return {"url": f"{current_clerk().config.own_url}/sign-in#{record.id}"}


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    """What the request names of a connection."""
    changes: dict[str, Any] = {
        name: optional_text(body, name) for name in ("name", "organization_id") if name in body
    }
    if changes.get("organization_id"):
        _check_organization(changes["organization_id"])
    changes |= {name: flag(body, name) for name in FLAGS if body.get(name) is not None}
    if "domain" in body or "domains" in body:
        domain = optional_text(body, "domain")
        domains = text_list(body, "domains") or ([domain] if domain else [])
        changes["domains"] = [name.strip().lower() for name in domains]
    if "custom_attributes" in body:
        changes["custom_attributes"] = body["custom_attributes"] or []
    if body.get("login_hint"):
        changes["login_hint"] = metadata(body, "login_hint")
    for part in (body, metadata(body, "saml"), metadata(body, "oidc")):
        names = (*IDP_FIELDS, *OIDC_FIELDS)
        changes |= {name: optional_text(part, name) for name in names if name in part}
        if part.get("attribute_mapping"):
            changes["attribute_mapping"] = metadata(part, "attribute_mapping")
    return changes


def _check_organization(id: str) -> None:
    if current_clerk().store.get(Organization, id) is None:
        raise not_found("Organization")


def _check_domains_free(kind: str, domains: list[str], own_id: str = "") -> None:
    for record in find_records(kind):
        if record.id != own_id and set(domains) & set(record.data.get("domains", [])):
            raise invalid("domains", "domains that no other connection has")


def _json(record: Record) -> Json:
    data = record.data
    common = {
        "object": record.category,
        "id": record.id,
        "name": data["name"],
        "provider": data["provider"],
        "active": data.get("active", False),
        "domains": data.get("domains", []),
        "organization_id": data.get("organization_id"),
        "sync_user_attributes": data.get("sync_user_attributes", True),
        "disable_additional_identifications": data.get("disable_additional_identifications", False),
        "allow_organization_account_linking": data.get("allow_organization_account_linking", True),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    if record.category == SAML:
        return common | _saml(record) | {"user_count": 0, "enterprise_connection_id": None}
    is_saml = data["provider"].startswith("saml_")
    return common | {
        "logo_public_url": None,
        "custom_attributes": data.get("custom_attributes", []),
        "saml_connection": _saml(record) if is_saml else None,
        "oauth_config": None if is_saml else _oauth(record),
    }


def _saml(record: Record) -> Json:
    data, issuer = record.data, current_clerk().config.issuer
    mapping = {
        "user_id": "mail",
        "email_address": "mail",
        "first_name": "givenName",
        "last_name": "surname",
    }
    return {
        "id": record.id,
        "name": data["name"],
        **{name: data.get(name) for name in IDP_FIELDS},
        "idp_certificate_issued_at": None,
        "idp_certificate_expires_at": None,
        "acs_url": f"{issuer}/v1/saml/acs/{record.id}",
        "sp_entity_id": f"{issuer}/saml/{record.id}",
        "sp_metadata_url": f"{issuer}/v1/saml/metadata/{record.id}.xml",
        "active": data.get("active", False),
        "allow_subdomains": data.get("allow_subdomains", False),
        "allow_idp_initiated": data.get("allow_idp_initiated", False),
        "force_authn": data.get("force_authn", False),
        "login_hint": data.get("login_hint", NO_HINT),
        "attribute_mapping": mapping | data.get("attribute_mapping", {}),
    }


def _oauth(record: Record) -> Json:
    data = record.data
    return {
        "id": f"oacf_{record.id.partition('_')[2]}",
        "name": data["name"],
        "provider_key": data["provider"],
        **{name: data.get(name) for name in OIDC_FIELDS},
        "requires_pkce": False,
        "logo_public_url": None,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
