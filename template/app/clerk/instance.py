"""The Clerk instance this app belongs to, worked out from its keys (protocol section 1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.routing import Map, Rule

API_VERSION = "2026-05-12"
"""The Clerk-API-Version that this code was written against."""

PROXY_TARGET = "https://frontend-api.clerk.dev"
"""Where a proxy forwards to. Source: https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi"""

DASHBOARD_KEYS = "the Clerk dashboard under Configure → API keys (https://dashboard.clerk.com)"

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?\Z")
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+(:[0-9]{{1,5}})?\Z")


class ConfigurationError(ValueError):
    """A setting cannot work. The message names the variable, what was seen, and the cure."""


@dataclass(frozen=True)
class Instance:
    """What the keys tell about a Clerk instance. Made by :func:`read_instance`."""

    publishable_key: str
    secret_key: str = field(repr=False)
    host: str
    """Host of the Frontend API, from the publishable key. Also the token issuer."""
    is_development: bool
    jwt_key: str = field(default="", repr=False)
    """PEM public key; when set, no key is ever fetched."""
    api_url: str = "https://api.clerk.com"
    proxy_url: str = ""
    """Absolute URL, or a path on this app's own origin; replaces the Frontend API for browsers."""
    proxy_target: str = ""
    """Where requests to a proxy path of ours are forwarded; empty: the app serves no proxy."""
    authorized_parties: frozenset[str] = frozenset()
    """Origins allowed in the ``azp`` claim; empty: not checked."""
    organization_patterns: tuple[str, ...] = ()
    """Werkzeug rules whose ``<id>`` or ``<slug>`` names the organization to work in."""
    personal_account_patterns: tuple[str, ...] = ()
    """Werkzeug rules of pages that belong to no organization."""
    machine_token_lifetime: float = 10.0
    """Seconds for which a verified API key or opaque machine token is not asked about again."""
    is_satellite: bool = False
    """Sign-in happens on another domain, the primary (protocol 5.4)."""
    domain: str = ""
    """Of a satellite: its own domain."""
    sign_in_url: str = ""
    """Of a satellite: where people sign in, on the primary domain."""
    satellite_auto_sync: bool = False
    """Of a satellite: ask the primary about every new browser, instead of only after a sign-in."""

    @cached_property
    def issuer(self) -> str:
        """The ``iss`` claim of this instance's tokens."""
        return f"https://{self.host}"

    @cached_property
    def cookie_suffix(self) -> str:
        """What tells this instance's cookies from another's on the same domain."""
        digest = hashlib.sha1(self.publishable_key.encode(), usedforsecurity=False).digest()
        return base64.urlsafe_b64encode(digest).decode()[:8]

    def frontend_api_url(self, origin: str) -> str:
        """Base URL at which browsers reach the Frontend API, without a trailing slash.

        :param origin: the public origin of this app, ``https://app.example.com``.
        """
        if not self.proxy_url:
            on_satellite = self.is_satellite and not self.is_development
            return f"https://clerk.{self.domain}" if on_satellite else self.issuer
        return origin + self.proxy_url if self.proxy_url.startswith("/") else self.proxy_url

    def hosted_page_url(self, page: str, origin: str, redirect_path: str = "") -> str:
        """URL of one of Clerk's hosted pages (the Account Portal), for browsers without Clerk.js.

        :param page: ``sign-in``, ``sign-up`` or ``user``.
        :param origin: the public origin of this app.
        :param redirect_path: where in this app to go afterwards.
        """
        if self.proxy_target not in ("", PROXY_TARGET):  # the local Clerk
            base = self.frontend_api_url(origin)
        elif self.is_development:
            base = f"https://{self.host.replace('.clerk.accounts.', '.accounts.', 1)}"
        else:
            base = f"https://accounts.{self.host.removeprefix('clerk.')}"
        query = f"?{urlencode({'redirect_url': origin + redirect_path})}" if redirect_path else ""
        return f"{base}/{page}{query}"


def read_instance(environ: Mapping[str, str], *, emulator_url: str = "") -> Instance:
    """Read the keys, and refuse what cannot work (protocol section 1).

    :param environ: the ``CLERK_*`` variables.
    :param emulator_url: base URL of a local Clerk that serves this instance instead of clerk.com.
    :raises ConfigurationError: a variable is missing, malformed, or contradicts another.
    """
    publishable_key = environ.get("CLERK_PUBLISHABLE_KEY", "").strip()
    host, is_development = parse_publishable_key(publishable_key)
    secret_key = _check_secret_key(environ.get("CLERK_SECRET_KEY", "").strip(), is_development)
    _check_instance_url(environ.get("CLERK_INSTANCE_URL", "").strip(), host)
    parties = _read_authorized_parties(environ, is_development)
    api_url = _absolute_url("CLERK_API_URL", environ.get("CLERK_API_URL", ""))
    proxy_url, proxy_target = _read_proxy(environ)
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
        machine_token_lifetime=_read_seconds(environ, "CLERK_MACHINE_TOKEN_SECONDS", 10.0),
        **_read_satellite(environ, is_development, proxy_url),
    )


def parse_publishable_key(key: str) -> tuple[str, bool]:
    """Take a publishable key apart.

    :param key: ``pk_test_…`` or ``pk_live_…``.
    :returns: the host of the Frontend API, and whether this is a development instance.
    :raises ConfigurationError: it is not a publishable key.
    """
    found = re.fullmatch(r"pk_(test|live)_([A-Za-z0-9+/_-]+={0,2})", key)
    if not found:
        raise ConfigurationError(
            f"CLERK_PUBLISHABLE_KEY is {_describe(key)}; expected pk_test_… or pk_live_…. "
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
            f"CLERK_PUBLISHABLE_KEY is {_describe(key)}, which does not contain the host of a "
            f"Clerk instance; it was probably cut off. Copy it again from {DASHBOARD_KEYS}."
        )
    return host, found[1] == "test"


def _check_secret_key(key: str, is_development: bool) -> str:
    wanted, kind = ("sk_test_", "development") if is_development else ("sk_live_", "production")
    if key.startswith(wanted) and len(key) > len(wanted) and key.isascii() and key.isprintable():
        return key
    raise ConfigurationError(
        f"CLERK_SECRET_KEY is {_describe(key)}; CLERK_PUBLISHABLE_KEY is one of a {kind} instance, "
        f"so expected {wanted}…. Copy both keys of the same instance from {DASHBOARD_KEYS}."
    )


def _check_instance_url(url: str, host: str) -> None:
    if url and url.rstrip("/") != f"https://{host}":
        raise ConfigurationError(
            f"CLERK_INSTANCE_URL is {url!r}, but CLERK_PUBLISHABLE_KEY belongs to "
            f"'https://{host}'. Use the Frontend API URL of the same instance, or leave "
            "CLERK_INSTANCE_URL empty: it is then taken from the key."
        )


def _read_authorized_parties(environ: Mapping[str, str], is_development: bool) -> frozenset[str]:
    given = environ.get("CLERK_AUTHORIZED_PARTIES", "").strip()
    if given == "*" or (not given and is_development):
        return frozenset()
    if not given:
        raise ConfigurationError(
            "CLERK_AUTHORIZED_PARTIES is not set; a production instance needs the origins that "
            "may use its tokens, such as https://app.example.com (comma-separated), or * to say "
            "that they are not checked."
        )
    parties = [party.strip().rstrip("/") for party in given.split(",") if party.strip()]
    return frozenset(_absolute_url("CLERK_AUTHORIZED_PARTIES", party) for party in parties)


def _read_proxy(environ: Mapping[str, str]) -> tuple[str, str]:
    """The proxy's URL or path, and what we forward to it, if it is we who serve it."""
    url = environ.get("CLERK_PROXY_URL", "").strip().rstrip("/")
    is_path = bool(re.fullmatch(r"/(?![/\\])[\w./~-]*", url))
    if url and not is_path:
        url = _absolute_url("CLERK_PROXY_URL", url)
    if not _read_flag(environ, "CLERK_SERVE_PROXY"):
        return url, ""
    if not is_path:
        raise ConfigurationError(
            f"CLERK_SERVE_PROXY is true, and CLERK_PROXY_URL is {url!r}; expected a path of this "
            "app, such as /__clerk, under which it forwards requests to Clerk."
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
            f"CLERK_DOMAIN is {domain!r}; expected a host such as satellite.example or "
            "localhost:5001."
        )
    if not domain and not proxy_url:
        raise ConfigurationError(
            "CLERK_IS_SATELLITE is true, but neither CLERK_DOMAIN nor CLERK_PROXY_URL is set; a "
            "satellite needs one of them to find Clerk. Set CLERK_DOMAIN to its own host name."
        )
    sign_in_url = _absolute_url("CLERK_SIGN_IN_URL", environ.get("CLERK_SIGN_IN_URL", ""))
    if is_development and not sign_in_url:
        raise ConfigurationError(
            "CLERK_SIGN_IN_URL is not set; a satellite in development needs the absolute URL of "
            "the sign-in page on the primary domain, such as http://localhost:5000/login."
        )
    if domain and sign_in_url and urlsplit(sign_in_url).netloc.lower() == domain:
        raise ConfigurationError(
            f"CLERK_SIGN_IN_URL is {sign_in_url!r}, which is on the satellite itself "
            f"(CLERK_DOMAIN is {domain!r}); expected the sign-in page on the primary domain."
        )
    return {
        "is_satellite": True,
        "domain": domain,
        "sign_in_url": sign_in_url,
        "satellite_auto_sync": _read_flag(environ, "CLERK_SATELLITE_AUTO_SYNC"),
    }


def _read_patterns(
    environ: Mapping[str, str], name: str, *, named: bool = False
) -> tuple[str, ...]:
    patterns = tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))
    try:
        rules = [Rule(pattern) for pattern in patterns]
        Map(rules)
        if named and not all(rule.arguments & {"id", "slug"} for rule in rules):
            raise ValueError("one of them has neither <slug> nor <id>")
    except (ValueError, LookupError, SyntaxError, TypeError) as error:
        raise ConfigurationError(
            f"{name} is {','.join(patterns)!r}: {error}; expected paths as in Flask's routes, such "
            "as /orgs/<slug>,/orgs/<slug>/<path:rest>"
        ) from None
    return patterns


def _read_flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in ("", "true", "false", "1", "0"):
        raise ConfigurationError(f"{name} is {value!r}; expected true or false.")
    return value in ("true", "1")


def _read_seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    value = environ.get(name, "").strip()
    if not re.fullmatch(r"[0-9]{0,5}(\.[0-9]{1,3})?", value):
        raise ConfigurationError(f"{name} is {value!r}; expected a number of seconds such as 10.")
    return float(value) if value else default


def _absolute_url(name: str, url: str) -> str:
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url
    except ValueError:
        usable = False
    if url and not usable:
        raise ConfigurationError(
            f"{name} contains {url[:80]!r}; expected an absolute URL such as https://example.com"
        )
    return url


def _describe(key: str) -> str:
    """A key in an error message: enough to recognise it, never enough to use it."""
    if not key:
        return "not set"
    return f"{key[:8]!r}… ({len(key)} characters)"
