"""The settings of a primary domain and its satellites."""

from __future__ import annotations

import pytest

from app.clerk import ConfigurationError, read_instance
from tests.protocol.test_satellites import (
    DEVELOPMENT,
    DEVELOPMENT_SATELLITE,
    PRODUCTION,
    PRODUCTION_SATELLITE,
    SATELLITE,
)
from tests.signing import HOST, LIVE_HOST


@pytest.mark.parametrize("origins", [",", "*,http://a.test", "a.test", "http://a.test/x", "http://*.a.test"])
def test_invalid_satellite_origins_are_rejected(origins: str) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_SATELLITE_ORIGINS"):
        read_instance(DEVELOPMENT | {"CLERK_SATELLITE_ORIGINS": origins})


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (PRODUCTION | {"CLERK_IS_SATELLITE": "true"}, "neither CLERK_DOMAIN nor CLERK_PROXY_URL"),
        (PRODUCTION | {"CLERK_IS_SATELLITE": "yes"}, "CLERK_IS_SATELLITE is 'yes'"),
        (
            PRODUCTION_SATELLITE | {"CLERK_DOMAIN": "https://a.example"},
            "CLERK_DOMAIN is 'https://a.example'",
        ),
        (
            PRODUCTION_SATELLITE | {"CLERK_DOMAIN": "a.example/x"},
            "CLERK_DOMAIN is a URL that starts with 'a.example'",
        ),
        (PRODUCTION_SATELLITE | {"CLERK_DOMAIN": "a@b.example"}, "CLERK_DOMAIN is a value of 11 characters"),
        (PRODUCTION_SATELLITE | {"CLERK_SIGN_IN_URL": "/login"}, "CLERK_SIGN_IN_URL contains"),
        (
            PRODUCTION_SATELLITE | {"CLERK_SATELLITE_AUTO_SYNC": "maybe"},
            "CLERK_SATELLITE_AUTO_SYNC is 'maybe'",
        ),
        (DEVELOPMENT | SATELLITE, "CLERK_SIGN_IN_URL is not set"),
        (
            DEVELOPMENT | SATELLITE | {"CLERK_SIGN_IN_URL": "https://satellite.example/login"},
            "on the satellite itself",
        ),
    ],
)
def test_invalid_satellite_settings_are_rejected(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read_instance(environ)
    assert said in str(refusal.value)


def test_satellite_settings_are_ignored_on_the_primary() -> None:
    given = {"CLERK_DOMAIN": "not a host", "CLERK_SATELLITE_AUTO_SYNC": "true"}
    primary = read_instance(PRODUCTION | given)
    assert primary == read_instance(PRODUCTION)
    assert primary.frontend_api_url("https://app.example.com") == f"https://{LIVE_HOST}"


def test_development_satellites_use_the_same_frontend_api() -> None:
    satellite = read_instance(DEVELOPMENT_SATELLITE)
    assert satellite.frontend_api_url("http://satellite.example") == f"https://{HOST}"
    assert satellite.issuer == f"https://{HOST}"
