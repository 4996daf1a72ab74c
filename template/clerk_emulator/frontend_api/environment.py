"""``/environment``: what this instance offers. Clerk's components draw themselves from it.

A missing block usually means a blank component, so that every block is here, also what is off.
"""

from __future__ import annotations

from flask import Blueprint

from ..clerk import LocalClerk, base_url, current_clerk
from ..serializers import Json
from ..users import PASSWORD_MAX_BYTES, PASSWORD_MIN_LENGTH

blueprint = Blueprint("environment", __name__)


@blueprint.route("/environment", methods=["GET", "PATCH"])
def get_environment() -> Json:
    """The whole environment, as a bare object. Clerk.js "patches" it only to be counted."""
    return environment_json(current_clerk(), base_url())


def environment_json(clerk: LocalClerk, base: str) -> Json:
    """Everything that Clerk.js wants to know about the instance.

    :param base: where the browser reaches the hosted pages.
    """
    return {
        "id": f"env_{clerk.config.instance_id.removeprefix('ins_')}",
        "object": "environment",
        "auth_config": _auth_config(clerk),
        "display_config": _display_config(clerk, base),
        "user_settings": _user_settings(),
        "organization_settings": _organization_settings(),
        "commerce_settings": _commerce_settings(),
        "api_keys_settings": {"user_api_keys_enabled": False, "orgs_api_keys_enabled": False},
        "protect_config": {"object": "protect_config", "id": "protect_local"},
        "maintenance_mode": False,
        "client_debug_mode": False,
        "partitioned_cookies": False,
    }


def _auth_config(clerk: LocalClerk) -> Json:
    return {
        "object": "auth_config",
        "id": f"aconf_{clerk.config.instance_id.removeprefix('ins_')}",
        "single_session_mode": True,
        "claimed_at": None,
        "reverification": False,
        "preferred_channels": {},
        "session_minter": False,
    }


def _display_config(clerk: LocalClerk, base: str) -> Json:
    app = clerk.config.app_url
    return {
        "object": "display_config",
        "id": f"display_config_{clerk.config.instance_id.removeprefix('ins_')}",
        "instance_environment_type": "development",
        "application_name": clerk.config.name,
        "branded": False,
        "show_devmode_warning": True,
        "preferred_sign_in_strategy": "password",
        "theme": _theme(),
        "logo_image_url": "",
        "favicon_image_url": "",
        "home_url": app,
        "support_email": "",
        "terms_url": "",
        "privacy_policy_url": "",
        "sign_in_url": f"{base}/sign-in",
        "sign_up_url": f"{base}/sign-up",
        "user_profile_url": f"{base}/user",
        "after_sign_in_url": app,
        "after_sign_up_url": app,
        "after_sign_out_one_url": app,
        "after_sign_out_all_url": app,
        "after_switch_session_url": app,
        "organization_profile_url": app,
        "create_organization_url": app,
        "after_leave_organization_url": app,
        "after_create_organization_url": app,
        "waitlist_url": app,
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


def _attribute(**differences: object) -> Json:
    """How an attribute of users may be used; off, but for the ``differences``."""
    return {
        "enabled": False,
        "required": False,
        "immutable": False,
        "verifications": [],
        "used_for_first_factor": False,
        "first_factors": [],
        "used_for_second_factor": False,
        "second_factors": [],
        "verify_at_sign_up": False,
    } | differences


def _user_settings() -> Json:
    return {
        "attributes": _attributes(),
        "social": {},
        "enterprise_sso": {
            "enabled": False,
            "self_serve_sso": False,
            "self_serve_directory_sync": False,
        },
        "sign_in": {"second_factor": {"required": False, "enabled": False}},
        "sign_up": {
            "mode": "public",
            "progressive": True,
            "captcha_enabled": False,
            "allowlist_only": False,
            "legal_consent_enabled": False,
            "mfa": {"required": False},
        },
        "password_settings": _password_settings(),
        "username_settings": {"min_length": 4, "max_length": 64},
        "passkey_settings": {"allow_autofill": False, "show_sign_in_button": False},
        "attack_protection": {"enumeration_protection": {"enabled": False}},
        "actions": {"delete_self": True, "create_organization": False},
    }


def _attributes() -> Json:
    off = ("phone_number", "username", "web3_wallet", "authenticator_app", "backup_code", "passkey")
    return {name: _attribute() for name in off} | {
        "email_address": _attribute(
            enabled=True,
            required=True,
            verifications=["email_code"],
            used_for_first_factor=True,
            first_factors=["email_code"],
            verify_at_sign_up=True,
        ),
        "password": _attribute(enabled=True, required=True),
        "first_name": _attribute(enabled=True),
        "last_name": _attribute(enabled=True),
    }


def _password_settings() -> Json:
    return {
        "min_length": PASSWORD_MIN_LENGTH,
        "max_length": PASSWORD_MAX_BYTES,
        "disable_hibp": True,
        "allowed_special_characters": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "require_special_char": False,
        "require_numbers": False,
        "require_uppercase": False,
        "require_lowercase": False,
        "show_zxcvbn": False,
        "min_zxcvbn_strength": 0,
    }


def _organization_settings() -> Json:
    return {
        "enabled": False,
        "max_allowed_memberships": 5,
        "force_organization_selection": False,
        "actions": {"admin_delete": True},
        "domains": {"enabled": False, "enrollment_modes": [], "default_role": None},
        "slug": {"disabled": True},
        "organization_creation_defaults": {"enabled": False},
    }


def _commerce_settings() -> Json:
    off = {"enabled": False, "has_paid_plans": False}
    return {"billing": {"stripe_publishable_key": None, "organization": off, "user": off}}
