"""Settings are read once, and refused with the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import create_app, settings
from app.settings import SettingsError, read_environment, read_settings
from tests.signing import publishable_key

LOCAL = publishable_key("local-acme-1.clerk.accounts.dev")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"CLERK_PUBLISHABLE_KEY": "pk_test_x"}, "CLERK_PUBLISHABLE_KEY"),
        ({"CLERK_SECRET_KEY": "sk_live_x"}, "CLERK_SECRET_KEY"),
        ({"CLERK_WEBHOOK_SIGNING_SECRET": "x"}, "CLERK_WEBHOOK_SIGNING_SECRET"),
        ({"CLERK_AFTER_SIGN_IN_PATH": "https://evil.example"}, "CLERK_AFTER_SIGN_IN_PATH"),
        ({"CLERK_AFTER_DELETE_PATH": "//evil.example"}, "CLERK_AFTER_DELETE_PATH"),
        ({"CLERK_JWT_KEY": "nonsense"}, "CLERK_JWT_KEY"),
        ({"CLERK_IS_SATELLITE": "perhaps"}, "CLERK_IS_SATELLITE"),
        ({"TRUSTED_PROXY_HOPS": "many"}, "TRUSTED_PROXY_HOPS"),
        ({"TRUSTED_PROXY_HOPS": "-1"}, "TRUSTED_PROXY_HOPS"),
        ({"CLERK_DELETIONS": "gentle"}, "CLERK_DELETIONS"),
        (
            {"CLERK_PUBLISHABLE_KEY": LOCAL, "CLERK_EMULATOR_URL": "http://10.0.0.1:5001"},
            "CLERK_EMULATOR_URL",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    environ: dict[str, str], changes: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        create_app(environ | changes)


def test_a_missing_env_file_is_named(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")
    del environ["SECRET_KEY"]
    with pytest.raises(SettingsError, match=r"flask clerk doctor --fix"):
        read_settings(environ)


def test_the_process_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("SECRET_KEY=from the file\nCLERK_JWT_KEY=from the file\n")
    monkeypatch.setattr(settings, "ENV_FILE", file)
    monkeypatch.setenv("SECRET_KEY", "from the process")
    monkeypatch.delenv("CLERK_JWT_KEY", raising=False)
    environ = read_environment()
    assert (environ["SECRET_KEY"], environ["CLERK_JWT_KEY"]) == (
        "from the process",
        "from the file",
    )


def test_local_keys_lead_to_the_local_clerk(environ: dict[str, str]) -> None:
    emulator = {"CLERK_EMULATOR_URL": "http://127.0.0.1:5001", "CLERK_API_URL": ""}
    local = read_settings(environ | emulator | {"CLERK_PUBLISHABLE_KEY": LOCAL})
    assert local.clerk.api_url == "http://127.0.0.1:5001/api"
    assert local.clerk.proxy_url == "/__clerk"


def test_with_keys_of_a_real_instance_it_means_nothing(environ: dict[str, str]) -> None:
    emulator = {"CLERK_EMULATOR_URL": "http://127.0.0.1:5001", "CLERK_API_URL": ""}
    real = read_settings(environ | emulator)
    assert real.emulator_url == ""
    assert real.clerk.api_url == "https://api.clerk.com"
    assert real.clerk.proxy_url == ""


def test_secrets_do_not_show(environ: dict[str, str]) -> None:
    shown = repr(read_settings(environ | {"DATABASE_URL": "mysql://me:hunter2@db/x"}))
    for secret in (environ["SECRET_KEY"], "sk_test_secret", "the signing secret", "hunter2"):
        assert secret not in shown
