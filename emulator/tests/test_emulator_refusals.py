"""Invalid configurations: each error names the value, what was expected, and the fix."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import pytest

from clerk_emulator import RefusalError, create_emulator
from clerk_emulator.cli import main
from clerk_emulator.server import serve
from clerk_emulator.testing import example_config


def key(text: str, prefix: str = "pk_test_") -> str:
    return prefix + base64.b64encode(text.encode()).decode()


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"publishable_key": key("clerk.example.com$", "pk_live_")}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": ""}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": "pk_test_!!!"}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": key("clerk.example.com")}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": key("clerk$.example.com$")}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": key("localhost$")}, "CLERK_PUBLISHABLE_KEY"),
    ({"publishable_key": key("evil.example/path$")}, "CLERK_PUBLISHABLE_KEY"),
    ({"secret_key": "sk_live_abcdefgh"}, "CLERK_SECRET_KEY"),
    ({"secret_key": ""}, "CLERK_SECRET_KEY"),
    ({"secret_key": "hunter2hunter2"}, "CLERK_SECRET_KEY"),
    ({"host": "0.0.0.0"}, "--host"),  # noqa: S104
    ({"host": "192.168.1.7"}, "--host"),
    ({"host": "clerk.example.com"}, "--host"),
    ({"port": 70000}, "--port"),
    ({"app_url": "/"}, "--app-url"),
    ({"app_url": "ftp://localhost"}, "--app-url"),
    ({"after_sign_in_path": "//evil.example"}, "--after-sign-in-path"),
    ({"after_sign_in_path": "/\\\\evil.example"}, "--after-sign-in-path"),
    ({"after_sign_in_path": "dashboard"}, "--after-sign-in-path"),
    ({"app_url": "http://user@localhost"}, "--app-url"),
    ({"app_url": "http://localhost:port"}, "--app-url"),
    ({"webhook_url": "/webhooks/clerk"}, "--webhook-url"),
    ({"host": "192.168.1.7", "in_container": True}, "--host"),
    ({"webhook_signing_secret": "hunter2hunter2"}, "CLERK_WEBHOOK_SIGNING_SECRET"),
    ({"webhook_signing_secret": "whsec_?"}, "CLERK_WEBHOOK_SIGNING_SECRET"),
]


@pytest.mark.parametrize(("changes", "setting"), REFUSALS)
def test_an_invalid_setting_is_rejected_with_its_name(
    tmp_path: Path, changes: dict[str, Any], setting: str
) -> None:
    with pytest.raises(RefusalError) as refusal:
        example_config(tmp_path, **changes)
    message = str(refusal.value)
    assert message.startswith(setting)
    assert "xpected" in message


@pytest.mark.parametrize("secret", ["sk_live_abcdefgh", "hunter2hunter2"])
def test_an_error_does_not_reveal_the_secret(tmp_path: Path, secret: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        example_config(tmp_path, secret_key=secret)
    assert secret not in str(refusal.value)


def test_the_configuration_does_not_show_its_secrets(tmp_path: Path) -> None:
    config = example_config(tmp_path)
    assert config.secret_key not in repr(config)
    assert str(config.webhook_signing_secret) not in repr(config)


def test_a_foreign_state_file_is_rejected(tmp_path: Path) -> None:
    config = example_config(tmp_path)
    config.state.write_text("something else entirely, " * 100)
    with pytest.raises(RefusalError, match="--state"):
        create_emulator(config)


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RefusalError, match=f"Port {port} on 127.0.0.1 is taken"):
            serve(example_config(tmp_path, port=port))


def test_the_command_prints_the_reason_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLERK_PUBLISHABLE_KEY", key("clerk.example.com$"))
    monkeypatch.setenv("CLERK_SECRET_KEY", "sk_live_abcdefgh")
    assert main([]) == 2
    assert "CLERK_SECRET_KEY is a production key" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_addresses_are_accepted(tmp_path: Path, host: str) -> None:
    assert example_config(tmp_path, host=host).host == host
