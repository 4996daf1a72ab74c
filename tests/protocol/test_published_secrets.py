"""Secrets that anyone may know, and keys of two instances, are refused when the app starts."""

from __future__ import annotations

import base64
import secrets

import pytest

from app import create_app
from app.settings import SettingsError, read_settings
from tests.signing import publishable_key

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
]
KNOWN_SIGNING_SECRETS = [
    OLD_SIGNING_SECRET,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_" + "x" * 32,
    "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "whsec_exampleexampleexampleexample",
    f"whsec_dGhlIG90aGVyIHNlY3JldCBvZiB0ZXN0cw==, {OLD_SIGNING_SECRET}",
]


@pytest.fixture(params=["development", "production"])
def real(
    request: pytest.FixtureRequest, environ: dict[str, str], live_environ: dict[str, str]
) -> dict[str, str]:
    """Settings with keys of a real Clerk instance."""
    return environ if request.param == "development" else live_environ


@pytest.mark.parametrize("secret", KNOWN_SECRET_KEYS)
def test_a_known_secret_key_is_refused(real: dict[str, str], secret: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY is an example or a placeholder") as refusal:
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
    for _ in range(2000):
        signing_secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        key = secrets.choice([secrets.token_hex(8), secrets.token_hex(), secrets.token_urlsafe()])
        key = secrets.choice([key, f"{key[:20]},{key[20:]},ab"])
        read_settings(real | {"SECRET_KEY": key, "CLERK_WEBHOOK_SIGNING_SECRET": signing_secret})


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
