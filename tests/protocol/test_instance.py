"""Reading and checking the ``CLERK_*`` variables."""

from __future__ import annotations

import pytest

from app.clerk import ConfigurationError, read_instance
from tests.signing import HOST, LIVE_HOST, publishable_key

GOOD = {"CLERK_PUBLISHABLE_KEY": publishable_key(HOST), "CLERK_SECRET_KEY": "sk_test_abcdefghij"}
LIVE = {
    "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
    "CLERK_SECRET_KEY": "sk_live_abcdefghij",
    "CLERK_AUTHORIZED_PARTIES": "*",
}


def test_the_publishable_key_contains_host_issuer_and_type() -> None:
    instance = read_instance(GOOD)
    assert instance.host == HOST
    assert instance.issuer == f"https://{HOST}"
    assert instance.is_development
    assert not read_instance(LIVE).is_development


def test_padding_of_the_publishable_key_is_optional() -> None:
    stripped = GOOD["CLERK_PUBLISHABLE_KEY"].rstrip("=")
    assert read_instance(GOOD | {"CLERK_PUBLISHABLE_KEY": stripped}).host == HOST


def test_the_cookie_suffix_is_the_start_of_the_keys_sha1() -> None:
    # From: printf %s KEY | openssl sha1 -binary | basenc --base64url | cut -c1-8
    assert read_instance(GOOD).cookie_suffix == "udMNsRrS"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CLERK_PUBLISHABLE_KEY": ""}, "CLERK_PUBLISHABLE_KEY is not set"),
        ({"CLERK_PUBLISHABLE_KEY": "sk_test_abcdefghijkl"}, "expected pk_test_"),
        ({"CLERK_PUBLISHABLE_KEY": "pk_test_!!!!"}, "expected pk_test_"),
        ({"CLERK_PUBLISHABLE_KEY": "pk_test_Zm9v"}, "probably cut off"),
        ({"CLERK_PUBLISHABLE_KEY": publishable_key("nodot")}, "probably cut off"),
        ({"CLERK_PUBLISHABLE_KEY": publishable_key("a.b$c.d")}, "probably cut off"),
        ({"CLERK_PUBLISHABLE_KEY": publishable_key("evil.com/x")}, "probably cut off"),
        ({"CLERK_PUBLISHABLE_KEY": publishable_key("me@evil.com")}, "probably cut off"),
        ({"CLERK_SECRET_KEY": ""}, "CLERK_SECRET_KEY is not set"),
        ({"CLERK_SECRET_KEY": "sk_live_abcdefghij"}, "expected sk_test_"),
        ({"CLERK_SECRET_KEY": "sk_test_"}, "expected sk_test_"),
        ({"CLERK_SECRET_KEY": "sk_test_a\nb"}, "expected sk_test_"),
        ({"CLERK_INSTANCE_URL": "https://other.clerk.accounts.dev"}, f"'https://{HOST}'"),
        ({"CLERK_API_URL": "api.clerk.com"}, "CLERK_API_URL contains"),
        ({"CLERK_PROXY_URL": "//evil.example"}, "CLERK_PROXY_URL contains"),
        ({"CLERK_PROXY_URL": "javascript:alert(1)"}, "CLERK_PROXY_URL contains"),
        ({"CLERK_AUTHORIZED_PARTIES": "example.com"}, "CLERK_AUTHORIZED_PARTIES contains"),
    ],
)
def test_invalid_settings_are_rejected(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read_instance(GOOD | changes)
    assert said in str(refusal.value)
    assert "abcdefghij" not in str(refusal.value)


def test_production_requires_authorized_parties() -> None:
    with pytest.raises(ConfigurationError, match="CLERK_AUTHORIZED_PARTIES is not set"):
        read_instance(LIVE | {"CLERK_AUTHORIZED_PARTIES": ""})
    listed = LIVE | {"CLERK_AUTHORIZED_PARTIES": "https://a.example, https://b.example/"}
    assert read_instance(listed).authorized_parties == {"https://a.example", "https://b.example"}


def test_a_matching_instance_url_is_accepted() -> None:
    assert read_instance(GOOD | {"CLERK_INSTANCE_URL": f"https://{HOST}/"}).host == HOST


@pytest.mark.parametrize(
    ("proxy", "seen"),
    [
        ("", f"https://{HOST}"),
        ("/__clerk", "https://app.example/__clerk"),
        ("https://auth.example/clerk/", "https://auth.example/clerk"),
    ],
)
def test_browsers_reach_the_frontend_api_directly_or_by_a_proxy(proxy: str, seen: str) -> None:
    instance = read_instance(GOOD | {"CLERK_PROXY_URL": proxy})
    assert instance.frontend_api_url("https://app.example") == seen
    assert instance.issuer == f"https://{HOST}"


def test_hosted_pages_are_those_of_the_account_portal() -> None:
    origin = "https://app.example.com"
    assert read_instance(GOOD).hosted_page_url("sign-in", origin, "/x") == (
        "https://quick-fox-7.accounts.dev/sign-in?redirect_url=https%3A%2F%2Fapp.example.com%2Fx"
    )
    assert read_instance(LIVE).hosted_page_url("user", origin) == "https://accounts.example.com/user"


def test_secrets_are_not_in_the_repr() -> None:
    assert "abcdefghij" not in repr(read_instance(GOOD))
