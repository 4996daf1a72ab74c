"""A generated project installs the local Clerk with one line, made from the template's address."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.tools import BIN, copier_cli, find_uv, git, run

ADDRESSES = {
    "gh:acme/flask-clerk-saas": "git+https://github.com/acme/flask-clerk-saas",
    "gh:/acme/flask-clerk-saas.git": "git+https://github.com/acme/flask-clerk-saas.git",
    "gl:acme/flask-clerk-saas": "git+https://gitlab.com/acme/flask-clerk-saas",
    "git+https://git.acme.example/saas": "git+https://git.acme.example/saas",
    "https://git.acme.example/saas.git": "git+https://git.acme.example/saas.git",
    "https://ada:token@git.acme.example/private.git": "git+https://git.acme.example/private.git",
    "https://token@git.acme.example:8443/private.git": "git+https://git.acme.example:8443/private.git",
    "https://github.com/acme/flask-clerk-saas": "git+https://github.com/acme/flask-clerk-saas",
    "git@github.com:acme/flask-clerk-saas.git": "git+ssh://git@github.com/acme/flask-clerk-saas.git",
    'https://git.acme.example/the"saas".git': "git+https://git.acme.example/the%22saas%22.git",
    "ssh://git@git.acme.example:2222/saas.git": "git+ssh://git@git.acme.example:2222/saas.git",
}
"""Addresses as people type them, and as pip and uv understand them."""


def send_to(clone: Path) -> dict[str, str]:
    """Return environment variables with which git finds this clone at every address above."""
    typed = [address for address in ADDRESSES if not address.startswith(("gh:", "gl:", "git+"))]
    resolved = [address.removeprefix("git+") for address in ADDRESSES.values()]
    addresses = {variant for address in typed + resolved for variant in (address, f"{address}.git")}
    settings = {"GIT_CONFIG_COUNT": str(len(addresses))}
    for number, address in enumerate(sorted(addresses)):
        settings[f"GIT_CONFIG_KEY_{number}"] = f"url.{clone.as_uri()}.insteadOf"
        settings[f"GIT_CONFIG_VALUE_{number}"] = address
    return settings


def pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))


def requirements(project: Path) -> list[str]:
    """Return the requirements in the group `clerk` of a project."""
    group: list[str] = pyproject(project)["dependency-groups"]["clerk"]
    return group


def copy(source: str | Path, project: Path, *options: str, cwd: Path | None = None) -> str:
    return copier_cli("copy", "--defaults", *options, source, project, cwd=cwd)


def head(clone: Path) -> str:
    return git(clone, "rev-parse", "HEAD").strip()


@pytest.fixture
def spaced(clone: Path, tmp_path: Path) -> Path:
    """Return a clone with spaces in its path."""
    moved = tmp_path / "my clones & more" / "flask saas"
    moved.parent.mkdir()
    return clone.rename(moved)


def install_by_uv(project: Path, *options: str, env: dict[str, str] | None = None) -> None:
    uv = find_uv()
    assert uv, "uv comes with nox[uv], which runs these tests."
    run(uv, "sync", "--quiet", f"--python={sys.executable}", *options, cwd=project, env=env)


def install_by_pip(project: Path, env: dict[str, str] | None = None) -> None:
    """Install the group `clerk` alone: the rest of the project is the same however it is installed."""
    run(sys.executable, "-m", "venv", "--upgrade-deps", ".venv", cwd=project)
    python = project / ".venv" / BIN / "python"
    run(python, "-m", "pip", "install", "--quiet", "--group", "clerk", cwd=project, env=env)


def run_local_clerk(project: Path) -> None:
    """Run the installed command, and check that it comes from the package, not from a checkout."""
    python = project / ".venv" / BIN / "python"
    where = run(python, "-c", "import clerk_emulator; print(clerk_emulator.__file__)", cwd=project).stdout
    assert ".venv" in where
    assert "--port" in run(python, "-m", "clerk_emulator", "--help", cwd=project).stdout


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_git_address_becomes_a_requirement(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for name, value in send_to(clone).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "cache"))
    copy(address, tmp_path / "saas")
    expected = f"clerk-emulator @ {ADDRESSES[address]}@{head(clone)}#subdirectory=emulator"
    assert requirements(tmp_path / "saas") == [expected]


@pytest.mark.skipif(os.name == "nt", reason="Windows paths are real there.")
@pytest.mark.parametrize("path", ["C:\\Users\\Ada L\\saas", "C:/Users/Ada L/saas"])
def test_a_windows_path_becomes_a_file_url(
    clone: Path, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    clone.rename(tmp_path / path)
    copy(path, tmp_path / "project", cwd=tmp_path)
    [requirement] = requirements(tmp_path / "project")
    commit = head(tmp_path / path)
    assert requirement == (
        f"clerk-emulator @ git+file:///C:/Users/Ada%20L/saas@{commit}#subdirectory=emulator"
    )


def test_uv_installs_it_from_a_git_address(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in send_to(clone).items():
        monkeypatch.setenv(name, value)
    copy("gh:acme/flask-clerk-saas", tmp_path / "saas")
    install_by_uv(tmp_path / "saas", "--only-group=clerk")
    run_local_clerk(tmp_path / "saas")


def test_pip_installs_it_from_an_ssh_address(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in send_to(clone).items():
        monkeypatch.setenv(name, value)
    copy("git@github.com:acme/flask-clerk-saas.git", tmp_path / "saas")
    install_by_pip(tmp_path / "saas")
    run_local_clerk(tmp_path / "saas")


@pytest.mark.parametrize("install", [install_by_uv, install_by_pip])
def test_a_clone_with_a_space_in_its_path_works(spaced: Path, tmp_path: Path, install: Any) -> None:
    copy(spaced, tmp_path / "saas")
    install(tmp_path / "saas")
    run_local_clerk(tmp_path / "saas")


def test_a_relative_path_leaves_the_line_out_and_says_how_to_add_it(clone: Path, tmp_path: Path) -> None:
    said = copy(clone.name, tmp_path / "saas", cwd=clone.parent)
    assert requirements(tmp_path / "saas") == []
    assert "The local Clerk is not installed" in said
    assert "clerk-emulator @ file:///path/to/the/template/emulator" in said


def test_a_folder_without_git_leaves_the_line_out_and_says_how_to_add_it(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(clone / ".git")
    said = copy(clone, tmp_path / "saas")
    assert requirements(tmp_path / "saas") == []
    assert "The local Clerk is not installed" in said


def test_a_requirement_given_as_an_answer_is_used_and_kept(clone: Path, tmp_path: Path) -> None:
    git(clone, "tag", "v1.0.0")
    project = tmp_path / "saas"
    copy(clone, project, "--data=clerk_emulator=clerk-emulator>=1.2")
    commit_all(project)
    release(clone, "v1.1.0")
    copier_cli("update", "--defaults", cwd=project)
    assert requirements(project) == ["clerk-emulator>=1.2"]


def commit_all(project: Path) -> None:
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=Work")


def release(clone: Path, version: str) -> None:
    (clone / "template" / "app" / "new.py").write_text('"""New in this release."""\n')
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", f"--message=Release {version}")
    git(clone, "tag", version)


def test_an_update_names_the_new_commit_and_keeps_dependencies_added_next_to_it(
    clone: Path, tmp_path: Path
) -> None:
    git(clone, "tag", "v1.0.0")
    project = tmp_path / "saas"
    copy(clone, project)
    file = project / "pyproject.toml"
    text = file.read_text("utf-8")
    before, line, after = re.split(r'(\n  "clerk-emulator @ [^\n]*\n)', text)
    after = after.replace("\n]", '\n  "svix>=1",\n]', 1).replace('"mypy', '"ipython>=8",\n  "mypy', 1)
    file.write_text(before.replace("clerk = [\n", 'clerk = [\n  "clerk-backend-api>=4",\n') + line + after)
    added = pyproject(project)["dependency-groups"]
    commit_all(project)
    release(clone, "v1.1.0")

    copier_cli("update", "--defaults", cwd=project)

    assert "<<<<<<<" not in file.read_text("utf-8")
    groups = pyproject(project)["dependency-groups"]
    assert groups["dev"] == added["dev"]
    theirs = [one for one in groups["clerk"] if not one.startswith("clerk-emulator ")]
    assert theirs == ["clerk-backend-api>=4", "svix>=1"]
    [ours] = [one for one in groups["clerk"] if one.startswith("clerk-emulator ")]
    assert f"@{head(clone)}#" in ours


def test_with_a_lock_production_needs_no_template(clone: Path, tmp_path: Path) -> None:
    project = tmp_path / "saas"
    copy(clone, project)
    uv = find_uv()
    assert uv
    run(uv, "lock", "--quiet", f"--python={sys.executable}", cwd=project)
    clone.rename(tmp_path / "unreachable")
    # An empty cache, so that nothing of the template can come from it.
    own_cache = {"UV_CACHE_DIR": str(tmp_path / "uv"), "UV_LINK_MODE": "copy"}
    install_by_uv(project, "--no-dev", "--locked", env=own_cache)
    python = project / ".venv" / BIN / "python"
    assert (
        "None"
        in run(
            *(python, "-c", "from importlib.util import find_spec; print(find_spec('clerk_emulator'))"),
            cwd=project,
        ).stdout
    )
    run(python, "-c", "import app", cwd=project)


def test_without_the_local_clerk_a_project_works_with_real_keys_and_says_what_is_missing(
    clone: Path, tmp_path: Path
) -> None:
    git(clone, "tag", "v1.0.0")
    project = tmp_path / "saas"
    said = copy(clone, project, "--data=clerk_emulator=none")
    assert "The local Clerk is not installed" not in said
    assert requirements(project) == []
    commit_all(project)
    release(clone, "v1.1.0")
    copier_cli("update", "--defaults", cwd=project)
    assert requirements(project) == []

    install_by_uv(project)
    flask = project / ".venv" / BIN / "flask"
    said = run(flask, "dev", cwd=project, expect=1, seconds=60).stdout
    assert "the package clerk-emulator, is not installed" in said
    assert "uv sync" in said
    said = run(flask, "clerk", "reset", cwd=project, expect=1, seconds=60).stdout
    assert "the package clerk-emulator, is not installed" in said
    assert "Traceback" not in said

    key = "pk_live_Y2xlcmsuYWNtZS5leGFtcGxlJA=="  # for clerk.acme.example
    real = {
        "CLERK_PUBLISHABLE_KEY": key,
        "CLERK_SECRET_KEY": "sk_live_secret",
        "CLERK_AUTHORIZED_PARTIES": "https://acme.example",
    }
    page = "from app import create_app; print(create_app().test_client().get('/').status)"
    python = project / ".venv" / BIN / "python"
    assert "200 OK" in run(python, "-c", page, cwd=project, env=real).stdout

    tested = run(project / ".venv" / BIN / "pytest", cwd=project, seconds=300).stdout
    reasons = {line.partition(": ")[2] for line in tested.splitlines() if line.startswith("SKIPPED")}
    assert len(reasons) == 1, tested
    assert "clerk-emulator" in reasons.pop()
    run(project / ".venv" / BIN / "mypy", cwd=project)
