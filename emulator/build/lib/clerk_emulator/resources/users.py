"""Accounts, and what identifies them: addresses, numbers, accounts elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import Resource


@dataclass
class User(Resource):
    """An account."""

    TABLE = "users"
    INDEXED = ("external_id", "username")

    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    external_id: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    password_compromised: bool = False
    """Whether the next sign-in has to choose another password."""
    primary_email_address_id: str | None = None
    primary_phone_number_id: str | None = None
    picture_id: str | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    totp_secret: str | None = field(default=None, repr=False)
    totp_verified: bool = False
    totp_last_step: int = 0
    """Number of the last 30 seconds whose code was used: that code is of no use again."""
    backup_codes: list[str] = field(default_factory=list, repr=False)
    """The codes that have not been used yet."""
    mfa_enabled_at: int | None = None
    mfa_disabled_at: int | None = None
    banned: bool = False
    locked: bool = False
    """Whether sign-in was shut, by the app's server or by wrong attempts. It may be over by now."""
    lockout_expires_at: int | None = None
    """None: a lock holds until somebody unlocks the account."""
    failed_attempts: int = 0
    """Wrong passwords and codes since somebody last signed in."""
    delete_self_enabled: bool = True
    create_organization_enabled: bool = True
    create_organizations_limit: int | None = None
    legal_accepted_at: int | None = None
    locale: str | None = None
    last_sign_in_at: int | None = None
    last_active_at: int | None = None
    last_active_organization_id: str | None = None
    """The organization in which their next session begins, if they still belong to it."""

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    def is_locked(self, now: int) -> bool:
        """Whether nobody can sign in.

        :param now: unix milliseconds.
        """
        return self.locked and (self.lockout_expires_at is None or now < self.lockout_expires_at)


@dataclass
class EmailAddress(Resource):
    """An e-mail address of a user, stored in lower case."""

    TABLE = "email_addresses"
    INDEXED = ("user_id", "email_address")

    user_id: str
    email_address: str
    verified: bool = False
    verified_by: str = "email_code"
    """The strategy that verified it, or that shall."""
    verification_id: str | None = None
    reserved: bool = False
    """Whether it signs its owner in although it is not verified, because the server says so."""
    linked_to: list[dict[str, str]] = field(default_factory=list)
    """``{"type": "oauth_google", "id": "idn_…"}`` for each connected account with this address."""


@dataclass
class PhoneNumber(Resource):
    """A phone number of a user, in E.164 form."""

    TABLE = "phone_numbers"
    INDEXED = ("user_id", "phone_number")

    user_id: str
    phone_number: str
    verified: bool = False
    verified_by: str = "phone_code"
    verification_id: str | None = None
    reserved: bool = False
    """Whether it signs its owner in although it is not verified, because the server says so."""
    reserved_for_second_factor: bool = False
    default_second_factor: bool = False


@dataclass
class ExternalAccount(Resource):
    """A user's account at a social provider."""

    TABLE = "external_accounts"
    INDEXED = ("user_id", "provider", "provider_user_id")

    user_id: str
    provider: str
    """``google``, ``github``, …; the strategy is ``oauth_`` + provider."""
    provider_user_id: str
    identification_id: str
    email_address: str = ""
    first_name: str = ""
    last_name: str = ""
    username: str | None = None
    verified: bool = False
    approved_scopes: str = ""
    verification_id: str | None = None


@dataclass
class Passkey(Resource):
    """A key pair of a user, of which their authenticator keeps the private half."""

    TABLE = "passkeys"
    INDEXED = ("user_id", "credential_id")

    user_id: str
    name: str = "Passkey"
    credential_id: str = ""
    """base64url; empty until the browser has made it."""
    public_key: str = ""
    """As COSE has it, in base64url."""
    sign_count: int = 0
    """The authenticator's counter when it was last used; 0 if it has none."""
    verified: bool = False
    verification_id: str | None = None
    last_used_at: int | None = None


@dataclass
class Picture(Resource):
    """An uploaded image of a user or an organization."""

    TABLE = "pictures"

    content_type: str
    content: str = field(repr=False)
    """The bytes in base64."""
