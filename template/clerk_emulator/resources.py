"""The things a Clerk instance remembers, as plain data classes. All times are unix milliseconds.

Fields hold only what JSON can hold, because :class:`clerk_emulator.store.Store` keeps each
resource as one JSON document. A new field needs a default, so that older state files still load.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any, ClassVar

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """A fresh id that looks like Clerk's: ``user_2b…``, 27 random characters after the prefix."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(27))


@dataclass
class Resource:
    """What every resource has. ``INDEXED`` names the fields that the store can search by."""

    TABLE: ClassVar[str]
    INDEXED: ClassVar[tuple[str, ...]] = ()

    id: str
    created_at: int
    updated_at: int


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
class User(Resource):
    """An account."""

    TABLE = "users"
    INDEXED = ("external_id",)

    first_name: str | None = None
    last_name: str | None = None
    external_id: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    primary_email_address_id: str | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    last_sign_in_at: int | None = None

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass
class EmailAddress(Resource):
    """An e-mail address of a user, stored in lower case."""

    TABLE = "email_addresses"
    INDEXED = ("user_id", "email_address")

    user_id: str
    email_address: str
    verified: bool = False


@dataclass
class Session(Resource):
    """A sign-in of one user in one browser."""

    TABLE = "sessions"
    INDEXED = ("client_id", "user_id")

    client_id: str
    user_id: str
    expire_at: int
    abandon_at: int
    last_active_at: int
    verified_at: int
    status: str = "active"
    user_agent: str = ""
    ip_address: str = ""


@dataclass
class SignUp(Resource):
    """A registration under way."""

    TABLE = "sign_ups"

    client_id: str
    email_address: str | None = None
    email_verified: bool = False
    code_sent: bool = False
    password_hash: str | None = field(default=None, repr=False)
    first_name: str | None = None
    last_name: str | None = None
    unsafe_metadata: dict[str, Any] = field(default_factory=dict)
    created_user_id: str | None = None
    created_session_id: str | None = None

    @property
    def missing_fields(self) -> list[str]:
        """Required fields that nobody has filled in yet."""
        if self.created_user_id is not None:
            return []
        present = {"email_address": self.email_address, "password": self.password_hash}
        return [name for name, value in present.items() if value is None]

    @property
    def unverified_fields(self) -> list[str]:
        """Fields that are filled in, but wait for a code."""
        waits = self.email_address is not None and not self.email_verified
        return ["email_address"] if waits else []


@dataclass
class SignIn(Resource):
    """A sign-in under way. ``prepared`` is the code strategy that was last asked for."""

    TABLE = "sign_ins"

    client_id: str
    status: str = "needs_identifier"
    identifier: str | None = None
    user_id: str | None = None
    prepared: str | None = None
    verified_by: str | None = None
    created_session_id: str | None = None


@dataclass
class HandshakeNonce(Resource):
    """A handshake payload waiting to be fetched, once. Its id is the nonce."""

    TABLE = "handshake_nonces"

    directives: list[str]


@dataclass
class Event(Resource):
    """A webhook on its way to the app. ``updated_at`` is when it was last tried."""

    TABLE = "events"
    INDEXED = ("next_attempt_at",)

    body: str
    next_attempt_at: int
    attempts: int = 0


RESOURCES: tuple[type[Resource], ...] = (
    Client,
    User,
    EmailAddress,
    Session,
    SignUp,
    SignIn,
    HandshakeNonce,
    Event,
)
