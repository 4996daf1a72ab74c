"""Session tokens: which are valid, and which are rejected as forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import Any

import pytest

from app.clerk import Instance, read_instance
from app.clerk.keys import read_pem_key
from app.clerk.tokens import MAX_TOKEN_LENGTH, TokenError, verify_session_token
from tests.signing import HOST, Signer, encode_part, publishable_key

NOW = 1_800_000_000  # Unix time in seconds
INSTANCE = read_instance({"CLERK_PUBLISHABLE_KEY": publishable_key(HOST), "CLERK_SECRET_KEY": "sk_test_x"})


def reason_for(token: str, signer: Signer, instance: Instance = INSTANCE) -> str:
    """The reason why a token is rejected; an empty string if it is accepted."""
    key = read_pem_key(signer.pem)
    try:
        verify_session_token(token, instance, lambda kid: key, NOW)
    except TokenError as error:
        return error.reason
    return ""


def test_messages_never_contain_the_token(forger: Signer, signer: Signer) -> None:
    token = forger.token(at=NOW)
    with pytest.raises(TokenError) as error:
        verify_session_token(token, INSTANCE, lambda kid: read_pem_key(signer.pem), NOW)
    assert token[7:20] not in error.value.message


def test_a_valid_token_returns_its_claims(signer: Signer) -> None:
    key = read_pem_key(signer.pem)
    claims = verify_session_token(signer.token(at=NOW), INSTANCE, lambda kid: key, NOW)
    assert claims["sub"] == "user_alice"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": NOW - 4, "nbf": NOW - 90}, ""),
        ({"exp": NOW - 60}, "token-expired"),
        ({"exp": None}, "token-invalid"),
        ({"exp": "tomorrow"}, "token-invalid"),
        ({"exp": True}, "token-invalid"),
        ({"exp": math.inf}, "token-invalid"),
        ({"nbf": NOW + 60}, "token-not-active-yet"),
        ({"nbf": math.nan}, "token-invalid"),
        ({"nbf": None}, ""),
        ({"iat": NOW + 60}, "token-iat-in-the-future"),
        ({"iat": [NOW]}, "token-invalid"),
        ({"sub": None}, "token-invalid"),
        ({"sub": ""}, "token-invalid"),
        ({"sub": "mch_1"}, "token-type-mismatch"),
        ({"iss": "https://other-instance-1.clerk.accounts.dev"}, "token-invalid"),
        ({"iss": f"https://{HOST}.evil.example"}, "token-invalid"),
        ({"iss": None}, ""),
        ({"azp": "https://evil.example"}, ""),
    ],
)
def test_claims(signer: Signer, changes: dict[str, Any], reason: str) -> None:
    assert reason_for(signer.token(at=NOW, **changes), signer) == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"cat": "cl_B7d4PD111AAA"}, ""),
        ({"cat": "cl_I7d4PD111III"}, ""),
        ({"cat": "cl_B7d4PD222AAA"}, "token-type-mismatch"),
        ({"cat": "cl_B7d4PD333AAA"}, "token-type-mismatch"),
        ({"cat": ["cl_B7d4PD111AAA"]}, "token-type-mismatch"),
        ({"cat": ""}, "token-type-mismatch"),
        ({"typ": "at+jwt"}, "token-type-mismatch"),
        ({"typ": "application/at+jwt"}, "token-type-mismatch"),
        ({"typ": "JOSE"}, "token-invalid"),
    ],
)
def test_token_classes(signer: Signer, header: dict[str, Any], reason: str) -> None:
    assert reason_for(signer.token(header, at=NOW), signer) == reason


@pytest.mark.parametrize(
    ("azp", "reason"),
    [
        ("https://app.example", ""),
        ("https://app.example.evil", "token-invalid-authorized-parties"),
        ("", "token-invalid-authorized-parties"),
        (None, "token-invalid-authorized-parties"),
    ],
)
def test_authorized_parties(signer: Signer, azp: str | None, reason: str) -> None:
    instance = read_instance(
        {
            "CLERK_PUBLISHABLE_KEY": publishable_key(HOST),
            "CLERK_SECRET_KEY": "sk_test_x",
            "CLERK_AUTHORIZED_PARTIES": "https://app.example",
        }
    )
    assert reason_for(signer.token(at=NOW, azp=azp), signer, instance) == reason


def test_a_token_signed_with_another_key_is_rejected(signer: Signer, forger: Signer) -> None:
    assert reason_for(forger.token(at=NOW), signer) == "token-invalid-signature"


def test_a_changed_payload_invalidates_the_signature(signer: Signer) -> None:
    header, _, signature = signer.token(at=NOW).split(".")
    token = f"{header}.{encode_part(signer.claims(at=NOW, sub='user_admin'))}.{signature}"
    assert reason_for(token, signer) == "token-invalid-signature"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 5, "RS384", "PS256", "EdDSA"])
def test_other_algorithms_are_rejected(signer: Signer, alg: object) -> None:
    header = encode_part({"typ": "JWT", "alg": alg})
    body = encode_part(signer.claims(at=NOW))
    for signature in ("x", signer.token(at=NOW).split(".")[2]):
        assert reason_for(f"{header}.{body}.{signature}", signer) == "token-invalid-algorithm"


def test_the_public_key_is_not_accepted_as_an_hmac_secret(signer: Signer) -> None:
    signed = f"{encode_part({'typ': 'JWT', 'alg': 'HS256'})}.{encode_part(signer.claims(at=NOW))}"
    mac = hmac.new(signer.pem.encode(), signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert reason_for(token, signer) == "token-invalid-algorithm"


def test_keys_inside_the_token_are_ignored(signer: Signer, forger: Signer) -> None:
    token = forger.token({"jwk": forger.jwks["keys"][0], "jku": "https://evil.example/jwks"})
    assert reason_for(token, signer) == "token-invalid-signature"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "e30.e30.",
        "W10.W10.x",
        "bnVsbA.bnVsbA.x",
        "e30.\u00e9.x",
        "e30 .e30.x",
        f"{encode_part('text')}.{encode_part(5)}.x",
        f"e30.{base64.urlsafe_b64encode(b'[' * 9000).decode().rstrip('=')}.x",
        f"e30.{base64.urlsafe_b64encode(b'9' * 9000).decode().rstrip('=')}.x",
        "a" * (MAX_TOKEN_LENGTH + 1),
        f"e30.{'A' * 100_000}.x",
    ],
)
def test_malformed_tokens_are_rejected(signer: Signer, token: str) -> None:
    assert reason_for(token, signer) == "token-invalid"


def test_a_signature_has_only_one_accepted_spelling(signer: Signer) -> None:
    token = signer.token(at=NOW)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == "user_alice"
    assert reason_for(token + "=", signer) == "token-invalid"
    assert reason_for(token + "\n", signer) == "token-invalid"
