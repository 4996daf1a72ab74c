"""Secrets that anyone may know, and keys of two instances, are refused when the app starts."""

from __future__ import annotations

import base64
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app import create_app
from app.settings import SettingsError, read_settings
from tests.signing import Signer, publishable_key

LOCAL = {
    "CLERK_PUBLISHABLE_KEY": publishable_key("local-acme-1.clerk.accounts.dev"),
    "CLERK_SECRET_KEY": "sk_test_50a9ccd0854f22fd957f5be054d97efe9dd12b62",
}
REAL_SECRET_KEY = "sk_test_Qn3vXk7RbTzY2mLc9WfHs4JdGp8NaEu6VtKy1BxMqZ"
"""A secret key with the form of a real development instance's."""

OLD_SIGNING_SECRET = "whsec_" + base64.b64encode(b"local webhook signing secret").decode()

KNOWN_SECRET_KEYS = [
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "change-me-change-me-change-me",
    "CHANGEME_CHANGEME",
    "your-secret-key-goes-here",
    "a secret key for development",
    "super-secret-and-long",
    "placeholder of sixteen",
    "django-insecure-k2j3h4k2j3h4",
    "an example with length",
    "replace this with something random",
    "x" * 32,
    "0123012301230123",
    *("you-will-never-guess", "hard to guess string", "dev-dev-dev-dev-dev1", "passwordpassword"),
    *("password12345678", "0123456789abcdef", "1234567890123456", "abcdefghijklmnop", "qwertyuiopasdfgh"),
    *("thisisasecretkey!", "this is a secret", "SECRET_KEY_SECRET_KEY", "my_precious_1234"),
    *("my-precious-secret", "secretsecretsecret1", "development12345", "a-very-long-random-string"),
    *("TODO-TODO-TODO-1", "changethisplease1", "change.me.change.me", "change%20me please"),
    *("192B9BDD22AB9ED4D12E236C78AFCB9A393EC15F71BBF5DC987D54727823BCBF", '_5#y2L"F4Q8z\\n\\xec]/'),
    *("aaaaaaaaaaaaabcdef", "deadbeefdeadbeef", "fedcba9876543210", "ABCDEFGHIJKLMNOP12", "a1b2c3a1b2c3a1b2"),
    *("Correct Horse Battery Staple", "IT IS A LONG PASSPHRASE 7"),
]
KNOWN_SIGNING_SECRETS = [
    OLD_SIGNING_SECRET,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_" + "x" * 32,
    "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "whsec_exampleexampleexampleexample",
    f"whsec_dGhlIG90aGVyIHNlY3JldCBvZiB0ZXN0cw==, {OLD_SIGNING_SECRET}",
    *("whsec_plJ3nmyCDGBKInavdOK15jsl", "whsec_C2FVsBQIhrscChlQIYozzeNLzhdOyH36"),
    *("whsec_abcdefghijklmnopqrstuvwx", "whsec_12345678901234567890123456789012"),
    *("whsec_test1234test1234test1234", "whsec_testtesttesttesttesttest"),
    *("whsec_1234567890abcdefghijklmnopqrstuv", "whsec_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"),
    "whsec_bG9jYWwgd2ViaG9vayBzaWduaW5nIHNlY3JldB==",  # not canonical
    *(
        f"whsec_{base64.b64encode(secret).decode()}"
        for secret in (
            *(b"change-me-change-me", b"your-webhook-secret", b"testtesttesttest", b"this is a test secret"),
            *(b"clerk-test-signing-secret", b"s3cr3t-f0r-w3bh00ks!", b"Tr0ub4dor&3 Tr0ub4dor&4\n"),
            *(bytes(24), bytes(range(24)), bytes(range(24, 0, -1)), b"\x00\xff" * 12, b"\x01" * 20),
        )
    ),
]


@pytest.fixture(params=["development", "production"])
def real(
    request: pytest.FixtureRequest, environ: dict[str, str], live_environ: dict[str, str]
) -> dict[str, str]:
    """Settings with keys of a real Clerk instance."""
    return environ if request.param == "development" else live_environ


@pytest.mark.parametrize("secret", KNOWN_SECRET_KEYS)
def test_a_known_secret_key_is_refused(real: dict[str, str], secret: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY is an example") as refusal:
        create_app(real | {"SECRET_KEY": f" {secret} "})
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("secret", KNOWN_SIGNING_SECRETS)
def test_a_known_signing_secret_is_refused(real: dict[str, str], secret: str) -> None:
    with pytest.raises(SettingsError, match="CLERK_WEBHOOK_SIGNING_SECRET is an example") as refusal:
        create_app(real | {"CLERK_WEBHOOK_SIGNING_SECRET": secret})
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("secret", KNOWN_SIGNING_SECRETS)
def test_with_local_keys_known_secrets_are_accepted(environ: dict[str, str], secret: str) -> None:
    changes = {"SECRET_KEY": "change-me-change-me", "CLERK_WEBHOOK_SIGNING_SECRET": secret}
    assert read_settings(environ | LOCAL | changes).clerk.has_local_keys


def test_random_secrets_are_accepted(real: dict[str, str]) -> None:
    for _ in range(5000):
        size = secrets.choice([16, 24, 32])
        signing_secret = f"whsec_{base64.b64encode(secrets.token_bytes(size)).decode()}"
        hexadecimal = [secrets.token_hex(8), secrets.token_hex(size), secrets.token_bytes(size).hex()]
        key = secrets.choice([*hexadecimal, hexadecimal[0].upper(), secrets.token_urlsafe(size)])
        key = secrets.choice([key, f"{key[:20]},{key[20:]},ab"])
        read_settings(real | {"SECRET_KEY": key, "CLERK_WEBHOOK_SIGNING_SECRET": signing_secret})


JWT_IO = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo
4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u
+qKhbwKfBstIs+bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyeh
kd3qqGElvW/VDL5AaWTg0nLVkjRo9z+40RQzuVaE8AkAFmxzzow3x+VJYKdjykkJ
0iT9wCS0DRTXu269V264Vf/3jvredZiKRkgwlL9xNAwxXFg0x/XFw005UWVRIKdg
cKWTjpBP2dPwVZ4WWC+9aGVd+Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbc
mwIDAQAB
-----END PUBLIC KEY-----"""
"""The example of jwt.io."""


def test_a_published_public_key_is_refused(environ: dict[str, str], real: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CLERK_JWT_KEY is an example"):
        create_app(real | {"CLERK_JWT_KEY": JWT_IO})
    assert read_settings(environ | LOCAL | {"CLERK_JWT_KEY": JWT_IO})


@pytest.mark.parametrize("bits", [1024, 2040])
def test_a_short_public_key_is_refused(real: dict[str, str], bits: int) -> None:
    signer = Signer(key=rsa.generate_private_key(public_exponent=65537, key_size=bits))
    with pytest.raises(SettingsError, match="at least 2048 bits"):
        create_app(real | {"CLERK_JWT_KEY": signer.pem})


def test_the_signing_secret_of_a_generated_env_file_may_stay_with_real_keys(real: dict[str, str]) -> None:
    generated = base64.b64encode(secrets.token_hex(20).encode()).decode()
    assert read_settings(real | {"CLERK_WEBHOOK_SIGNING_SECRET": f"whsec_{generated}"}).webhook_secrets


@pytest.mark.parametrize("secret_key", ["sk_test_local", LOCAL["CLERK_SECRET_KEY"]])
def test_only_the_publishable_key_was_replaced(environ: dict[str, str], secret_key: str) -> None:
    changes = {"CLERK_SECRET_KEY": secret_key}
    with pytest.raises(SettingsError, match="CLERK_SECRET_KEY is still the local Clerk's") as refusal:
        create_app(environ | changes)
    assert secret_key not in str(refusal.value)


def test_only_the_secret_key_was_replaced(environ: dict[str, str]) -> None:
    changes = {"CLERK_SECRET_KEY": REAL_SECRET_KEY}
    with pytest.raises(SettingsError, match="CLERK_PUBLISHABLE_KEY is still the local Clerk's") as refusal:
        create_app(environ | LOCAL | changes)
    assert REAL_SECRET_KEY not in str(refusal.value)
    create_app(environ | changes)


@pytest.mark.parametrize(
    ("publishable", "secret"),
    [("secret", "publishable"), ("secret", "secret"), ("publishable", "publishable"), ("secret", "")],
)
def test_swapped_keys_are_recognized(real: dict[str, str], publishable: str, secret: str) -> None:
    keys = {"publishable": real["CLERK_PUBLISHABLE_KEY"], "secret": "sk_test_topsecret", "": ""}
    changes = {"CLERK_PUBLISHABLE_KEY": keys[publishable], "CLERK_SECRET_KEY": keys[secret]}
    with pytest.raises(SettingsError, match="swap the two") as refusal:
        create_app(real | changes)
    assert "topsecret" not in str(refusal.value)
