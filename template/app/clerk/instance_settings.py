"""The settings of the Clerk instance, read from the ``CLERK_*`` variables and checked.

Source: https://clerk.com/docs/guides/development/clerk-environment-variables
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .instance import LOCAL_HOST, PROXY_TARGET, Instance
from .origins import HOST_LABEL
from .setting_values import (
    ConfigurationError,
    check_url,
    read_flag,
    read_origins,
    read_patterns,
    read_seconds,
    require_https,
    show_value,
)

DASHBOARD_KEYS = "the Clerk dashboard under Configure → API keys (https://dashboard.clerk.com)"

_LOCAL_SECRET_KEY = re.compile(r"sk_test_(local|[0-9a-f]{40})")
_REAL_SECRET_KEY = re.compile(r"sk_test_(?=.*[A-Z])[A-Za-z0-9]{30,}")
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){HOST_LABEL}(\.{HOST_LABEL})*(:[0-9]{{1,5}})?\Z")
_HOST = re.compile(rf"(?=.{{1,253}}\Z){HOST_LABEL}(\.{HOST_LABEL})+(:[0-9]{{1,5}})?\Z")


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
    api_url = check_url("CLERK_API_URL", environ.get("CLERK_API_URL", ""), is_development)
    proxy_url, proxy_target = _read_proxy(environ, is_development)
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
        organization_patterns=read_patterns(environ, "CLERK_ORGANIZATION_PATTERNS", named=True),
        personal_account_patterns=read_patterns(environ, "CLERK_PERSONAL_ACCOUNT_PATTERNS"),
        allow_missing_azp=read_flag(environ, "CLERK_ALLOW_MISSING_AZP"),
        clock_skew=read_seconds(
            environ, "CLERK_CLOCK_SKEW_SECONDS", 5, most=300 if is_development else 60
        ),
        machine_token_lifetime=read_seconds(environ, "CLERK_MACHINE_TOKEN_SECONDS", 10, most=60),
        allow_local_keys=read_flag(environ, "CLERK_ALLOW_LOCAL_KEYS"),
        sends_telemetry=read_flag(environ, "CLERK_TELEMETRY") and not emulator_url,
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
        wrong = "; expected pk_test_… or pk_live_…"
        if key.startswith(("pk_test_", "pk_live_")):
            wrong = ", which is incomplete or a placeholder"
        local = "the local Clerk's, remove its line and run 'flask clerk doctor --fix'."
        raise ConfigurationError(
            f"CLERK_PUBLISHABLE_KEY is {show_value(key)}{wrong}. "
            f"Copy the publishable key from {DASHBOARD_KEYS} into .env; or, for {local}"
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


def is_local_key(publishable_key: str) -> bool:
    """Whether a publishable key is a local Clerk's; False if it is malformed."""
    try:
        host, _ = parse_publishable_key(publishable_key)
    except ConfigurationError:
        return False
    return bool(LOCAL_HOST.match(host))


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


def _read_proxy(environ: Mapping[str, str], is_development: bool) -> tuple[str, str]:
    """The proxy's URL or path, and the URL to forward to if this app is the proxy."""
    url = environ.get("CLERK_PROXY_URL", "").strip().rstrip("/")
    is_path = bool(re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", url))
    if not is_path:
        url = check_url("CLERK_PROXY_URL", url, is_development)
    if not read_flag(environ, "CLERK_SERVE_PROXY"):
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
    if not read_flag(environ, "CLERK_IS_SATELLITE"):
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
    given = environ.get("CLERK_SIGN_IN_URL", "")
    sign_in_url = check_url("CLERK_SIGN_IN_URL", given, is_development)
    if is_development and not sign_in_url:
        raise ConfigurationError(
            "CLERK_SIGN_IN_URL is not set. In development, a satellite needs the absolute URL of "
            "the sign-in page on the primary domain, such as http://localhost:5000/login."
        )
    if domain and sign_in_url and urlsplit(sign_in_url).netloc.lower() == domain:
        raise ConfigurationError(
            f"CLERK_SIGN_IN_URL is {show_value(sign_in_url)}, which is on the satellite itself, "
            f"because CLERK_DOMAIN is {domain!r}; expected the sign-in page on the primary domain."
        )
    return {
        "is_satellite": True,
        "domain": domain,
        "sign_in_url": sign_in_url,
        "satellite_auto_sync": read_flag(environ, "CLERK_SATELLITE_AUTO_SYNC"),
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
