"""The Clerk instance that this app belongs to, read from the ``CLERK_*`` variables.

Source: https://clerk.com/docs/guides/development/clerk-environment-variables
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.routing import Map, Rule

API_VERSION = "2026-05-12"
"""The version of Clerk's APIs that this package uses, sent as ``Clerk-API-Version``."""

PROXY_TARGET = "https://frontend-api.clerk.dev"
"""Where a proxy forwards requests. Source: https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi"""

DASHBOARD_KEYS = "the Clerk dashboard under Configure → API keys (https://dashboard.clerk.com)"

LOCAL_HOST = re.compile(r"local-[a-z0-9]+-1\.clerk\.accounts\.dev\Z")
"""The Frontend API in the keys of a local Clerk. Real instances have other names."""
_LOCAL_SECRET_KEY = re.compile(r"sk_test_(local|[0-9a-f]{40})")
_REAL_SECRET_KEY = re.compile(r"sk_test_(?=.*[A-Z])[A-Za-z0-9]{30,}")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?\Z")
# Exactly one <slug> or <id>, without a converter that would change the value, as int does, and not
# behind a <path:…>, which could end before several parts of a path.
_ORGANIZATION_PATTERN = re.compile(
    r"(?!.*<path[:(].*<(slug|id)>)/(.*/)?[^<>]*[^<>/][^<>]*<(slug|id)>(?!.*[<:](slug|id)>)"
)
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+(:[0-9]{{1,5}})?\Z")

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports that a browser leaves out of an origin, by scheme."""

_ORIGIN = re.compile(
    rf"([a-z][a-z0-9+.-]*)://((?=.{{1,253}}(?::|\Z)){_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])"
    r"(?::([0-9]{1,5}))?\Z"
)
_NOT_ORIGINS = {"about", "blob", "data", "file", "ftp", "javascript", "ws", "wss"}
"""Schemes whose documents have no origin that a server can recognize, or no documents at all."""

# Values shown in error messages; others might be secrets pasted into the wrong variable.
_HARMLESS = re.compile(r"\*|-?[0-9]{1,5}|[a-z]{1,15}|(?=.{1,30}\Z)//?[a-z.-]+(/[a-z.-]+)*/?")
_HARMLESS_URL = re.compile(
    r"(https?://(?![^/]*[0-9a-z]{21})(localhost|[0-9.]{7,15}|([a-z0-9-]+\.)+[a-z]{2,20})"
    r"(:[0-9]{1,5})?)(?:[/?#][^@]*)?"
)


class ConfigurationError(ValueError):
    """A setting is invalid. The message names the variable, its value, and the fix."""


@dataclass(frozen=True)
class Instance:
    """The settings of a Clerk instance. :func:`read_instance` makes it."""

    publishable_key: str
    secret_key: str = field(repr=False)
    host: str
    """The host of the Frontend API, from the publishable key. It also issues the tokens."""
    is_development: bool
    jwt_key: str = field(default="", repr=False)
    """A public key in PEM form; if set, no keys are fetched."""
    api_url: str = "https://api.clerk.com"
    """The base URL of the Backend API."""
    proxy_url: str = ""
    """The URL at which browsers reach the Frontend API, or a path on this app's own origin.

    Empty if browsers reach it at :attr:`host`.
    """
    proxy_target: str = ""
    """The URL to which this app forwards requests below its proxy path; empty if it doesn't."""
    authorized_parties: frozenset[str] = frozenset()
    """Origins accepted in the ``azp`` claim; if empty, the claim is not checked."""
    organization_patterns: tuple[str, ...] = ()
    """Werkzeug rules whose ``<id>`` or ``<slug>`` names the organization to activate."""
    personal_account_patterns: tuple[str, ...] = ()
    """Werkzeug rules for pages that need the personal account, without an organization."""
    allow_missing_azp: bool = False
    """Whether tokens without the ``azp`` claim are accepted in the ``Authorization`` header."""
    clock_skew: float = 5.0
    """Seconds by which Clerk's clock and the local one may differ."""
    machine_token_lifetime: float = 10.0
    """Seconds for which a verified opaque machine token is accepted without asking Clerk again."""
    allow_local_keys: bool = False
    """Whether an app with the keys of a local Clerk may be served outside of development."""
    sends_telemetry: bool = False
    """Whether Clerk.js may report its usage to Clerk; never to a local Clerk."""
    is_satellite: bool = False
    """Whether users sign in on another domain, the primary."""
    domain: str = ""
    """The satellite's own domain."""
    sign_in_url: str = ""
    """The URL of the primary domain's sign-in page, for a satellite."""
    satellite_auto_sync: bool = False
    """Whether a satellite syncs every new browser, instead of only after a sign-in."""
    satellite_origins: frozenset[str] = frozenset()
    """In development, the satellites' origins, to which a primary may send a browser back.

    ``*`` allows every origin.
    """

    @cached_property
    def has_local_keys(self) -> bool:
        """Whether the keys belong to a local Clerk, whether or not one is running."""
        return bool(LOCAL_HOST.match(self.host))

    @cached_property
    def issuer(self) -> str:
        """The ``iss`` claim of this instance's tokens."""
        return f"https://{self.host}"

    @cached_property
    def has_organization_pages(self) -> bool:
        """Whether some addresses need an active organization, or none."""
        return bool(self.organization_patterns or self.personal_account_patterns)

    @cached_property
    def cookie_suffix(self) -> str:
        """The suffix of this instance's cookies, so that several instances can share a domain."""
        digest = hashlib.sha1(self.publishable_key.encode(), usedforsecurity=False).digest()
        return base64.urlsafe_b64encode(digest).decode()[:8]

    @property
    def is_local(self) -> bool:
        """Whether this is the local Clerk, which lets anyone sign in as any user."""
        return self.proxy_target not in ("", PROXY_TARGET)

    def frontend_api_url(self, app_url: str) -> str:
        """The base URL at which browsers reach the Frontend API, without a trailing slash.

        :param app_url: the app's public URL without a slash at the end, such as
            ``https://app.example.com`` or ``https://example.com/app``.
        """
        if not self.proxy_url:
            on_satellite = self.is_satellite and not self.is_development
            return f"https://clerk.{self.domain}" if on_satellite else self.issuer
        return app_url + self.proxy_url if self.proxy_url.startswith("/") else self.proxy_url

    def hosted_page_url(self, page: str, app_url: str, redirect_path: str = "") -> str:
        """The URL of a page in Clerk's Account Portal, for browsers that can't run Clerk.js.

        Source: https://clerk.com/docs/guides/account-portal/overview

        :param page: ``sign-in``, ``sign-up`` or ``user``.
        :param app_url: as in :meth:`frontend_api_url`.
        :param redirect_path: the path on the app's origin to return to afterwards.
        """
        if self.is_local:
            base = self.frontend_api_url(app_url)
        elif self.is_development:
            base = f"https://{self.host.replace('.clerk.accounts.', '.accounts.', 1)}"
        else:
            base = f"https://accounts.{self.host.removeprefix('clerk.')}"
        if not redirect_path:
            return f"{base}/{page}"
        origin = urlsplit(app_url)._replace(path="").geturl()
        return f"{base}/{page}?{urlencode({'redirect_url': origin + redirect_path})}"


def read_instance(environ: Mapping[str, str], *, emulator_url: str = "") -> Instance:
    """Read and check the ``CLERK_*`` variables.

    :param environ: the variables.
    :param emulator_url: the base URL of a local Clerk that serves this instance.
    :raises ConfigurationError: a variable is missing, malformed, or contradicts another.
    """
    publishable_key = environ.get("CLERK_PUBLISHABLE_KEY", "").strip()
    secret_key = environ.get("CLERK_SECRET_KEY", "").strip()
    _check_not_swapped(publishable_key, secret_key)
    host, is_development = parse_publishable_key(publishable_key)
    _check_secret_key(secret_key, is_development)
    _check_same_clerk(host, secret_key)
    _check_instance_url(environ.get("CLERK_INSTANCE_URL", "").strip(), host)
    parties = _read_authorized_parties(environ, is_development)
    api_url = _absolute_url("CLERK_API_URL", environ.get("CLERK_API_URL", ""))
    proxy_url, proxy_target = _read_proxy(environ)
    require_https("CLERK_API_URL", api_url, is_development)
    require_https("CLERK_PROXY_URL", proxy_url, is_development)
    if emulator_url:
        api_url = api_url or f"{emulator_url}/api"
        proxy_url, proxy_target = proxy_url or "/__clerk", emulator_url
    return Instance(
        publishable_key=publishable_key,
        secret_key=secret_key,
        host=host,
        is_development=is_development,
        jwt_key=environ.get("CLERK_JWT_KEY", "").replace("\\n", "\n").strip(),
        api_url=api_url or Instance.api_url,
        proxy_url=proxy_url,
        proxy_target=proxy_target,
        authorized_parties=parties,
        organization_patterns=_read_patterns(environ, "CLERK_ORGANIZATION_PATTERNS", named=True),
        personal_account_patterns=_read_patterns(environ, "CLERK_PERSONAL_ACCOUNT_PATTERNS"),
        allow_missing_azp=_read_flag(environ, "CLERK_ALLOW_MISSING_AZP"),
        clock_skew=_read_seconds(
            environ, "CLERK_CLOCK_SKEW_SECONDS", 5, most=300 if is_development else 60
        ),
        machine_token_lifetime=_read_seconds(environ, "CLERK_MACHINE_TOKEN_SECONDS", 10, most=60),
        allow_local_keys=_read_flag(environ, "CLERK_ALLOW_LOCAL_KEYS"),
        sends_telemetry=_read_flag(environ, "CLERK_TELEMETRY") and not emulator_url,
        satellite_origins=_read_satellite_origins(environ, is_development),
        **_read_satellite(environ, is_development, proxy_url),
    )


def parse_publishable_key(key: str) -> tuple[str, bool]:
    """Decode a publishable key.

    :param key: ``pk_test_…`` or ``pk_live_…``.
    :returns: the host of the Frontend API, and whether this is a development instance.
    :raises ConfigurationError: the key is malformed.
    """
    found = re.fullmatch(r"pk_(test|live)_([A-Za-z0-9+/_-]+={0,2})", key)
    if not found:
        raise ConfigurationError(
            f"CLERK_PUBLISHABLE_KEY is {show_value(key)}; expected pk_test_… or pk_live_…. "
            f"Copy the publishable key from {DASHBOARD_KEYS} into .env."
        )
    encoded = found[2].rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    host = decoded.removesuffix("$")
    if decoded != f"{host}$" or not _HOST.match(host):
        raise ConfigurationError(
            f"CLERK_PUBLISHABLE_KEY is {show_value(key)}, which does not contain the host of a "
            f"Clerk instance; it was probably cut off. Copy it again from {DASHBOARD_KEYS}."
        )
    return host, found[1] == "test"


def _check_not_swapped(publishable_key: str, secret_key: str) -> None:
    if publishable_key.startswith("sk_") or secret_key.startswith("pk_"):
        raise ConfigurationError(
            f"CLERK_PUBLISHABLE_KEY is {show_value(publishable_key)} and CLERK_SECRET_KEY is "
            f"{show_value(secret_key, is_secret=True)}. Publishable keys start with pk_ and secret "
            "keys with sk_: swap the two, or copy them again from " + DASHBOARD_KEYS + "."
        )


def _check_secret_key(key: str, is_development: bool) -> None:
    wanted, kind = ("sk_test_", "development") if is_development else ("sk_live_", "production")
    if key.startswith(wanted) and len(key) > len(wanted) and key.isascii() and key.isprintable():
        return
    raise ConfigurationError(
        f"CLERK_SECRET_KEY is {show_value(key, is_secret=True)}; expected {wanted}…, because "
        f"CLERK_PUBLISHABLE_KEY belongs to a {kind} instance. Copy both keys of the same instance "
        f"from {DASHBOARD_KEYS}."
    )


def _check_same_clerk(host: str, secret_key: str) -> None:
    """Recognize that only one of the two keys was replaced by a real one."""
    is_local = bool(LOCAL_HOST.match(host))
    local, real = ("CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY")[:: 1 if is_local else -1]
    if (_REAL_SECRET_KEY if is_local else _LOCAL_SECRET_KEY).fullmatch(secret_key):
        raise ConfigurationError(
            f"{real} belongs to a real Clerk instance, but {local} is still the local Clerk's. "
            f"Copy both keys of the same instance from {DASHBOARD_KEYS}."
        )


def _check_instance_url(url: str, host: str) -> None:
    if url and url.rstrip("/") != f"https://{host}":
        raise ConfigurationError(
            f"CLERK_INSTANCE_URL is {show_value(url)}, but CLERK_PUBLISHABLE_KEY belongs to "
            f"'https://{host}'. Use the Frontend API URL of the same instance, or leave "
            "CLERK_INSTANCE_URL empty to take it from the key."
        )


def _read_authorized_parties(environ: Mapping[str, str], is_development: bool) -> frozenset[str]:
    given = environ.get("CLERK_AUTHORIZED_PARTIES", "").strip()
    if given == "*" or (not given and is_development):
        return frozenset()
    if not given:
        raise ConfigurationError(
            "CLERK_AUTHORIZED_PARTIES is not set. In production, set it to the origins that may "
            "use this instance's tokens, separated by commas, such as https://app.example.com; or "
            "to * to accept tokens from all origins."
        )
    origins = read_origins(environ, "CLERK_AUTHORIZED_PARTIES")
    for origin in sorted(origins):
        if not re.search(r"\.localhost(:|\Z)", origin):  # as http://tauri.localhost, a desktop app
            require_https("CLERK_AUTHORIZED_PARTIES", origin, is_development)
    return origins


def read_origins(
    environ: Mapping[str, str], name: str, *, web_only: bool = False
) -> frozenset[str]:
    """Read a variable that lists origins, separated by commas.

    Source: https://html.spec.whatwg.org/multipage/browsers.html#origin

    :param name: the variable. If it is empty or not set, the result is empty.
    :param web_only: whether only ``http`` and ``https`` are allowed. Otherwise the origins of
        browser extensions and desktop apps are valid, too, such as ``tauri://localhost``.
    :returns: the origins as browsers send them: in lower case, without a default port.
    :raises ConfigurationError: an entry is empty, or is not an origin.
    """
    given = environ.get(name, "").strip()
    entries = given.split(",") if given else []
    return frozenset(_read_origin(name, entry.strip(), web_only) for entry in entries)


def _read_origin(name: str, entry: str, web_only: bool) -> str:
    origin = parse_origin(entry.removesuffix("/"))
    if origin and not (web_only and origin.partition(":")[0] not in DEFAULT_PORTS):
        return origin
    seen = f"contains {show_value(entry)}" if entry else "has an empty entry"
    hint = " Wildcards are not supported: list each origin." if "*" in entry else ""
    raise ConfigurationError(
        f"{name} {seen}; expected origins separated by commas, each a scheme and a host without a "
        f"path, such as https://app.example.com.{hint}"
    )


def parse_origin(text: str) -> str | None:
    """Check an origin, and return it as browsers send it: in lower case, without a default port.

    :param text: such as ``https://app.example.com``, without a slash at the end.
    :returns: None if it isn't an origin.
    """
    found = _ORIGIN.match(text.lower())
    if not found or found[1] in _NOT_ORIGINS:
        return None
    scheme, host, port = found[1], found[2], int(found[3] or -1)
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1])}]"  # in its shortest form
        except ValueError:
            return None
    if port > 65535 or port == 0:
        return None
    is_default = port in (-1, DEFAULT_PORTS.get(scheme))
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"


def _read_proxy(environ: Mapping[str, str]) -> tuple[str, str]:
    """The proxy's URL or path, and the URL to forward to if this app is the proxy."""
    url = environ.get("CLERK_PROXY_URL", "").strip().rstrip("/")
    is_path = bool(re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", url))
    if not is_path:
        url = _absolute_url("CLERK_PROXY_URL", url)
    if not _read_flag(environ, "CLERK_SERVE_PROXY"):
        return url, ""
    if not is_path:
        raise ConfigurationError(
            f"CLERK_SERVE_PROXY is true, but CLERK_PROXY_URL is {show_value(url)}; expected the "
            "path below which this app forwards requests to Clerk, such as /__clerk."
        )
    return url, PROXY_TARGET


def _read_satellite(
    environ: Mapping[str, str], is_development: bool, proxy_url: str
) -> dict[str, Any]:
    if not _read_flag(environ, "CLERK_IS_SATELLITE"):
        return {}
    domain = environ.get("CLERK_DOMAIN", "").strip().lower()
    if domain and not _DOMAIN.match(domain):
        raise ConfigurationError(
            f"CLERK_DOMAIN is {show_value(domain)}; expected a host such as satellite.example "
            "or localhost:5001."
        )
    if not domain and not proxy_url:
        raise ConfigurationError(
            "CLERK_IS_SATELLITE is true, but neither CLERK_DOMAIN nor CLERK_PROXY_URL is set. A "
            "satellite needs one of them to reach Clerk. Set CLERK_DOMAIN to its own host name."
        )
    sign_in_url = _absolute_url("CLERK_SIGN_IN_URL", environ.get("CLERK_SIGN_IN_URL", ""))
    if is_development and not sign_in_url:
        raise ConfigurationError(
            "CLERK_SIGN_IN_URL is not set. In development, a satellite needs the absolute URL of "
            "the sign-in page on the primary domain, such as http://localhost:5000/login."
        )
    require_https("CLERK_SIGN_IN_URL", sign_in_url, is_development)
    if domain and sign_in_url and urlsplit(sign_in_url).netloc.lower() == domain:
        raise ConfigurationError(
            f"CLERK_SIGN_IN_URL is {show_value(sign_in_url)}, which is on the satellite itself, "
            f"because CLERK_DOMAIN is {domain!r}; expected the sign-in page on the primary domain."
        )
    return {
        "is_satellite": True,
        "domain": domain,
        "sign_in_url": sign_in_url,
        "satellite_auto_sync": _read_flag(environ, "CLERK_SATELLITE_AUTO_SYNC"),
    }


def _read_satellite_origins(environ: Mapping[str, str], is_development: bool) -> frozenset[str]:
    name = "CLERK_SATELLITE_ORIGINS"
    if environ.get(name, "").strip() != "*":
        return read_origins(environ, name, web_only=True)
    if not is_development:
        raise ConfigurationError(
            f"{name} is *, which is allowed in development only; expected the satellites' origins, "
            "such as https://satellite.example, or nothing."
        )
    return frozenset("*")


def _read_patterns(
    environ: Mapping[str, str], name: str, *, named: bool = False
) -> tuple[str, ...]:
    patterns = tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))
    for pattern in patterns:
        wrong = (
            f"{name} contains {show_value(pattern)}; expected paths as in Flask's routes, such as "
            "/orgs/<slug>,/orgs/<slug>/<path:rest>"
        )
        try:
            Map([Rule(pattern)])
        except (ValueError, LookupError, SyntaxError, TypeError):
            raise ConfigurationError(wrong) from None
        if named and not _ORGANIZATION_PATTERN.match(pattern):
            raise ConfigurationError(
                f"{wrong}. A pattern needs one <slug> or <id>, and before it a fixed part such as "
                "/orgs/, because otherwise it matches /login."
            )
    return patterns


def _read_flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in ("", "true", "false", "1", "0"):
        raise ConfigurationError(f"{name} is {show_value(value)}; expected true or false.")
    return value in ("true", "1")


def _read_seconds(environ: Mapping[str, str], name: str, default: float, most: float) -> float:
    value = environ.get(name, "").strip()
    is_number = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", value)
    if value and not (is_number and float(value) <= most):
        raise ConfigurationError(
            f"{name} is {show_value(value)}; expected a number of seconds from 0 to {most:g}."
        )
    return float(value) if value else default


def _absolute_url(name: str, url: str) -> str:
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if url and not (usable and re.fullmatch(r"[\x21-\x7e]+", url) and not set(url) & set("@\\")):
        raise ConfigurationError(
            f"{name} contains {show_value(url)}; expected an absolute URL such as "
            "https://example.com"
        )
    return url


def require_https(name: str, url: str, is_development: bool) -> None:
    """Check that a URL doesn't expose secrets in production.

    :param name: the variable that contains the URL.
    :raises ConfigurationError: it starts with ``http:``, and leads to another machine.
    """
    is_local = re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|\Z)", url.lower())
    if url.lower().startswith("http:") and not is_development and not is_local:
        raise ConfigurationError(
            f"{name} is {show_value(url)}; expected a URL that starts with https:// because "
            "CLERK_PUBLISHABLE_KEY belongs to a production instance."
        )


def show_value(value: str, *, is_secret: bool = False) -> str:
    """Describe the value of a variable in an error message.

    It may be a secret that was pasted into the wrong variable. So only words, numbers, paths, the
    scheme and host of URLs, and the kind of keys are shown.

    :param is_secret: whether the variable is meant for a secret; then only the kind is shown.
    """
    if not value:
        return "not set"
    if key := re.match(r"(pk|sk)_(test|live)_|whsec_", value):
        return f"{key[0]}… ({len(value)} characters)"
    if not is_secret and _HARMLESS.fullmatch(value):
        return repr(value)
    if not is_secret and (url := _HARMLESS_URL.fullmatch(value)):
        return f"a URL that starts with {url[1]!r}"
    return f"a value of {len(value)} characters, not shown because it may be a secret"
