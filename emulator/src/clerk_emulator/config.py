"""The emulator's configuration, and every reason for which it refuses to start."""

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
ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - only for the check whether a container asks for it


class RefusalError(Exception):
    """The emulator doesn't start, because it would be unsafe or can't work.

    The message is for a person: it says what was found, what was expected, and what to do.
    """


@dataclass(frozen=True)
class EmulatorConfig:
    """One local Clerk instance.

    :param publishable_key: ``pk_test_`` + base64 of ``HOST$``; the app uses the same one.
    :param secret_key: ``sk_test_…``; the Backend API accepts this bearer token and no other.
    :param app_url: the app's address in a browser, for redirects and webhooks.
    :param state: the SQLite file, created at the first start.
    :param assets: folder with Clerk's browser bundles; may be empty or missing.
    :param settings: TOML file with the instance's settings; None: Clerk's defaults.
    :param seeds: TOML file with test users, loaded at the first start; None: no users.
    :param after_sign_in_path: the page of the app to which the dashboard's *Sign in as* leads.
    :param name: the application's name, as Clerk's components show it.
    :param host: loopback address to listen on.
    :param port: TCP port to listen on; 0: any free port.
    :param webhook_signing_secret: ``whsec_…``, or several separated by commas while one is being
        rotated; without a secret, no webhooks are sent.
    :param webhook_url: where webhooks are sent; None: to ``app_url``, at the path in the settings.
    :param trusted_hosts: other values of the ``Host`` header, without a port, under which the app
        reaches the emulator, such as the name of a Docker Compose service.
    :param in_container: listen on all addresses of a container. The container's ports must be
        published on a loopback address only.
    :param path_prefix: the path below which this instance is served, if it isn't the first one.
    :raises RefusalError: for a production or malformed key, or an address that other machines
        could reach.
    """

    publishable_key: str
    secret_key: str = field(repr=False)
    app_url: str
    state: Path
    assets: Path
    settings: Path | None = None
    seeds: Path | None = None
    after_sign_in_path: str = "/"
    name: str = "Acme"
    host: str = "127.0.0.1"
    port: int = 5001
    webhook_signing_secret: str | None = field(default=None, repr=False)
    webhook_url: str | None = None
    trusted_hosts: tuple[str, ...] = ()
    in_container: bool = False
    path_prefix: str = ""

    def __post_init__(self) -> None:
        decode_frontend_api(self.publishable_key)
        check_secret_key(self.secret_key)
        if not (self.in_container and self.host in ALL_ADDRESSES):
            check_loopback(self.host)
        check_port(self.port)
        check_url("--app-url", self.app_url)
        check_path("--after-sign-in-path", self.after_sign_in_path)
        if self.webhook_url is not None:
            check_url("--webhook-url", self.webhook_url)
        for secret in self.webhook_secrets:
            check_webhook_secret(secret)

    @property
    def frontend_api(self) -> str:
        """The Frontend API host that the publishable key names."""
        return decode_frontend_api(self.publishable_key)

    @property
    def issuer(self) -> str:
        """The ``iss`` of every token: always from the key, even behind a proxy."""
        return f"https://{self.frontend_api}"

    @property
    def cookie_suffix(self) -> str:
        """First 8 characters of base64url(SHA-1(publishable key))."""
        digest = hashlib.sha1(self.publishable_key.encode(), usedforsecurity=False).digest()
        return base64.urlsafe_b64encode(digest)[:8].decode()

    @property
    def instance_id(self) -> str:
        """The instance's ID, ``ins_…``; also the ``kid`` of the signing key, as at Clerk."""
        return f"ins_{hashlib.sha256(self.publishable_key.encode()).hexdigest()[:27]}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets; every webhook is signed with each of them."""
        secrets = (self.webhook_signing_secret or "").split(",")
        return tuple(secret.strip() for secret in secrets if secret.strip())

    @property
    def own_url(self) -> str:
        """The address of this instance, without a trailing slash."""
        return f"{self.origin}{self.path_prefix}"

    @property
    def origin(self) -> str:
        """The emulator's own origin. A container is reached by its published loopback port."""
        host = "127.0.0.1" if self.host in ALL_ADDRESSES else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def decode_frontend_api(publishable_key: str) -> str:
    """Return the host inside a ``pk_test_`` key.

    :raises RefusalError: if the key is missing, malformed, or a production key.
    """
    if publishable_key.startswith("pk_live_"):
        raise RefusalError(
            "CLERK_PUBLISHABLE_KEY is a production key (pk_live_…). The local Clerk only stands in "
            "for development instances: expected pk_test_…. Unset it and CLERK_SECRET_KEY to use "
            "generated keys, or stop the local Clerk to use the real one."
        )
    host = _decode_host(publishable_key)
    if host is None:
        seen = f"{publishable_key[:8]}… ({len(publishable_key)} characters)"
        raise RefusalError(
            f"CLERK_PUBLISHABLE_KEY is {seen if publishable_key else 'not set'}. Expected pk_test_ "
            'followed by base64 of "HOST$", for example of "local-acme-1.clerk.accounts.dev$". '
            "Set it to the app's key, or unset it and CLERK_SECRET_KEY to use generated keys."
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
            "CLERK_SECRET_KEY is a production key (sk_live_…). The local Clerk only stands in for "
            "development instances: expected sk_test_…. Use a development key."
        )
    if not secret_key.startswith("sk_test_") or len(secret_key) <= len("sk_test_"):
        seen = f"{len(secret_key)} characters without that prefix" if secret_key else "not set"
        raise RefusalError(
            f"CLERK_SECRET_KEY is {seen}. Expected sk_test_ followed by at least one character. "
            "Set it to the app's key, or unset it and CLERK_PUBLISHABLE_KEY to use generated keys."
        )


def check_loopback(host: str) -> None:
    """Accept only an address that other machines can't reach.

    :raises RefusalError: for anything but a loopback address or ``localhost``.
    """
    if not is_loopback(host):
        raise RefusalError(
            f"--host is {host!r}: other machines on the network could sign in as any user. "
            "Expected a loopback address. Use --host 127.0.0.1 (the default). In a container, use "
            "--in-container, and publish the port on 127.0.0.1 only."
        )


def check_port(port: int) -> None:
    """Accept a TCP port, or 0 for any free port.

    :raises RefusalError: if the number is out of range.
    """
    if not 0 <= port <= 65535:
        raise RefusalError(f"--port is {port}. Expected 0 to 65535. The default is 5001.")


def check_url(option: str, url: str) -> None:
    """Accept only an absolute http(s) URL.

    :param option: the option that has it, for the message.
    :raises RefusalError: for a path, another scheme, credentials in the URL, or an invalid port.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        example = "http://localhost:5000" + ("/webhooks/clerk" if "webhook" in option else "")
        raise RefusalError(f"{option} is {url!r}. Expected an absolute URL such as {example}.")


def check_path(option: str, path: str) -> None:
    """Accept only a path of the app.

    :param option: the option that has it, for the message.
    :raises RefusalError: if a browser could read it as another site's address.
    """
    if not re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", path):
        raise RefusalError(f"{option} is {path!r}. Expected a path of the app, such as /dashboard.")


def check_webhook_secret(secret: str) -> None:
    """Accept a secret that fits Svix's signing scheme.

    :raises RefusalError: if it isn't ``whsec_`` + base64.
    """
    try:
        usable = secret.startswith("whsec_") and webhook_signing_key(secret) != b""
    except binascii.Error:
        usable = False
    if not usable:
        raise RefusalError(
            "CLERK_WEBHOOK_SIGNING_SECRET has an unknown format. Expected whsec_ followed by "
            "base64, the same as the app's. Correct it, or unset it."
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
