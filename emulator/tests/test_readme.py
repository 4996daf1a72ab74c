"""Everything that README.md names exists, and its examples work as printed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clerk_emulator import pytest_plugin, testing
from clerk_emulator.cli import _serve_parser, main
from clerk_emulator.control import control_api
from clerk_emulator.instances import NEEDED
from clerk_emulator.seeds import load_seeds, read_seeds
from clerk_emulator.settings.reading import read_settings_file
from clerk_emulator.testing import RunningClerk, running_clerk

from .test_wheel import PACKAGE

README = (PACKAGE / "README.md").read_text("utf-8")
PAGES = [PACKAGE / "README.md", PACKAGE / "ENDPOINTS.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
PROSE = FENCE.sub("", README)
CODE = re.findall(r"`([^`\n]+)`", PROSE)
NAMED = "\n".join([*CODE, *(text for _, text in FENCE.findall(README))])


def blocks(language: str) -> list[str]:
    return [text for name, text in FENCE.findall(README) if name == language]


def options_of_the_command() -> set[str]:
    return {option for action in _serve_parser()._actions for option in action.option_strings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    titles = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.M)
    }
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        if not link.startswith("http"):
            assert not name or (page.parent / name).exists(), link
            assert not anchor or anchor in titles, link


def test_every_option_exists_and_is_documented() -> None:
    foreign = {"--rm", "--bind", "--add-host", "--group", "--check"}  # of docker, python, pip, ruff
    named = set(re.findall(r"(?<![\w-])(--[a-z][\w-]+)", NAMED)) - foreign
    assert named == options_of_the_command() - {"-h", "--help", "--version"}


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"^\$ clerk-emulator (\w+)", NAMED, re.M)))
)
def test_every_command_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"clerk-emulator {command}" in capsys.readouterr().out


def test_every_variable_is_printed_by_the_command() -> None:
    from clerk_emulator.cli import TO_PASTE
    from clerk_emulator.keys import NAMES

    named = set(re.findall(r"\b((?:NEXT_PUBLIC_)?CLERK_[A-Z_]+)", NAMED))
    printed = set(re.findall(r"^(\w+)=", TO_PASTE, re.M)) | set(NAMES)
    assert named - printed == {"NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED"}


def test_the_fixtures_are_those_of_the_plugin() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PROSE.partition("| Fixture |")[2], re.M)
    assert rows == ["clerk", "live_site", "browser_page"]
    for name in rows:
        assert hasattr(pytest_plugin, name)


def test_the_table_of_methods_is_complete() -> None:
    named = set(re.findall(r"\bclerk\.([a-z_]+)", NAMED)) - {"browser", "accounts", "com"}
    public = {name for name in vars(RunningClerk) if not name.startswith("_")}
    assert named == public


def test_the_types_can_be_imported() -> None:
    sentence = PROSE.partition("Types for your annotations")[2].partition(". Without pytest")[0]
    names = re.findall(r"`([A-Z]\w+)`", sentence)
    assert len(names) == 7
    assert set(names) <= set(testing.__all__)


def test_the_control_endpoints_exist(emulator: Any) -> None:
    rules = {
        (method, rule.rule)
        for rule in emulator.url_map.iter_rules()
        if rule.endpoint.startswith(control_api.name)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    rows = re.findall(r"^\| (`[A-Z`, ]+) (/emulator/\w+)", PROSE, re.M)
    named = {(method, path) for verbs, path in rows for method in re.findall("[A-Z]+", verbs)}
    assert len(named) == 12
    assert named <= rules


def test_the_files_are_valid_as_printed(tmp_path: Path, clerk: Any) -> None:
    settings, seeds, instances = blocks("toml")
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    (tmp_path / "seeds.toml").write_text(seeds, "utf-8")
    assert read_settings_file(tmp_path / "settings.toml").organizations.enabled
    clerk.source.switch({"organizations": {"enabled": True}})
    with clerk.store.transaction():
        loaded = load_seeds(clerk, read_seeds(tmp_path / "seeds.toml"))
    assert (loaded["users"], loaded["organizations"]) == (1, 1)
    assert set(NEEDED) <= set(tomllib.loads(instances)["instances"][0])


def python_block(start: str) -> str:
    (block,) = [block for block in blocks("python") if start in block]
    return block


def run(code: str, name: str) -> ModuleType:
    """Execute a block as a module of its own."""
    module = ModuleType(name)
    exec(compile(code, f"README.md: {name}", "exec"), module.__dict__)  # noqa: S102
    return module


def test_the_flask_app_returns_the_signed_in_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("clerk_backend_api", reason="clerk-backend-api is not installed")
    with running_clerk(tmp_path, app_url="http://localhost:5000") as clerk:
        environ = clerk.environ | {"CLERK_API_URL": clerk.api_url, "CLERK_PROXY_URL": clerk.url}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        visitor = run(python_block("verify_token"), "flask_app").app.test_client()
        page = visitor.get("/").text
        assert f'src="{clerk.url}/npm/@clerk/clerk-js@6/' in page
        assert clerk.environ["CLERK_PUBLISHABLE_KEY"] in page
        assert visitor.get("/me").status_code == 401
        ada = clerk.create_user()
        clerk.sign_in(visitor, ada)
        assert visitor.get("/me").get_json() == {"user_id": ada.id}
        visitor.set_cookie("__session", f"{clerk.session_token(ada)[:-4]}AAAA")
        assert visitor.get("/me").status_code == 401


def test_the_pytest_example_passes(tmp_path: Path, run_pytest: Callable[..., str]) -> None:
    app = """
from flask import Flask, request

def create_app(environ):
    app = Flask(__name__)
    assert environ["CLERK_API_URL"]
    app.add_url_rule("/dashboard", view_func=lambda: f"Welcome, Ada {len(request.cookies)}")
    return app
"""
    (tmp_path / "my_app.py").write_text(app)
    said = run_pytest(tmp_path, python_block("def test_the_dashboard"), python_block("def site"))
    assert "1 passed" in said


def test_the_example_without_pytest_works(
    unused_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run(python_block("TemporaryDirectory").replace("5002", str(unused_port)), "without_pytest")
    url, token = capsys.readouterr().out.split()
    assert url == f"http://127.0.0.1:{unused_port}"
    assert token.count(".") == 2


def test_the_dockerfile_only_listens_by_an_explicit_option() -> None:
    dockerfile = (PACKAGE / "Dockerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["clerk-emulator", "--in-container"]' in dockerfile
    assert re.search(r"^USER (?!root)", dockerfile, re.M)
    for text in (dockerfile, *blocks("console")):
        for published in re.findall(r"-p (\S+)", text):
            assert published == "127.0.0.1:5001:5001"
