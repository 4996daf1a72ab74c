"""What lets somebody in, or a program: invitations, sign-in tokens, keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import Resource


@dataclass
class Invitation(Resource):
    """Somebody is asked to sign up. ``status``: pending, accepted, revoked, expired."""

    TABLE = "invitations"
    INDEXED = ("email_address", "ticket")

    email_address: str
    status: str = "pending"
    ticket: str = field(default="", repr=False)
    redirect_url: str = ""
    expires_at: int | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class WaitlistEntry(Resource):
    """Somebody waits to be invited. ``status``: pending, invited, rejected, completed."""

    TABLE = "waitlist_entries"
    INDEXED = ("email_address",)

    email_address: str
    status: str = "pending"
    is_locked: bool = False
    invitation_id: str | None = None


@dataclass
class SignInToken(Resource):
    """Signs a user in without asking for anything else, once.

    ``status``: pending, accepted, revoked. With an ``actor`` it is an actor token: the session
    will say that this is somebody else at work.
    """

    TABLE = "sign_in_tokens"
    INDEXED = ("user_id", "ticket")

    user_id: str
    expires_at: int
    status: str = "pending"
    ticket: str = field(default="", repr=False)
    actor: dict[str, Any] | None = None
    session_max_duration_in_seconds: int | None = None


@dataclass
class TestingToken(Resource):
    """Lets a test browser past bot protection. Its id is the token."""

    TABLE = "testing_tokens"

    expires_at: int


@dataclass
class ApiKey(Resource):
    """A key that a person or organization gives to a program. Only its hash is kept."""

    TABLE = "api_keys"
    INDEXED = ("subject", "secret_hash")

    name: str
    subject: str
    secret_hash: str = field(repr=False)
    description: str | None = None
    scopes: list[str] = field(default_factory=list)
    claims: dict[str, Any] | None = None
    created_by: str | None = None
    expiration: int | None = None
    revoked: bool = False
    revocation_reason: str | None = None
    last_used_at: int | None = None


@dataclass
class Machine(Resource):
    """A program that talks to other programs."""

    TABLE = "machines"
    INDEXED = ("secret_key",)

    name: str
    secret_key: str = field(repr=False)
    default_token_ttl: int = 3600
    """Seconds."""
    scopes: list[str] = field(default_factory=list)
    """Ids of the machines that it may talk to."""


@dataclass
class M2MToken(Resource):
    """A machine-to-machine token. Only its hash is kept."""

    TABLE = "m2m_tokens"
    INDEXED = ("subject", "secret_hash")

    subject: str
    secret_hash: str = field(repr=False)
    scopes: list[str] = field(default_factory=list)
    claims: dict[str, Any] | None = None
    expiration: int | None = None
    revoked: bool = False
    revocation_reason: str | None = None
    last_used_at: int | None = None


@dataclass
class OAuthApplication(Resource):
    """An application that asks this instance's users for access."""

    TABLE = "oauth_applications"
    INDEXED = ("client_id",)

    name: str
    client_id: str
    client_secret_hash: str = field(repr=False)
    redirect_uris: list[str] = field(default_factory=list)
    scopes: str = "profile email"
    public: bool = False
    pkce_required: bool = False
    consent_screen_enabled: bool = True


@dataclass
class OAuthAccessToken(Resource):
    """What an OAuth application got. Only its hash is kept."""

    TABLE = "oauth_access_tokens"
    INDEXED = ("subject", "secret_hash")

    client_id: str
    subject: str
    secret_hash: str = field(repr=False)
    scopes: list[str] = field(default_factory=list)
    expiration: int | None = None
    revoked: bool = False
    grant_id: str = ""
    """Empty for one that no user was asked for."""
