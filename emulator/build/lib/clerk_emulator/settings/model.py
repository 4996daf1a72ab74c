"""What an instance allows, as Clerk's dashboard would have it: data, with Clerk's own names.

Every default gives the instance that a new project starts with. A TOML file names what differs,
in tables of the same names as the fields here.
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
    """Of a phone number: by what else than SMS codes go out, such as ``whatsapp``."""


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
    """What the components and hosted pages say of the application. Empty: the project's own."""

    name: str = ""
    logo_image_url: str = ""
    support_email: str = ""
    terms_url: str = ""
    privacy_policy_url: str = ""
    preferred_sign_in_strategy: str = "password"


@dataclass(frozen=True)
class SocialProvider:
    """A social login. Its consent page is the emulator's own."""

    enabled: bool = True
    name: str = ""
    """Empty: the provider's usual name."""


@dataclass(frozen=True)
class SignUpRules:
    """Who may make an account, and what for."""

    mode: str = "public"
    """``public``, ``restricted`` (invitations only) or ``waitlist``."""
    progressive: bool = True
    legal_consent_enabled: bool = False
    captcha_enabled: bool = False


@dataclass(frozen=True)
class Restrictions:
    """Whose address or number may be used; the lists themselves are data, not settings."""

    allowlist: bool = False
    blocklist: bool = False
    allowlist_blocklist_disabled_on_sign_in: bool = False
    block_email_subaddresses: bool = False
    block_disposable_email_domains: bool = False


@dataclass(frozen=True)
class SignInRules:
    """What signing in takes."""

    second_factor_required: bool = False
    """Who has none is given the session task ``setup-mfa``."""
    enumeration_protection: bool = False
    preferred_channels: dict[str, str] = field(default_factory=dict)
    """By country (``US``): the channel by which codes go out first."""
    client_trust: bool = False
    """Who signs in with a password in a browser that is new to them proves an address, too."""


@dataclass(frozen=True)
class UserLockout:
    """After how many wrong passwords and codes nobody may try any more, and for how long."""

    enabled: bool = True
    max_attempts: int = 10
    duration_in_minutes: int = 60
    """0: until somebody unlocks the account."""


@dataclass(frozen=True)
class EmailLinkProtection:
    """Whether a link must be opened in the browser that asked for it."""

    require_same_client: bool = True


@dataclass(frozen=True)
class AttackProtection:
    """What keeps attackers out."""

    user_lockout: UserLockout = UserLockout()
    email_link: EmailLinkProtection = EmailLinkProtection()


@dataclass(frozen=True)
class PasswordRules:
    """What makes a password."""

    min_length: int = 8
    max_length: int = 72
    require_special_char: bool = False
    require_numbers: bool = False
    require_uppercase: bool = False
    require_lowercase: bool = False
    disable_hibp: bool = True
    """False: the passwords that everybody knows to be stolen are refused, too."""
    enforce_hibp_on_sign_in: bool = True
    """Whether a stolen password has to be replaced when somebody signs in with it."""
    show_zxcvbn: bool = False
    min_zxcvbn_strength: int = 0
    """How strong Clerk.js wants a password to be, 0 to 4, with ``show_zxcvbn``."""
    compromised: tuple[str, ...] = ()
    """More passwords that are known to be stolen."""


@dataclass(frozen=True)
class UsernameRules:
    """What makes a username."""

    min_length: int = 4
    max_length: int = 64


@dataclass(frozen=True)
class PasskeyRules:
    """How the sign-in form offers passkeys, where ``attributes.passkey`` is enabled."""

    allow_autofill: bool = True
    show_sign_in_button: bool = True


@dataclass(frozen=True)
class SessionRules:
    """How long a sign-in lasts, and how many a browser may have."""

    multi_session: bool = False
    lifetime_seconds: int = 7 * 24 * 3600
    inactivity_timeout_seconds: int = 30 * 24 * 3600
    token_seconds: int = 60
    handshake_in_cookies: bool = False
    """Hand over handshakes in cookies, as production instances do, instead of in the query."""
    reverification: bool = True


@dataclass(frozen=True)
class Actions:
    """What people may do by themselves."""

    delete_self: bool = True
    create_organization: bool = True


@dataclass(frozen=True)
class Permission:
    """Something that a role may allow. Clerk's own begin with ``org:sys_``."""

    key: str = ""
    name: str = ""
    description: str = ""
    id: str = ""
    """Empty: made from the key."""


@dataclass(frozen=True)
class Role:
    """What a member is in an organization."""

    key: str = ""
    name: str = ""
    description: str = ""
    permissions: tuple[str, ...] = ()
    id: str = ""
    """Empty: made from the key."""


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
"""The permissions that every instance has."""

ADMIN = Role("org:admin", "Admin", permissions=tuple(p.key for p in SYSTEM_PERMISSIONS))
MEMBER = Role(
    "org:member", "Member", permissions=("org:sys_memberships:read", "org:sys_billing:read")
)


@dataclass(frozen=True)
class Organizations:
    """Organizations: whether there are any, and their rules."""

    enabled: bool = False
    force_organization_selection: bool = False
    """Who belongs to none is given the session task ``choose-organization``."""
    max_allowed_memberships: int = 5
    """0: as many as there are."""
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
    """Custom ones, beside :data:`SYSTEM_PERMISSIONS`."""

    @property
    def all_permissions(self) -> tuple[Permission, ...]:
        """Clerk's own, and the custom ones."""
        return (*SYSTEM_PERMISSIONS, *self.permissions)

    def role(self, key: str) -> Role | None:
        """The role with that key."""
        return next((role for role in self.roles if role.key == key), None)


@dataclass(frozen=True)
class Plan:
    """What people or organizations can subscribe to. Nobody is charged here."""

    slug: str = ""
    name: str = ""
    description: str = ""
    payer: str = "user"
    """``user`` or ``org``."""
    amount: int = 0
    """Cents a month."""
    annual_amount: int = 0
    """Cents a year; 0: not offered."""
    currency: str = "usd"
    is_default: bool = False
    """Who has no other plan has this one."""
    features: tuple[str, ...] = ()
    free_trial_days: int = 0
    """For who has had no plan before; 0: no trial."""


@dataclass(frozen=True)
class Feature:
    """Something that a plan includes."""

    slug: str = ""
    name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Billing:
    """Plans and features."""

    enabled: bool = False
    declines_payments: bool = False
    """Whether the test card is refused, so that an app can be seen to cope."""
    plans: tuple[Plan, ...] = ()
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True)
class JwtTemplate:
    """Claims of a custom token; ``{{user.id}}`` and the like are filled in."""

    lifetime_seconds: int = 60
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ApiKeys:
    """Whether people and organizations may make keys for their programs."""

    user_enabled: bool = False
    organization_enabled: bool = False


@dataclass(frozen=True)
class Webhooks:
    """How webhooks reach the app. Clerk delivers at least once and in any order: so can this."""

    path: str = "/webhooks/clerk"
    """Where the app takes them, below its own address."""
    events: tuple[str, ...] = ()
    """Which ones: ``user.created``, or ``user.*`` for all of them; empty: every event there is."""
    paused: bool = False
    duplicate_every: int = 0
    """Every how-manieth webhook is sent twice; 0: none."""
    shuffle: bool = False
    """Send what is waiting in a random order."""


@dataclass(frozen=True)
class InstanceSettings:
    """Everything that an instance's owner can switch."""

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
        """Whether people may sign in with this provider."""
        found = self.social.get(provider)
        return found is not None and found.enabled
