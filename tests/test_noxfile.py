"""`python3 noxfile.py` on a machine that has only Python and git, and the demo."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.tools import BIN, NEWEST_PYTHON, ROOT, free_ports, run

DEMO_SECONDS = 300


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has no packages at all, not even pip."""
    home = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", "--without-pip", home)
    return home / BIN / "python"


@pytest.fixture(scope="module")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory, bare_python: Path) -> tuple[Path, str]:
    """Return a folder in which the bare Python ran the noxfile once, and its output."""
    folder = tmp_path_factory.mktemp("bootstrap")
    (folder / "noxfile.py").write_bytes((ROOT / "noxfile.py").read_bytes())
    return folder, run(bare_python, folder / "noxfile.py", "--list", cwd=folder).stdout


def start(python: Path, folder: Path, *, before: str = "pass", env: dict[str, str] | None = None) -> str:
    """Run the noxfile as a script after a line of Python that breaks something; it must fail."""
    as_script = "sys.argv[1:] = ['--list']; runpy.run_path('noxfile.py', run_name='__main__')"
    code = f"import runpy, sys; {before}; {as_script}"
    return run(python, "-c", code, cwd=folder, expect=1, env=env).stdout


def test_a_bare_python_installs_nox(bootstrapped: tuple[Path, str]) -> None:
    _, said = bootstrapped
    assert "Installing nox into .nox/.bootstrap; this happens once." in said
    for session in ("demo", "lint", "emulator", "protocol", "data", "template", "clients", "browser", "docs"):
        assert re.search(rf"^[*-] {session} ->", said, re.M), said


def test_the_second_start_reuses_the_environment(bootstrapped: tuple[Path, str], bare_python: Path) -> None:
    folder, _ = bootstrapped
    assert "Installing nox" not in run(bare_python, folder / "noxfile.py", "--list").stdout


def test_it_can_be_started_from_another_folder(
    bootstrapped: tuple[Path, str], bare_python: Path, tmp_path: Path
) -> None:
    folder, _ = bootstrapped
    assert "demo ->" in run(bare_python, folder / "noxfile.py", "--list", cwd=tmp_path).stdout


def test_a_broken_environment_is_repaired(bootstrapped: tuple[Path, str], bare_python: Path) -> None:
    folder, _ = bootstrapped
    private = folder / ".nox" / ".bootstrap"
    (private / "ready").unlink()
    (private / BIN / "python").unlink()
    said = run(bare_python, folder / "noxfile.py", "--list", cwd=folder).stdout
    assert "Installing nox" in said
    assert "demo ->" in said


def test_without_ensurepip_it_says_what_to_install(bare_python: Path, tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_bytes((ROOT / "noxfile.py").read_bytes())
    said = start(bare_python, tmp_path, before="sys.modules['ensurepip'] = None")
    assert "can't create virtual environments: its module ensurepip is missing" in said
    assert "sudo apt install python3-venv" in said


def test_a_python_that_is_too_old_is_rejected(bare_python: Path, tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_bytes((ROOT / "noxfile.py").read_bytes())
    said = start(bare_python, tmp_path, before="sys.version_info = (3, 10, 9)")
    assert "Python 3.11 or newer is needed" in said


def test_without_a_package_index_it_says_what_failed_and_recovers(bare_python: Path, tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").write_bytes((ROOT / "noxfile.py").read_bytes())
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    said = start(bare_python, tmp_path, env=nowhere)
    assert "Could not install nox[uv]" in said
    assert not (tmp_path / ".nox" / ".bootstrap" / "ready").exists()


def demo(source: Path, *arguments: str, expect: int = 0) -> str:
    """Run the demo with an installed nox."""
    command = [sys.executable, str(source / "noxfile.py"), "-s", "demo", "--", *arguments]
    return run(*command, cwd=source, expect=expect, seconds=DEMO_SECONDS).stdout


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def source(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of the template for the demo."""
    target = tmp_path_factory.mktemp("demo") / "clone"
    run("git", "clone", "--quiet", template, target)
    return target


def test_the_demo_prints_how_long_its_first_page_took(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, local_clerk = free_ports()
    said = demo(source, "--port", str(port), "--once")
    shown = re.search(rf"http://localhost:{port} .*\(first page after (\d+\.\d) s\)", said)
    assert shown, said
    with capsys.disabled():
        print(f"\npython3 noxfile.py -s demo: first page after {shown[1]} s, environments included")
    assert is_free(port)
    assert is_free(local_clerk)


def test_an_existing_demo_is_used_and_not_overwritten(source: Path) -> None:
    mine = source / "demo" / "mine.txt"
    if not mine.parent.exists():
        pytest.fail("The demo before this one was not made.")
    mine.write_text("mine\n")
    port, _ = free_ports()
    said = demo(source, "--port", str(port), "--once")
    assert "demo/ exists and is used unchanged" in said
    assert f"http://localhost:{port}" in said
    assert mine.read_text() == "mine\n"


@pytest.mark.parametrize("which", [0, 1], ids=["app", "local Clerk"])
def test_a_port_in_use_is_named_at_once(source: Path, which: int) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[which])):
        said = demo(source, "--port", str(ports[0]), "--once", expect=1)
    assert f"Port {ports[which]} is used by another program" in said
    assert "python3 noxfile.py -s demo -- --port 5050" in said
    assert "first page" not in said


def test_a_demo_folder_without_a_project_is_not_touched(template: Path, tmp_path: Path) -> None:
    run("git", "clone", "--quiet", template, tmp_path / "clone")
    (tmp_path / "clone" / "demo").mkdir()
    (tmp_path / "clone" / "demo" / "photo.txt").write_text("dear\n")
    said = demo(tmp_path / "clone", "--once", expect=1)
    assert "demo/ exists but is not a generated project. Move it away" in said
    assert (tmp_path / "clone" / "demo" / "photo.txt").read_text() == "dear\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to another process.")
@pytest.mark.parametrize(
    "inherited_signal",
    [
        pytest.param("-", id="started at a terminal"),
        pytest.param("''", id="started in the background, where SIGINT is ignored"),
    ],
)
def test_ctrl_c_stops_app_and_local_clerk(source: Path, inherited_signal: str) -> None:
    port, local_clerk = free_ports()
    demo_command = (sys.executable, source / "noxfile.py", "-s", "demo", "--", "--port", str(port))
    process = subprocess.Popen(
        ("sh", "-c", f'trap {inherited_signal} INT; exec "$@"', "sh", *demo_command),
        cwd=source,
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output: list[str] = []
    assert process.stdout
    reader = threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True)
    reader.start()
    try:
        wait_for_line(process, output, "first page after")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, "".join(output)
    finally:
        process.kill()
    reader.join(10)
    assert "Traceback" not in "".join(output)
    assert is_free(port)
    assert is_free(local_clerk)


def wait_for_line(process: subprocess.Popen[str], output: list[str], text: str) -> None:
    """Wait until a process has printed a line that contains this text."""
    deadline = time.monotonic() + DEMO_SECONDS
    while not any(text in line for line in output):
        assert process.poll() is None, "".join(output)
        assert time.monotonic() < deadline, "".join(output)
        time.sleep(0.1)


def test_all_parts_declare_the_same_versions_of_python() -> None:
    recipe = (ROOT / "noxfile.py").read_text("utf-8")
    versions = re.findall(r'"(3\.\d+)"', recipe.partition("PYTHONS = (")[2].partition(")")[0])
    emulator = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text("utf-8"))["project"]
    marker = "Programming Language :: Python :: "
    classifiers = [text.removeprefix(marker) for text in emulator["classifiers"] if marker in text]
    assert classifiers == versions
    oldest = f'requires-python = ">={versions[0]}"'
    for name in ("noxfile.py", "emulator/pyproject.toml", "template/pyproject.toml.jinja"):
        assert oldest in (ROOT / name).read_text("utf-8"), name
    assert versions[-1] == NEWEST_PYTHON
