"""Reading and checking the ``CLERK_*`` variables."""

from __future__ import annotations

import pytest

from app.clerk import ConfigurationError, read_instance
from app.clerk.setting_values import read_origins
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
        ({"CLERK_PUBLISHABLE_KEY": "sk_test_abcdefghijkl"}, "swap the two"),
        ({"CLERK_PUBLISHABLE_KEY": "pk_test_!!!!"}, "incomplete or a placeholder"),
        ({"CLERK_PUBLISHABLE_KEY": ""}, "flask clerk doctor --fix"),
        (
            {"CLERK_PROXY_URL": "__clerk"},
            "'__clerk'; expected an absolute URL such as https://example.com or a path",
        ),
        ({"CLERK_CLOCK_SKEW_SECONDS": "5s"}, "is '5s'"),
        ({"CLERK_AUTHORIZED_PARTIES": "app.example.com"}, "'app.example.com'"),
        ({"CLERK_API_URL": "localhost:5001"}, "'localhost:5001'"),
        ({"CLERK_ORGANIZATION_PATTERNS": "/orgs/:slug"}, "'/orgs/:slug'"),
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


@pytest.mark.parametrize("name", ["CLERK_API_URL", "CLERK_PROXY_URL", "CLERK_SIGN_IN_URL"])
@pytest.mark.parametrize(
    "url", ["http://clerk.example", "HTTP://clerk.example/x", "http://localhost.example"]
)
def test_in_production_urls_are_https(name: str, url: str) -> None:
    satellite = {"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "satellite.example"}
    with pytest.raises(ConfigurationError, match=rf"{name} is .*https://"):
        read_instance(LIVE | satellite | {name: url})
    for harmless in ("https://clerk.example", "http://localhost:5001", "http://127.0.0.1", "http://[::1]/x"):
        read_instance(LIVE | satellite | {name: harmless})
    read_instance(GOOD | satellite | {"CLERK_SIGN_IN_URL": "http://a.example"} | {name: url})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("CLERK_MACHINE_TOKEN_SECONDS", value) for value in ("61", "99999", "-1", "1e9", ".", "x", "nan")),
        *(
            ("CLERK_API_URL", url)
            for url in ("http://a:0", "http://a:x", "http://a b", "http://a\\b", "http://é")
        ),
        *(
            ("CLERK_PROXY_URL", path)
            for path in ("/..", "/a/../b", "/a//b", "/é", "/a?b", "/a#b", "a", "/%2e")
        ),
        *(("CLERK_TELEMETRY", flag) for flag in ("yes", "on", "2", "tru")),
    ],
)
def test_other_wrong_values_are_rejected(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_instance(GOOD | {name: value})


@pytest.mark.parametrize(("value", "seconds"), [("", 10), ("0", 0), ("0.5", 0.5), ("60", 60)])
def test_machine_tokens_may_be_kept_for_up_to_a_minute(value: str, seconds: float) -> None:
    instance = read_instance(GOOD | {"CLERK_MACHINE_TOKEN_SECONDS": value})
    assert instance.machine_token_lifetime == seconds


def test_production_requires_authorized_parties() -> None:
    with pytest.raises(ConfigurationError, match="CLERK_AUTHORIZED_PARTIES is not set"):
        read_instance(LIVE | {"CLERK_AUTHORIZED_PARTIES": ""})
    listed = LIVE | {"CLERK_AUTHORIZED_PARTIES": "https://a.example, https://b.example/"}
    assert read_instance(listed).authorized_parties == {"https://a.example", "https://b.example"}


ORIGINS = {
    "https://app.example.com": "https://app.example.com",
    "https://APP.Example.com:443/": "https://app.example.com",
    "http://localhost:80": "http://localhost",
    "http://localhost:5000": "http://localhost:5000",
    "https://app.example.com:08443": "https://app.example.com:8443",
    "http://127.0.0.1:5000": "http://127.0.0.1:5000",
    "http://[0:0::1]:5000": "http://[::1]:5000",
    "https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop": (
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
    ),
    "moz-extension://2c1a7f7e-08a5-4a5b-9a5c-0f0e3b7d9c11": (
        "moz-extension://2c1a7f7e-08a5-4a5b-9a5c-0f0e3b7d9c11"
    ),
    "tauri://localhost": "tauri://localhost",
    "http://tauri.localhost": "http://tauri.localhost",
    "capacitor://localhost": "capacitor://localhost",
}
"""Valid origins, and how browsers send them."""

NOT_ORIGINS = [
    *(",", ",,", " , ", "https://a.example,", ",https://a.example", "https://a.example,,https://b.example"),
    *("https://*.example.com", "https://*", "*,https://a.example", "https://a.example,*", "null"),
    *("https://a.example/path", "https://a.example//", "https://a.example?", "https://a.example#"),
    *("https://me@a.example", "https://me:pw@a.example", "https://a.example\\@b.example", "https://"),
    *("https://a..example", "https://.example", "https://a.example.", "https://a b.example", "//a.example"),
    *("https://a.example:", "https://a.example:0", "https://a.example:65536", "https://a.example:x"),
    *("https://bücher.example", "https://[::1", "https://[::g]", "https://::1", "https:/a.example"),
    *("https://a.example\nhttps://b.example", "https://a.example;https://b.example", "a.example"),
    *("javascript://a.example", "data://a", "file://localhost", "blob://a", "ws://a.example"),
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_authorized_parties_are_compared_in_the_form_that_browsers_send(origin: str) -> None:
    listed = LIVE | {"CLERK_AUTHORIZED_PARTIES": f" {origin} , https://other.example"}
    assert read_instance(listed).authorized_parties == {ORIGINS[origin], "https://other.example"}


@pytest.mark.parametrize("keys", [GOOD, LIVE], ids=["development", "production"])
@pytest.mark.parametrize("origins", NOT_ORIGINS)
def test_authorized_parties_that_are_not_origins_are_rejected(keys: dict[str, str], origins: str) -> None:
    with pytest.raises(ConfigurationError, match="CLERK_AUTHORIZED_PARTIES"):
        read_instance(keys | {"CLERK_AUTHORIZED_PARTIES": origins})


@pytest.mark.parametrize(
    "origin", ["http://a.example", "HTTP://A.example:80", "http://10.0.0.7:5000", "http://localhost.example"]
)
def test_in_production_authorized_parties_are_https(origin: str) -> None:
    listed = {"CLERK_AUTHORIZED_PARTIES": f"https://a.example,{origin}"}
    with pytest.raises(ConfigurationError, match=r"CLERK_AUTHORIZED_PARTIES .*https://.* production"):
        read_instance(LIVE | listed)
    assert len(read_instance(GOOD | listed).authorized_parties) == 2


def test_a_wildcard_among_authorized_parties_is_explained() -> None:
    with pytest.raises(ConfigurationError, match="Wildcards are not supported"):
        read_instance(LIVE | {"CLERK_AUTHORIZED_PARTIES": "https://*.example.com"})


def test_origins_of_apps_can_be_excluded() -> None:
    with pytest.raises(ConfigurationError, match="SITES"):
        read_origins({"SITES": "tauri://localhost"}, "SITES", web_only=True)
    assert read_origins({"SITES": "https://a.example"}, "SITES", web_only=True) == {"https://a.example"}
    assert read_origins({"SITES": " "}, "SITES") == frozenset()


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
