"""Browsers, their sessions, and what they are in the middle of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import Resource


@dataclass
class Client(Resource):
    """One browser. In development it is found by its *dev browser* token, not by a cookie.

    ``updated_at`` is the last sign-in or sign-out, and becomes ``__client_uat``: nothing else may
    touch it, or tokens that are still good would look older than the sign-in.
    """

    TABLE = "clients"
    INDEXED = ("dev_browser",)

    dev_browser: str
    sign_in_id: str | None = None
    sign_up_id: str | None = None
    last_active_session_id: str | None = None
    last_strategy: str | None = None


@dataclass
class Session(Resource):
    """A sign-in of one user in one browser.

    ``status``: ``active``, ``pending`` (signed in, with a task to do), ``ended``, ``removed``,
    ``revoked``, ``expired``, ``abandoned``, ``replaced``.
    """

    TABLE = "sessions"
    INDEXED = ("client_id", "user_id")

    client_id: str
    user_id: str
    expire_at: int
    abandon_at: int
    last_active_at: int
    verified_at: int
    """When the first factor was last given; 0 for never, by who impersonates the user."""
    second_factor_verified_at: int | None = None
    status: str = "active"
    last_active_organization_id: str | None = None
    actor: dict[str, Any] | None = None
    """Who really sits there, ``{"sub": "user_…"}``, when somebody is impersonated."""
    verification: dict[str, Any] = field(default_factory=dict)
    """A reverification under way: its level, and what has been proved so far."""
    user_agent: str = ""
    ip_address: str = ""
    refresh_hash: str = field(default="", repr=False)
    """Of the refresh token that the browser has, if it was given one."""


@dataclass
class SignUp(Resource):
    """A registration under way."""

    TABLE = "sign_ups"

    client_id: str
    email_address: str | None = None
    email_verified: bool = False
    email_verification_id: str | None = None
    phone_number: str | None = None
    phone_verified: bool = False
    phone_verification_id: str | None = None
    username: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    first_name: str | None = None
    last_name: str | None = None
    legal_accepted_at: int | None = None
    locale: str | None = None
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    public_metadata: dict[str, Any] = field(default_factory=dict)
    """From an invitation."""
    external_account: dict[str, Any] | None = None
    """What a social provider told: provider, provider_user_id, email_address, names."""
    external_verification_id: str | None = None
    invitation_id: str | None = None
    organization_invitation_id: str | None = None
    external_id: str | None = None
    """What the app's server calls the account that will be made."""
    custom_action: bool = False
    created_user_id: str | None = None
    created_session_id: str | None = None


@dataclass
class SignIn(Resource):
    """A sign-in under way.

    ``status``: ``needs_identifier``, ``needs_first_factor``, ``needs_second_factor``,
    ``needs_client_trust``, ``needs_new_password``, ``complete``.
    """

    TABLE = "sign_ins"

    client_id: str
    status: str = "needs_identifier"
    identifier: str | None = None
    user_id: str | None = None
    prepared: str | None = None
    """The first-factor strategy that was last asked for."""
    first_verification_id: str | None = None
    verified_by: str | None = None
    """The first-factor strategy that succeeded."""
    second_prepared: str | None = None
    second_verification_id: str | None = None
    second_verified_by: str | None = None
    organization_invitation_id: str | None = None
    session_seconds: int | None = None
    """How long the session may last, if a ticket says so."""
    actor: dict[str, Any] | None = None
    sign_up_if_missing: bool = False
    """Whether somebody without an account proves the identifier too, and then signs up with it."""
    created_session_id: str | None = None


@dataclass
class Verification(Resource):
    """A code, link or visit to a provider that somebody waits for, wherever it was asked for.

    ``status``: ``unverified``, ``verified``, ``transferable``, ``failed``, ``expired``.
    """

    TABLE = "verifications"
    INDEXED = ("token", "target")

    strategy: str
    expire_at: int
    status: str = "unverified"
    attempts: int = 0
    code: str = ""
    token: str = ""
    """Secret part of a link, or the ``state`` of a visit to a provider."""
    client_id: str = ""
    target: str = ""
    """What it verifies: the id of an e-mail address, a sign-up, a sign-in, a session…"""
    redirect_url: str = ""
    verified_at_client: str = ""
    """The browser in which a link was opened."""
    action_complete_redirect_url: str = ""
    channel: str = ""
    """Of a code that goes to a phone; empty for SMS."""
    nonce: str = ""
    """Of a passkey: what the browser's authenticator is asked, as JSON."""
    identity: dict[str, Any] = field(default_factory=dict)
    """Of a visit to a provider: whom it named."""
    error: dict[str, Any] | None = None


@dataclass
class HandshakeNonce(Resource):
    """A handshake payload waiting to be fetched, once. Its id is the nonce."""

    TABLE = "handshake_nonces"

    directives: list[str]
