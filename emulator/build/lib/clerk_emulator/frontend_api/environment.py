"""``/environment``: what this instance offers. Clerk's components draw themselves from it.

A missing block usually means a blank component, so that every block is here, also what is off.
"""

from __future__ import annotations

from dataclasses import asdict, fields

from flask import Blueprint

from ..clerk import LocalClerk, base_url, current_clerk
from ..external_accounts import provider_name
from ..passwords import SPECIAL_CHARACTERS
from ..serializers import Json
from ..settings import InstanceSettings
from ..settings.model import Attribute

blueprint = Blueprint("environment", __name__)


@blueprint.route("/environment", methods=["GET", "PATCH"])
def get_environment() -> Json:
    """The whole environment, as a bare object. Clerk.js "patches" it only to be counted."""
    return environment_json(current_clerk(), base_url())


def environment_json(clerk: LocalClerk, base: str) -> Json:
    """Everything that Clerk.js wants to know about the instance.

    :param base: where the browser reaches the hosted pages.
    """
    settings = clerk.settings
    return {
        "id": f"env_{clerk.config.instance_id.removeprefix('ins_')}",
        "object": "environment",
        "auth_config": _auth_config(clerk),
        "display_config": _display_config(clerk, base),
        "user_settings": _user_settings(settings),
        "organization_settings": _organization_settings(settings),
        "commerce_settings": _commerce_settings(settings),
        "api_keys_settings": {
            "user_api_keys_enabled": settings.api_keys.user_enabled,
            "orgs_api_keys_enabled": settings.api_keys.organization_enabled,
        },
        "protect_config": {"object": "protect_config", "id": "protect_local"},
        "maintenance_mode": False,
        "client_debug_mode": False,
        "partitioned_cookies": False,
    }


def _auth_config(clerk: LocalClerk) -> Json:
    sessions = clerk.settings.sessions
    return {
        "object": "auth_config",
        "id": f"aconf_{clerk.config.instance_id.removeprefix('ins_')}",
        "single_session_mode": not sessions.multi_session,
        "claimed_at": None,
        "reverification": sessions.reverification,
        "preferred_channels": clerk.settings.sign_in.preferred_channels,
        "session_minter": False,
    }


def _display_config(clerk: LocalClerk, base: str) -> Json:
    app, rules = clerk.config.app_url, clerk.settings.application
    return {
        "object": "display_config",
        "id": f"display_config_{clerk.config.instance_id.removeprefix('ins_')}",
        "instance_environment_type": "development",
        "application_name": rules.name or clerk.config.name,
        "branded": False,
        "show_devmode_warning": True,
        "preferred_sign_in_strategy": rules.preferred_sign_in_strategy,
        "theme": _theme(),
        "logo_image_url": rules.logo_image_url,
        "favicon_image_url": "",
        "home_url": app,
        "support_email": rules.support_email,
        "terms_url": rules.terms_url,
        "privacy_policy_url": rules.privacy_policy_url,
        "sign_in_url": f"{base}/sign-in",
        "sign_up_url": f"{base}/sign-up",
        "user_profile_url": f"{base}/user",
        "waitlist_url": f"{base}/waitlist",
        "organization_profile_url": f"{base}/organization",
        "create_organization_url": f"{base}/create-organization",
        "after_sign_in_url": app,
        "after_sign_up_url": app,
        "after_sign_out_one_url": app,
        "after_sign_out_all_url": app,
        "after_switch_session_url": app,
        "after_leave_organization_url": app,
        "after_create_organization_url": app,
        "after_join_waitlist_url": app,
        "captcha_public_key": None,
        "captcha_public_key_invisible": None,
        "captcha_widget_type": None,
        "captcha_provider": "turnstile",
        "captcha_oauth_bypass": [],
    }


def _theme() -> Json:
    font = "ui-sans-serif, system-ui, sans-serif"
    return {
        "general": {
            "color": "#2f3037",
            "background_color": "#ffffff",
            "font_family": font,
            "font_color": "#2f3037",
            "label_font_weight": "600",
            "padding": "1em",
            "border_radius": "0.5em",
            "box_shadow": "0 2px 8px rgba(0, 0, 0, 0.2)",
        },
        "buttons": {"font_color": "#ffffff", "font_family": font, "font_weight": "600"},
        "accounts": {"background_color": "#ffffff"},
    }


def _user_settings(settings: InstanceSettings) -> Json:
    required = settings.sign_in.second_factor_required
    return {
        "attributes": {name: asdict(value) for name, value in _attributes(settings).items()},
        "social": {f"oauth_{name}": _social(settings, name) for name in settings.social},
        "enterprise_sso": {
            "enabled": False,
            "self_serve_sso": False,
            "self_serve_directory_sync": False,
        },
        "sign_in": {"second_factor": {"required": required, "enabled": _has_mfa(settings)}},
        "sign_up": asdict(settings.sign_up)
        | {"allowlist_only": False, "mfa": {"required": required}},
        "password_settings": _password_settings(settings),
        "username_settings": asdict(settings.username),
        "passkey_settings": _passkey_settings(settings),
        "attack_protection": {
            "user_lockout": asdict(settings.attack_protection.user_lockout),
            "email_link": asdict(settings.attack_protection.email_link),
            "enumeration_protection": {"enabled": settings.sign_in.enumeration_protection},
        },
        "actions": asdict(settings.actions),
    }


def _attributes(settings: InstanceSettings) -> dict[str, Attribute]:
    """An attribute that is off is not used for anything, whatever else the settings say of it."""
    named = {f.name: getattr(settings.attributes, f.name) for f in fields(settings.attributes)}
    return {name: value if value.enabled else Attribute() for name, value in named.items()}


def _has_mfa(settings: InstanceSettings) -> bool:
    return any(value.used_for_second_factor for value in _attributes(settings).values())


def _social(settings: InstanceSettings, provider: str) -> Json:
    enabled = settings.has_social(provider)
    return {
        "enabled": enabled,
        "required": False,
        "authenticatable": enabled,
        "block_email_subaddresses": False,
        "strategy": f"oauth_{provider}",
        "not_selectable": False,
        "deprecated": False,
        "name": provider_name(settings, provider),
        "logo_url": f"https://img.clerk.com/static/{provider}.png",
    }


def _password_settings(settings: InstanceSettings) -> Json:
    rules = asdict(settings.password)
    del rules["compromised"]
    return rules | {"allowed_special_characters": SPECIAL_CHARACTERS}


def _passkey_settings(settings: InstanceSettings) -> Json:
    enabled = settings.attributes.passkey.enabled
    return {name: enabled and value for name, value in asdict(settings.passkeys).items()}


def _organization_settings(settings: InstanceSettings) -> Json:
    rules = settings.organizations
    return {
        "enabled": rules.enabled,
        "max_allowed_memberships": rules.max_allowed_memberships,
        "force_organization_selection": rules.force_organization_selection,
        "actions": {"admin_delete": rules.admin_delete},
        "domains": {
            "enabled": rules.domains,
            "enrollment_modes": rules.domain_enrollment_modes,
            "default_role": rules.default_role,
        },
        "slug": {"disabled": not rules.slugs},
        "organization_creation_defaults": {"enabled": False},
    }


def _commerce_settings(settings: InstanceSettings) -> Json:
    def of(payer: str) -> Json:
        plans = [plan for plan in settings.billing.plans if plan.payer == payer]
        enabled = settings.billing.enabled and bool(plans)
        return {"enabled": enabled, "has_paid_plans": enabled and any(p.amount for p in plans)}

    return {
        "billing": {
            "stripe_publishable_key": None,
            "organization": of("org"),
            "user": of("user"),
        }
    }
