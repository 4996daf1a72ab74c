"""Which settings the dashboard shows, and in which words. All others are for the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One setting.

    :param path: where it stands in the settings, such as ``sign_up.mode``.
    :param kind: ``flag``, ``number``, ``text``, ``choice`` or ``several`` (of the choices).
    """

    path: str
    label: str
    kind: str = "flag"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Settings that are sent together."""

    key: str
    title: str
    hint: str
    switches: tuple[Switch, ...]


def _attribute(name: str, title: str, strategies: tuple[str, ...] = ()) -> Group:
    path = f"attributes.{name}"
    switches = [
        Switch(f"{path}.enabled", "Enabled"),
        Switch(f"{path}.required", "Required at sign-up"),
    ]
    if strategies:
        switches += [
            Switch(f"{path}.used_for_first_factor", "Used for sign-in"),
            Switch(f"{path}.first_factors", "Sign-in methods", "several", strategies),
            Switch(f"{path}.verify_at_sign_up", "Verify at sign-up"),
            Switch(f"{path}.verifications", "Verification methods", "several", strategies),
        ]
    return Group(name, title, "", tuple(switches))


PROVIDERS = (
    "apple",
    "discord",
    "facebook",
    "github",
    "gitlab",
    "google",
    "linkedin_oidc",
    "microsoft",
    "slack",
    "x",
)
"""Social providers that can be switched here; any other by the file."""

ATTRIBUTES = (
    _attribute("email_address", "Email address", ("email_code", "email_link")),
    _attribute("phone_number", "Phone number", ("phone_code",)),
    Group(
        "username",
        "Username",
        "",
        (
            Switch("attributes.username.enabled", "Enabled"),
            Switch("attributes.username.required", "Required at sign-up"),
            Switch("attributes.username.used_for_first_factor", "Used for sign-in"),
        ),
    ),
    _attribute("password", "Password"),
    _attribute("first_name", "First name"),
    _attribute("last_name", "Last name"),
)

GROUPS = (
    *ATTRIBUTES,
    Group(
        "second_factors",
        "Second factors",
        "Ways to verify a user in a second step.",
        (
            Switch("attributes.authenticator_app.enabled", "Authenticator app"),
            Switch("attributes.authenticator_app.used_for_second_factor", "App as second factor"),
            Switch("attributes.backup_code.enabled", "Backup codes"),
            Switch("attributes.backup_code.used_for_second_factor", "Codes as second factor"),
            Switch("attributes.phone_number.used_for_second_factor", "SMS code as second factor"),
            Switch("sign_in.second_factor_required", "Required for all users"),
            Switch("sign_in.client_trust", "Ask for a code after a password in a new browser"),
        ),
    ),
    Group(
        "sign_up",
        "Sign-up",
        "Who can create an account.",
        (
            Switch("sign_up.mode", "Mode", "choice", ("public", "restricted", "waitlist")),
            Switch("sign_up.legal_consent_enabled", "Require consent to the terms"),
            Switch("password.min_length", "Minimum password length", "number"),
        ),
    ),
    Group(
        "attack_protection",
        "Protection",
        "Lock accounts after wrong passwords or codes.",
        (
            Switch("attack_protection.user_lockout.enabled", "Lock accounts"),
            Switch("attack_protection.user_lockout.max_attempts", "Attempts allowed", "number"),
            Switch(
                "attack_protection.user_lockout.duration_in_minutes",
                "Lock duration in minutes (0: until unlocked)",
                "number",
            ),
            Switch(
                "attack_protection.email_link.require_same_client",
                "Email links work only in the browser that requested them",
            ),
        ),
    ),
    Group(
        "sessions",
        "Sessions",
        "",
        (
            Switch("sessions.multi_session", "Multiple accounts in one browser"),
            Switch("sessions.reverification", "Reverification before sensitive actions"),
            Switch("sessions.lifetime_seconds", "Lifetime, seconds", "number"),
            Switch("sessions.inactivity_timeout_seconds", "Inactivity timeout, seconds", "number"),
        ),
    ),
    Group(
        "organizations",
        "Organizations",
        "",
        (
            Switch("organizations.enabled", "Enabled"),
            Switch("organizations.force_organization_selection", "Users must choose one"),
            Switch("organizations.domains", "Verified domains"),
            Switch("organizations.slugs", "Slugs"),
            Switch("organizations.max_allowed_memberships", "Member limit (0: none)", "number"),
            Switch("actions.create_organization", "Users can create organizations"),
        ),
    ),
    Group(
        "more",
        "Billing, API keys, accounts",
        "",
        (
            Switch("billing.enabled", "Billing: plans and features"),
            Switch("api_keys.user_enabled", "API keys for users"),
            Switch("api_keys.organization_enabled", "API keys for organizations"),
            Switch("actions.delete_self", "Users can delete their account"),
        ),
    ),
    Group(
        "webhooks",
        "Webhooks",
        "Clerk may deliver webhooks twice and in any order. Test how your app handles that.",
        (
            Switch("webhooks.path", "Path in the app", "text"),
            Switch("webhooks.paused", "Pause"),
            Switch("webhooks.shuffle", "Send in a random order"),
            Switch("webhooks.duplicate_every", "Send every nth webhook twice (0: never)", "number"),
        ),
    ),
)
