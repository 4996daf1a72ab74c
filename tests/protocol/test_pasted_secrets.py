"""Error messages at the start never show a secret that was pasted into the wrong variable."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from click.testing import CliRunner
from dotenv import dotenv_values

from app import create_app
from app.commands import clerk, dev
from app.settings import SettingsError
from tests.app_fixtures import PROJECT

VARIABLES = sorted(dotenv_values(PROJECT / ".env.example"))

PEM = "\n".join(
    ["-----BEGIN PRIVATE KEY-----", *["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"] * 4, "-----END"]
)
SECRETS = {
    "development key": "sk_test_Qn3vXk7RbTzY2mLc9WfHs4JdGp8NaEu6VtKy1BxMqZ",
    "production key": "sk_live_Qn3vXk7RbTzY2mLc9WfHs4JdGp8NaEu6VtKy1BxMqZ",
    "signing secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSX",
    "secret key": "9f1c7d5e3b2a48609f1c7d5e3b2a4860",
    "passphrase": "correct horse battery staple",
    "base64": "/Mf/KQ9+r8GK/Yqr+TwjUPD8ILPZ/Io2+LaLa/SX==",
    "PostgreSQL": "postgresql://ada:tr0ub4dor&3@db.example.com:5432/app",
    "MySQL": "mysql://ada:tr0ub4dor@db.example.com/app",
    "unescaped password": "postgres://ada:p@ss/w0rd:x@db.example.com/app",
    "Redis": "redis://:tr0ub4dor@redis.example.com:6379/0",
    "URL with a password": "https://ada:tr0ub4dor@app.example.com",
    "short password": "tr0ub4dor",
    "short passphrase": "correct-horse",
    "short base64": "/Mf/KQ9+r8",
    "quoted key": '"sk_live_Qn3vx1"',
    "short key": "Qn3vXk7RbTz",
    "secret in a host": "https://9f1c7d5e3b2a48609f1c7d5e3b2a4860.example/x",
    "API key": "ak_Qn3vXk7RbTzY2mLc9WfHs4JdGp8NaEu6",
    "private key": PEM,
    "JWT": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyX2FsaWNlIn0.Qn3vXk7RbTzY2mLc9WfHs4JdGp8NaEu6",
}
TELLTALE = ["Qn3v", "MfKQ", "Mf/K", "9f1c", "orrect", "horse", "tr0u", "p@ss", "w0rd", "MIIE", "eyJ"]
"""A few characters of each secret, none of which is part of its kind's common form."""


def revealed(text: str) -> list[str]:
    return [part for part in TELLTALE if part.lower() in text.lower()]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_the_app_does_not_show_it(
    environ: dict[str, str],
    live_environ: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    variable: str,
    kind: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    satellite = {"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "a.example", "CLERK_SERVE_PROXY": "true"}
    satellite |= {"CLERK_SIGN_IN_URL": "https://b.example", "CLERK_PROXY_URL": "/__clerk"}
    for settings in (environ, live_environ, environ | satellite):
        for value in (SECRETS[kind], f"https://a.example,{SECRETS[kind]}"):
            try:
                create_app(settings | {variable: value})
            except SettingsError:
                assert revealed(traceback.format_exc()) == []
            assert revealed(caplog.text) == []


@pytest.mark.parametrize("value", ["hunter", "48151", "/hunter", "https://hunter.example"])
@pytest.mark.parametrize(
    "variable",
    ["SECRET_KEY", "CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_JWT_KEY", "DATABASE_URL"],
)
def test_no_part_of_a_variable_for_secrets_is_shown(
    environ: dict[str, str], variable: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=variable) as refusal:
        create_app(environ | {variable: value})
    assert value.removeprefix("https://") not in str(refusal.value)


@pytest.mark.parametrize("kind", SECRETS)
def test_the_commands_do_not_show_it(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    # Only with these does a command go on to the network and the port.
    for variable in ("CLERK_PUBLISHABLE_KEY", "CLERK_API_URL", "DATABASE_URL", "FLASK_RUN_PORT", "APP_URL"):
        changed = environ | {variable: SECRETS[kind]}
        if variable == "FLASK_RUN_PORT":
            result = CliRunner().invoke(dev, env=changed)
            assert result.exit_code == 1
            assert "FLASK_RUN_PORT" in result.output
        else:
            result = CliRunner().invoke(clerk, ["doctor"], env=changed)
        assert revealed(result.output) == []
