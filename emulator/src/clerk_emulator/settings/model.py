"""The settings of an instance, under Clerk's own names: what Clerk's dashboard would hold.

The defaults are those of a new Clerk instance. A TOML file contains what differs, in tables with
the names of the fields here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Attribute:
    """How one attribute of a user may be used."""

    enabled: bool = False
    required: bool = False
    immutable: bool = False
    used_for_first_factor: bool = False
    first_factors: tuple[str, ...] = ()
    used_for_second_factor: bool = False
    second_factors: tuple[str, ...] = ()
    verifications: tuple[str, ...] = ()
    verify_at_sign_up: bool = False
    channels: tuple[str, ...] = ()
    """Of a phone number: channels for codes beside SMS, such as ``whatsapp``."""


@dataclass(frozen=True)
class Attributes:
    """All attributes that users can have."""

    email_address: Attribute = Attribute(
        enabled=True,
        required=True,
        used_for_first_factor=True,
        first_factors=("email_code",),
        verifications=("email_code",),
        verify_at_sign_up=True,
    )
    phone_number: Attribute = Attribute()
    username: Attribute = Attribute()
    first_name: Attribute = Attribute(enabled=True)
    last_name: Attribute = Attribute(enabled=True)
    password: Attribute = Attribute(enabled=True, required=True)
    authenticator_app: Attribute = Attribute()
    backup_code: Attribute = Attribute()
    passkey: Attribute = Attribute()
    web3_wallet: Attribute = Attribute()


@dataclass(frozen=True)
class Application:
    """What components and hosted pages show about the app. Empty name: the one from ``--name``."""

    name: str = ""
    logo_image_url: str = ""
    support_email: str = ""
    terms_url: str = ""
    privacy_policy_url: str = ""
    preferred_sign_in_strategy: str = "password"


@dataclass(frozen=True)
class SocialProvider:
    """A social provider. The emulator has its own consent page for it."""

    enabled: bool = True
    name: str = ""
    """Empty: the provider's usual name."""


@dataclass(frozen=True)
class SignUpRules:
    """Who can sign up, and what a sign-up requires."""

    mode: str = "public"
    """``public``, ``restricted`` (invitations only) or ``waitlist``."""
    progressive: bool = True
    legal_consent_enabled: bool = False
    captcha_enabled: bool = False


@dataclass(frozen=True)
class Restrictions:
    """Which addresses and numbers are allowed. The lists themselves are data, not settings."""

    allowlist: bool = False
    blocklist: bool = False
    allowlist_blocklist_disabled_on_sign_in: bool = False
    block_email_subaddresses: bool = False
    block_disposable_email_domains: bool = False


@dataclass(frozen=True)
class SignInRules:
    """What a sign-in requires."""

    second_factor_required: bool = False
    """Users without a second factor get the session task ``setup-mfa``."""
    enumeration_protection: bool = False
    preferred_channels: dict[str, str] = field(default_factory=dict)
    """By country (``US``): the channel that is used first for codes."""
    client_trust: bool = False
    """Also ask for a code when a password comes from a browser that is new to the user."""


@dataclass(frozen=True)
class UserLockout:
    """After how many wrong passwords and codes an account is locked, and for how long."""

    enabled: bool = True
    max_attempts: int = 10
    duration_in_minutes: int = 60
    """0: until the account is unlocked."""


@dataclass(frozen=True)
class EmailLinkProtection:
    """Whether an email link must be opened in the browser that requested it."""

    require_same_client: bool = True


@dataclass(frozen=True)
class AttackProtection:
    """Protection against attackers."""

    user_lockout: UserLockout = UserLockout()
    email_link: EmailLinkProtection = EmailLinkProtection()


@dataclass(frozen=True)
class PasswordRules:
    """Rules for passwords."""

    min_length: int = 8
    max_length: int = 72
    require_special_char: bool = False
    require_numbers: bool = False
    require_uppercase: bool = False
    require_lowercase: bool = False
    disable_hibp: bool = True
    """False: passwords that are known to be stolen are refused."""
    enforce_hibp_on_sign_in: bool = True
    """Whether a stolen password has to be replaced at the next sign-in."""
    show_zxcvbn: bool = False
    min_zxcvbn_strength: int = 0
    """The strength that Clerk.js requires of a password, 0 to 4, with ``show_zxcvbn``."""
    compromised: tuple[str, ...] = ()
    """More passwords that count as stolen."""


@dataclass(frozen=True)
class UsernameRules:
    """Rules for usernames."""

    min_length: int = 4
    max_length: int = 64


@dataclass(frozen=True)
class PasskeyRules:
    """How the sign-in form offers passkeys, where ``attributes.passkey`` is enabled."""

    allow_autofill: bool = True
    show_sign_in_button: bool = True


@dataclass(frozen=True)
class SessionRules:
    """How long sessions last, and how many a browser can have."""

    multi_session: bool = False
    lifetime_seconds: int = 7 * 24 * 3600
    inactivity_timeout_seconds: int = 30 * 24 * 3600
    token_seconds: int = 60
    handshake_in_cookies: bool = False
    """Pass handshakes in cookies, as production instances do, instead of in the query."""
    reverification: bool = True


@dataclass(frozen=True)
class Actions:
    """What users can do themselves."""

    delete_self: bool = True
    create_organization: bool = True


@dataclass(frozen=True)
class Permission:
    """A permission of roles. The keys of Clerk's own begin with ``org:sys_``."""

    key: str = ""
    name: str = ""
    description: str = ""
    id: str = ""
    """Empty: derived from the key."""


@dataclass(frozen=True)
class Role:
    """A role of members in an organization."""

    key: str = ""
    name: str = ""
    description: str = ""
    permissions: tuple[str, ...] = ()
    id: str = ""
    """Empty: derived from the key."""


SYSTEM_PERMISSIONS = tuple(
    Permission(f"org:sys_{key}", name)
    for key, name in {
        "profile:manage": "Manage organization",
        "profile:delete": "Delete organization",
        "memberships:read": "Read members",
        "memberships:manage": "Manage members",
        "domains:read": "Read domains",
        "domains:manage": "Manage domains",
        "billing:read": "Read billing",
        "billing:manage": "Manage billing",
        "api_keys:read": "Read API keys",
        "api_keys:manage": "Manage API keys",
    }.items()
)
"""The permissions of every instance."""

ADMIN = Role("org:admin", "Admin", permissions=tuple(p.key for p in SYSTEM_PERMISSIONS))
MEMBER = Role(
    "org:member", "Member", permissions=("org:sys_memberships:read", "org:sys_billing:read")
)


@dataclass(frozen=True)
class Organizations:
    """Whether organizations are enabled, and their rules."""

    enabled: bool = False
    force_organization_selection: bool = False
    """Users without an organization get the session task ``choose-organization``."""
    max_allowed_memberships: int = 5
    """0: unlimited."""
    admin_delete: bool = True
    slugs: bool = True
    domains: bool = False
    domain_enrollment_modes: tuple[str, ...] = (
        "manual_invitation",
        "automatic_invitation",
        "automatic_suggestion",
    )
    creator_role: str = "org:admin"
    default_role: str = "org:member"
    roles: tuple[Role, ...] = (ADMIN, MEMBER)
    permissions: tuple[Permission, ...] = ()
    """Custom permissions, in addition to :data:`SYSTEM_PERMISSIONS`."""

    @property
    def all_permissions(self) -> tuple[Permission, ...]:
        """System permissions and custom permissions."""
        return (*SYSTEM_PERMISSIONS, *self.permissions)

    def role(self, key: str) -> Role | None:
        """Return the role with this key; None if there is none."""
        return next((role for role in self.roles if role.key == key), None)


@dataclass(frozen=True)
class Plan:
    """A plan for users or organizations. Payments are simulated."""

    slug: str = ""
    name: str = ""
    description: str = ""
    payer: str = "user"
    """``user`` or ``org``."""
    amount: int = 0
    """Cents per month."""
    annual_amount: int = 0
    """Cents per year; 0: not offered."""
    currency: str = "usd"
    is_default: bool = False
    """Payers without another plan have this one."""
    features: tuple[str, ...] = ()
    free_trial_days: int = 0
    """For payers that had no plan before; 0: no trial."""


@dataclass(frozen=True)
class Feature:
    """A feature of plans."""

    slug: str = ""
    name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Billing:
    """Plans and features."""

    enabled: bool = False
    declines_payments: bool = False
    """Decline the test card, to test how an app handles it."""
    plans: tuple[Plan, ...] = ()
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True)
class JwtTemplate:
    """Claims of a custom token, with placeholders such as ``{{user.id}}``."""

    lifetime_seconds: int = 60
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiKeys:
    """Whether users and organizations can create API keys."""

    user_enabled: bool = False
    organization_enabled: bool = False


@dataclass(frozen=True)
class Webhooks:
    """How webhooks are delivered. Like Clerk's, they can arrive more than once and in any order."""

    path: str = "/webhooks/clerk"
    """The path of the app's webhook endpoint."""
    events: tuple[str, ...] = ()
    """Events to send, such as ``user.created`` or ``user.*``; empty: all events."""
    paused: bool = False
    duplicate_every: int = 0
    """Send every nth webhook twice; 0: never."""
    shuffle: bool = False
    """Send pending webhooks in a random order."""


@dataclass(frozen=True)
class InstanceSettings:
    """All settings of an instance."""

    application: Application = Application()
    attributes: Attributes = Attributes()
    social: dict[str, SocialProvider] = field(default_factory=dict)
    """By provider: ``google``, ``github``, …"""
    sign_up: SignUpRules = SignUpRules()
    sign_in: SignInRules = SignInRules()
    attack_protection: AttackProtection = AttackProtection()
    restrictions: Restrictions = Restrictions()
    password: PasswordRules = PasswordRules()
    username: UsernameRules = UsernameRules()
    passkeys: PasskeyRules = PasskeyRules()
    sessions: SessionRules = SessionRules()
    actions: Actions = Actions()
    organizations: Organizations = Organizations()
    billing: Billing = Billing()
    jwt_templates: dict[str, JwtTemplate] = field(default_factory=dict)
    api_keys: ApiKeys = ApiKeys()
    webhooks: Webhooks = Webhooks()

    def has_social(self, provider: str) -> bool:
        """Whether users can sign in with this provider."""
        found = self.social.get(provider)
        return found is not None and found.enabled
