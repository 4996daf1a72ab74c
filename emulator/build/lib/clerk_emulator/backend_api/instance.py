"""``/instance``: what the instance allows, as far as the Backend API can see and change it."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..serializers import Json
from .parameters import json_body
from .settings_changes import chosen, switch

blueprint = Blueprint("instance", __name__)

APPLICATION = {
    "support_email": "support_email",
    "preferred_sign_in_strategy_when_password_required": "preferred_sign_in_strategy",
}
RESTRICTIONS = {
    name: name
    for name in (
        "allowlist",
        "blocklist",
        "allowlist_blocklist_disabled_on_sign_in",
        "block_email_subaddresses",
        "block_disposable_email_domains",
    )
}
ORGANIZATIONS = {
    "enabled": "enabled",
    "max_allowed_memberships": "max_allowed_memberships",
    "admin_delete_enabled": "admin_delete",
    "domains_enabled": "domains",
    "domains_enrollment_modes": "domain_enrollment_modes",
    "creator_role_id": "creator_role",
    "domains_default_role_id": "default_role",
}


@blueprint.get("/instance")
def get_instance() -> Json:
    """The instance itself."""
    return {
        "object": "instance",
        "id": current_clerk().config.instance_id,
        "environment_type": "development",
        "allowed_origins": None,
    }


@blueprint.patch("/instance")
def patch_instance() -> tuple[str, int]:
    """Change how the instance presents itself. What has no counterpart here changes nothing."""
    switch({"application": chosen(json_body(), APPLICATION)})
    return "", 204


@blueprint.get("/instance/restrictions")
def get_restrictions() -> Json:
    """Who may sign up."""
    rules = current_clerk().settings.restrictions
    shown = {name: getattr(rules, name) for name in RESTRICTIONS}
    return {"object": "instance_restrictions"} | shown


@blueprint.patch("/instance/restrictions")
def patch_restrictions() -> Json:
    """Change who may sign up."""
    switch({"restrictions": chosen(json_body(), RESTRICTIONS)})
    return get_restrictions()


@blueprint.get("/instance/organization_settings")
def get_organization_settings() -> Json:
    """The rules of organizations."""
    rules = current_clerk().settings.organizations
    return {
        "object": "organization_settings",
        "enabled": rules.enabled,
        "max_allowed_memberships": rules.max_allowed_memberships,
        "max_allowed_roles": 10,
        "max_allowed_permissions": 50,
        "max_allowed_domains": 10,
        "max_role_sets_allowed": 1,
        "creator_role": rules.creator_role,
        "admin_delete_enabled": rules.admin_delete,
        "domains_enabled": rules.domains,
        "domains_enrollment_modes": list(rules.domain_enrollment_modes),
        "domains_default_role": rules.default_role,
        "slug_disabled": not rules.slugs,
        "initial_role_set_key": None,
    }


@blueprint.patch("/instance/organization_settings")
def patch_organization_settings() -> Json:
    """Change the rules of organizations."""
    body = json_body()
    changes = chosen(body, ORGANIZATIONS)
    if isinstance(body.get("slug_disabled"), bool):
        changes["slugs"] = not body["slug_disabled"]
    switch({"organizations": changes})
    return get_organization_settings()


@blueprint.patch("/beta_features/instance_settings")
def patch_instance_settings() -> Json:
    """Change who may sign up, and how."""
    body = json_body()
    switch(
        {
            "restrictions": chosen(body, {"restricted_to_allowlist": "allowlist"}),
            "sign_up": chosen(body, {"progressive_sign_up": "progressive"}),
        }
    )
    settings = current_clerk().settings
    return {
        "object": "instance_settings",
        "id": current_clerk().config.instance_id,
        "restricted_to_allowlist": settings.restrictions.allowlist,
        "from_email_address": "notifications",
        "progressive_sign_up": settings.sign_up.progressive,
        "enhanced_email_deliverability": False,
    }
