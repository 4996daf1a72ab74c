"""What the emulator is told at start, and every reason for which it refuses to start."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class RefusalError(Exception):
    """A start that would be unsafe or could not work. The message is written for a person."""


@dataclass(frozen=True)
class EmulatorConfig:
    """One local Clerk instance.

    :param publishable_key: ``pk_test_`` + base64 of ``HOST$``; shared with the app.
    :param secret_key: ``sk_test_…``; the Backend API accepts this bearer token and no other.
    :param app_url: where the app is, for redirects and webhooks.
    :param state: the SQLite file, made on first start.
    :param assets: folder with Clerk's browser bundles; may be empty or missing.
    :param settings: TOML file that says what the instance allows; None: Clerk's defaults.
    :param seeds: TOML file with test users, loaded at the first start; None: there are none.
    :param name: the application's name, as Clerk's components show it.
    :param host: address to listen on, loopback only.
    :param port: TCP port to listen on.
    :param webhook_signing_secret: ``whsec_…``, several comma-separated while one is being rotated;
        without one, no webhook is sent.
    :param path_prefix: below which this instance is found, if it is not the first of several.
    :raises RefusalError: for a live or malformed key, or an address that others could reach.
    """

    publishable_key: str
    secret_key: str = field(repr=False)
    app_url: str
    state: Path
    assets: Path
    settings: Path | None = None
    seeds: Path | None = None
    name: str = "Acme"
    host: str = "127.0.0.1"
    port: int = 5001
    webhook_signing_secret: str | None = field(default=None, repr=False)
    path_prefix: str = ""

    def __post_init__(self) -> None:
        decode_frontend_api(self.publishable_key)
        check_secret_key(self.secret_key)
        check_loopback(self.host)
        check_port(self.port)
        check_app_url(self.app_url)
        for secret in self.webhook_secrets:
            check_webhook_secret(secret)

    @property
    def frontend_api(self) -> str:
        """The Frontend API host that the publishable key names."""
        return decode_frontend_api(self.publishable_key)

    @property
    def issuer(self) -> str:
        """The ``iss`` of every token: always from the key, whatever proxy is in front."""
        return f"https://{self.frontend_api}"

    @property
    def cookie_suffix(self) -> str:
        """First 8 characters of base64url(SHA-1(publishable key))."""
        digest = hashlib.sha1(self.publishable_key.encode(), usedforsecurity=False).digest()
        return base64.urlsafe_b64encode(digest)[:8].decode()

    @property
    def instance_id(self) -> str:
        """A stable ``ins_…`` id, which is also the ``kid`` of the signing key, as at Clerk."""
        return f"ins_{hashlib.sha256(self.publishable_key.encode()).hexdigest()[:27]}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Every webhook is signed with each of these."""
        secrets = (self.webhook_signing_secret or "").split(",")
        return tuple(secret.strip() for secret in secrets if secret.strip())

    @property
    def own_url(self) -> str:
        """Where the emulator has this instance, without a trailing slash."""
        return f"{self.origin}{self.path_prefix}"

    @property
    def origin(self) -> str:
        """The emulator's own origin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def decode_frontend_api(publishable_key: str) -> str:
    """Return the host inside a ``pk_test_`` key.

    :raises RefusalError: if the key is missing, live or malformed.
    """
    if publishable_key.startswith("pk_live_"):
        raise RefusalError(
            "CLERK_PUBLISHABLE_KEY is a production key (pk_live_…). The local Clerk only stands in "
            "for development instances: expected pk_test_…. Use the keys of .env.example, or talk "
            "to the real Clerk without `python -m clerk_emulator`."
        )
    host = _decode_host(publishable_key)
    if host is None:
        seen = f"{publishable_key[:8]}… ({len(publishable_key)} characters)"
        raise RefusalError(
            f"CLERK_PUBLISHABLE_KEY is {seen if publishable_key else 'not set'}. Expected pk_test_ "
            'followed by base64 of "HOST$", for example of "local-acme-1.clerk.accounts.dev$". '
            "Set it in .env to the value that the app uses."
        )
    return host


def _decode_host(publishable_key: str) -> str | None:
    prefix, encoded = publishable_key[:8], publishable_key[8:]
    if prefix != "pk_test_":
        return None
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        text = base64.b64decode(padded, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    match = re.fullmatch(r"([\w-]+(?:\.[\w-]+)+)\$", text, re.ASCII)
    return match[1] if match else None


def check_secret_key(secret_key: str) -> None:
    """Accept only a development secret key.

    :raises RefusalError: if it is missing, live, or not a Clerk key.
    """
    if secret_key.startswith("sk_live_"):
        raise RefusalError(
            "CLERK_SECRET_KEY is a production key (sk_live_…), which must never reach a local "
            "stand-in: expected sk_test_…. Use the development key in .env."
        )
    if not secret_key.startswith("sk_test_") or len(secret_key) <= len("sk_test_"):
        seen = f"{len(secret_key)} characters without that prefix" if secret_key else "not set"
        raise RefusalError(
            f"CLERK_SECRET_KEY is {seen}. Expected sk_test_… . Set it in .env to any value of "
            "that form; the app and the local Clerk must share it."
        )


def check_loopback(host: str) -> None:
    """Accept only an address that other machines cannot reach.

    :raises RefusalError: for anything but a loopback address or ``localhost``.
    """
    if not is_loopback(host):
        raise RefusalError(
            f"--host is {host!r}: others on the network could sign in as anybody. Expected a "
            "loopback address. Use --host 127.0.0.1 (the default)."
        )


def check_port(port: int) -> None:
    """Accept a TCP port, or 0 for any free one.

    :raises RefusalError: for a number that is none.
    """
    if not 0 <= port <= 65535:
        raise RefusalError(f"--port is {port}. Expected 1 to 65535. The default is 5001.")


def check_app_url(app_url: str) -> None:
    """Accept only an absolute http(s) URL.

    :raises RefusalError: for a path, another scheme, credentials in the URL, or a broken port.
    """
    try:
        parts = urlsplit(app_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise RefusalError(
            f"--app-url is {app_url!r}. Expected the address at which a browser reaches the app, "
            "such as http://localhost:5000. Pass that."
        )


def check_webhook_secret(secret: str) -> None:
    """Accept a secret that Svix's signing scheme can use.

    :raises RefusalError: if it is not ``whsec_`` + base64.
    """
    try:
        usable = secret.startswith("whsec_") and webhook_signing_key(secret) != b""
    except binascii.Error:
        usable = False
    if not usable:
        raise RefusalError(
            "CLERK_WEBHOOK_SIGNING_SECRET is set, but is not whsec_ followed by base64. Expected "
            "the same value as in the app's .env. Correct it, or unset it to send no webhooks."
        )


def webhook_signing_key(secret: str) -> bytes:
    """The raw HMAC key inside ``whsec_BASE64``."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (no port) is ``localhost`` or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
