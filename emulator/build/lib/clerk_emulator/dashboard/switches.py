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
        Switch(f"{path}.enabled", "People can have one"),
        Switch(f"{path}.required", "Required at sign-up"),
    ]
    if strategies:
        switches += [
            Switch(f"{path}.used_for_first_factor", "Signs people in"),
            Switch(f"{path}.first_factors", "By", "several", strategies),
            Switch(f"{path}.verify_at_sign_up", "Verified at sign-up"),
            Switch(f"{path}.verifications", "Verified by", "several", strategies),
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
            Switch("attributes.username.enabled", "People can have one"),
            Switch("attributes.username.required", "Required at sign-up"),
            Switch("attributes.username.used_for_first_factor", "Signs people in"),
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
        "What people may set up to prove who they are twice.",
        (
            Switch("attributes.authenticator_app.enabled", "Authenticator app"),
            Switch("attributes.authenticator_app.used_for_second_factor", "… as second factor"),
            Switch("attributes.backup_code.enabled", "Backup codes"),
            Switch("attributes.backup_code.used_for_second_factor", "… as second factor"),
            Switch("attributes.phone_number.used_for_second_factor", "SMS code as second factor"),
            Switch("sign_in.second_factor_required", "Everybody needs one"),
            Switch("sign_in.client_trust", "A code when a password comes from a new browser"),
        ),
    ),
    Group(
        "sign_up",
        "Sign-up",
        "Who may make an account.",
        (
            Switch("sign_up.mode", "Open to", "choice", ("public", "restricted", "waitlist")),
            Switch("sign_up.legal_consent_enabled", "Asks for consent to the terms"),
            Switch("password.min_length", "Shortest password", "number"),
        ),
    ),
    Group(
        "attack_protection",
        "Protection",
        "Wrong passwords and codes lock an account.",
        (
            Switch("attack_protection.user_lockout.enabled", "Lock accounts"),
            Switch("attack_protection.user_lockout.max_attempts", "After wrong attempts", "number"),
            Switch(
                "attack_protection.user_lockout.duration_in_minutes",
                "For minutes (0: until unlocked)",
                "number",
            ),
            Switch(
                "attack_protection.email_link.require_same_client",
                "Links count only in the browser that asked for them",
            ),
        ),
    ),
    Group(
        "sessions",
        "Sessions",
        "",
        (
            Switch("sessions.multi_session", "Several accounts in one browser"),
            Switch("sessions.reverification", "Reverification before what matters"),
            Switch("sessions.lifetime_seconds", "Lifetime in seconds", "number"),
            Switch("sessions.inactivity_timeout_seconds", "Ends unused after seconds", "number"),
        ),
    ),
    Group(
        "organizations",
        "Organizations",
        "",
        (
            Switch("organizations.enabled", "Switched on"),
            Switch("organizations.force_organization_selection", "Everybody has to choose one"),
            Switch("organizations.domains", "Verified domains"),
            Switch("organizations.slugs", "Slugs"),
            Switch("organizations.max_allowed_memberships", "Most members (0: any)", "number"),
            Switch("actions.create_organization", "People may create them"),
        ),
    ),
    Group(
        "more",
        "Billing, API keys, accounts",
        "",
        (
            Switch("billing.enabled", "Billing: plans and features"),
            Switch("api_keys.user_enabled", "API keys of people"),
            Switch("api_keys.organization_enabled", "API keys of organizations"),
            Switch("actions.delete_self", "People may delete their account"),
        ),
    ),
    Group(
        "webhooks",
        "Webhooks",
        "Clerk delivers at least once and in any order. Try what your app makes of it.",
        (
            Switch("webhooks.path", "Path in the app", "text"),
            Switch("webhooks.paused", "Hold them back"),
            Switch("webhooks.shuffle", "Send in a random order"),
            Switch("webhooks.duplicate_every", "Send every nth twice (0: none)", "number"),
        ),
    ),
)
