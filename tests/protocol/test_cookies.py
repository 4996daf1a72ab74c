"""Choosing between the two copies of each cookie."""

from __future__ import annotations

import time

import pytest

from app.clerk import read_instance
from app.clerk.cookies import uses_suffixed_cookies
from app.clerk.request import RequestFacts
from tests.signing import HOST, LIVE_HOST, Signer, encode_part, publishable_key

NOW = 1_800_000_000
DEVELOPMENT = read_instance({"CLERK_PUBLISHABLE_KEY": publishable_key(HOST), "CLERK_SECRET_KEY": "sk_test_x"})
PRODUCTION = read_instance(
    {
        "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
        "CLERK_SECRET_KEY": "sk_live_x",
        "CLERK_AUTHORIZED_PARTIES": "*",
    }
)


def unsigned(**claims: object) -> str:
    """An unsigned token. The choice must not depend on a signature."""
    return f"{encode_part({'alg': 'RS256'})}.{encode_part(claims)}.x"


def ours(iat: int, exp: int = NOW + 60, *, live: bool = False) -> str:
    """A token issued by the instance."""
    return unsigned(iss=f"https://{LIVE_HOST if live else HOST}", iat=iat, exp=exp)


OTHER = unsigned(iss="https://other-one-2.clerk.accounts.dev", iat=NOW)


@pytest.mark.parametrize(
    ("rule", "plain", "suffixed", "expected"),
    [
        ("1: undecodable", {"session": "garbage", "uat": "1"}, {"session": ours(1)}, False),
        ("1: no issuer", {"session": unsigned(iat=1)}, {"session": ours(1), "uat": "1"}, False),
        ("1: odd issuer", {"session": unsigned(iss=5)}, {"session": ours(1), "uat": "1"}, False),
        ("1: a list", {"session": f"e30.{encode_part([1])}.x"}, {"uat": "1"}, False),
        ("2: another app's", {"session": OTHER, "uat": "5"}, {}, True),
        ("3: no suffixed ones", {"session": ours(1), "uat": "5"}, {}, False),
        ("3: none at all", {}, {}, False),
        (
            "4: plain is newer",
            {"session": ours(9), "uat": "5"},
            {"session": ours(8), "uat": "5"},
            False,
        ),
        (
            "4: suffixed is newer",
            {"session": ours(8), "uat": "5"},
            {"session": ours(9), "uat": "5"},
            True,
        ),
        ("5: signed out there", {"session": ours(1), "uat": "5"}, {"uat": "0"}, False),
        ("6: expired there", {"uat": "0"}, {"session": ours(1, NOW - 1), "uat": "5"}, False),
        ("6: not expired", {"uat": "0"}, {"session": ours(1), "uat": "5"}, True),
        ("7: a leftover", {"uat": "0"}, {"session": ours(1)}, False),
        ("8: suffixed", {}, {"session": ours(1), "uat": "5"}, True),
        ("8: suffixed, signed out", {"uat": "0"}, {"uat": "0"}, True),
    ],
)
def test_the_eight_rules(rule: str, plain: dict[str, str], suffixed: dict[str, str], expected: bool) -> None:
    names = {"session": "__session", "uat": "__client_uat"}
    suffix = DEVELOPMENT.cookie_suffix
    cookies = {names[name]: value for name, value in plain.items()}
    cookies |= {f"{names[name]}_{suffix}": value for name, value in suffixed.items()}
    request = RequestFacts("GET", "http://localhost", "/", "", {}, cookies)
    assert uses_suffixed_cookies(request, DEVELOPMENT, NOW) is expected


def test_an_expired_suffixed_session_matters_in_development_only() -> None:
    suffix = PRODUCTION.cookie_suffix
    cookies = {
        "__client_uat": "0",
        f"__client_uat_{suffix}": "5",
        f"__session_{suffix}": ours(1, NOW - 1, live=True),
    }
    request = RequestFacts("GET", "http://localhost", "/", "", {}, cookies)
    assert uses_suffixed_cookies(request, PRODUCTION, NOW)


def test_the_choice_of_a_cookie_never_signs_anyone_in(signer: Signer) -> None:
    from app.clerk.cookies import read_cookies

    forged = unsigned(iss=f"https://{HOST}", iat=int(time.time()) + 999, sub="user_admin")
    suffix = DEVELOPMENT.cookie_suffix
    cookies = {
        "__session": forged,
        "__client_uat": "1",
        f"__session_{suffix}": signer.token(),
        f"__client_uat_{suffix}": "1",
    }
    chosen = read_cookies(
        RequestFacts("GET", "http://localhost", "/", "", {}, cookies), DEVELOPMENT, time.time()
    )
    # The forged copy is chosen, then fails verification, so the attacker gains nothing.
    assert chosen.session == forged
