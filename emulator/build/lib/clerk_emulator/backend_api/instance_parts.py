"""Parts of ``/instance`` that are only kept, and what is for production instances alone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, not_found
from ..resources import Domain
from ..serializers import Json
from .parameters import flag, json_body, required_text, text_list
from .records import change_record, find_records, keep_record

blueprint = Blueprint("instance_parts", __name__)

PROTECT: dict[str, Any] = {
    "rules_enabled": False,
    "specter_enabled": False,
    "checks_bypassed": False,
}
OAUTH: dict[str, Any] = {
    "dynamic_oauth_client_registration": False,
    "default_scopes": None,
    "oauth_jwt_access_tokens": False,
    "client_id_metadata_documents_advertised": False,
    "client_id_metadata_documents_only_allow_pre_registered_clients": False,
    "client_id_metadata_documents_block_implicitly_allowed_clients": False,
}
COMMUNICATION: dict[str, Any] = {"blocked_country_codes": []}
PARTS = {
    "protect": ("instance_protect", PROTECT),
    "oauth_application_settings": ("oauth_application_settings", OAUTH),
    "communication": ("instance_communication", COMMUNICATION),
}
PART = "/instance/<any(protect, oauth_application_settings, communication):part>"


@blueprint.get(PART)
def get_part(part: str) -> Json:
    """What is kept of it."""
    name, defaults = PARTS[part]
    found = find_records(name)
    return {"object": name} | defaults | (found[0].data if found else {})


@blueprint.patch(PART)
def patch_part(part: str) -> Json:
    """Keep something else."""
    name, defaults = PARTS[part]
    body = json_body()
    changes: dict[str, Any] = {}
    for key, default in defaults.items():
        if body.get(key) is not None:
            changes[key] = flag(body, key) if isinstance(default, bool) else text_list(body, key)
    found = find_records(name)
    if found:
        change_record(found[0], changes)
    else:
        keep_record(name, "inspart", changes)
    return get_part(part)


@blueprint.post("/instance/change_domain")
def change_domain() -> Json:
    """Only production instances have a domain of their own.

    :raises ClerkError: 400 ``domain_update_forbidden``.
    """
    raise _forbidden()


@blueprint.put("/beta_features/domain")
def put_domain() -> Json:
    """The same, under its old address.

    :raises ClerkError: 400 ``domain_update_forbidden``.
    """
    raise _forbidden()


def _forbidden() -> ClerkError:
    required_text(json_body(), "home_url")
    message = "Domain can be only updated for production instances"
    return ClerkError("domain_update_forbidden", message, 400)


@blueprint.post("/proxy_checks")
def post_proxy_check() -> Json:
    """Whether the app passes on what is for Clerk. Nobody is asked: here it does."""
    clerk, body = current_clerk(), json_body()
    domain_id, url = required_text(body, "domain_id"), required_text(body, "proxy_url")
    primary = f"dmn_{clerk.config.instance_id[4:]}"
    if domain_id != primary and clerk.store.get(Domain, domain_id) is None:
        raise not_found("Domain")
    if not url.startswith(("http://", "https://")):
        message = "Clerk Frontend API cannot be accessed through the proxy URL."
        raise ClerkError("invalid_proxy_configuration", message, 422, "proxy_url")
    record = keep_record("proxy_check", "prxchk", {"domain_id": domain_id, "proxy_url": url})
    times = {"created_at": record.created_at, "updated_at": record.updated_at}
    result = {"successful": True, "last_run_at": record.created_at}
    return {"object": "proxy_check", "id": record.id} | record.data | result | times


@blueprint.get("/public/interstitial")
def interstitial() -> tuple[str, int, dict[str, str]]:
    """The page of old that loaded Clerk.js to find out whether somebody is signed in."""
    return "<!doctype html><title>Signing in</title>", 200, {"Content-Type": "text/html"}
