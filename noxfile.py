#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2025.11.12"]
# ///
"""Every chore of this repository.

    python3 noxfile.py -s demo     render the template and run the result with a local Clerk
    python3 noxfile.py             run every test
    python3 noxfile.py --list      the other chores

It needs Python 3.11 and git. Run as a script without nox installed, it installs nox into a private
virtual environment, .nox/.bootstrap, and restarts in it. With nox or uv installed, `nox -s demo` and
`uv run noxfile.py -s demo` do the same.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file runs with any python3
    sys.exit(
        f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]} ({sys.executable}). "
        "Install a newer Python and run this file with it, for example: python3.12 noxfile.py"
    )

import argparse
import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
DEMO = HERE / "demo"
NOX_SINCE = (2025, 11, 12)
NOX = "nox[uv]>=2025.11.12"
COPIER = "copier>=9.19"
CLERK_SDK = "clerk-backend-api"
PYTEST = ("hypothesis", "pytest", "pytest-xdist", "python-dotenv", COPIER, NOX)
PARALLEL = ["--numprocesses=auto"]
# Tests of one file share a rendered project, and run in their order.
FILE_PER_CORE = [*PARALLEL, "--dist=loadfile", "--no-loadscope-reorder"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The versions of Python that the project supports."""
OUR_WARNINGS = ["-o", "filterwarnings=error::DeprecationWarning:(app|clerk_emulator|tests)"]
FIRST_PAGE_SECONDS = 120
STOP_SECONDS = 20

# When the command was typed. The bootstrap passes this time to the process that replaces it.
STARTED = float(os.environ.pop("NOXFILE_STARTED", 0) or time.time())


def private_python() -> Path:
    """Return the Python of the private environment; create or repair it first if necessary."""
    home = HERE / ".nox" / ".bootstrap"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # Written last, so that an interrupted installation, or another Python, starts over.
    ready, recipe = home / "ready", f"{NOX}\n{sys.version}\n"
    if python.exists() and ready.is_file() and ready.read_text(encoding="utf-8") == recipe:
        return python
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{sys.executable} can't create virtual environments: its module ensurepip is missing. "
            f"On Debian and Ubuntu: sudo apt install python3-venv (or python{version}-venv). "
            "Then run the same command again."
        )
    print("Installing nox into .nox/.bootstrap; this happens once.", file=sys.stderr, flush=True)
    # pip settings such as "user" don't work in a virtual environment.
    settings = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for command, what in (
        (
            [sys.executable, "-m", "venv", "--clear", str(home)],
            "create the virtual environment .nox/.bootstrap",
        ),
        ([str(python), "-m", "pip", "install", "--quiet", NOX], f"install {NOX}"),
    ):
        if subprocess.run(command, env=settings, check=False).returncode:
            sys.exit(
                f"Could not {what}; the lines above say why. It needs a package index that pip "
                "can reach and some free disk space. Fix that and run the same command again."
            )
    ready.write_text(recipe, encoding="utf-8")
    return python


def has_nox() -> bool:
    """Return whether this Python has a nox that is new enough."""
    try:
        version = importlib.metadata.version("nox")
    except importlib.metadata.PackageNotFoundError:
        return False
    return tuple(int(part) for part in version.split(".")[:3]) >= NOX_SINCE


def restart_with_nox() -> NoReturn:
    """Replace this process with one that has nox."""
    command = [str(private_python()), str(HERE / "noxfile.py"), *sys.argv[1:]]
    environment = {**os.environ, "NOXFILE_STARTED": repr(STARTED)}
    if os.name == "nt":  # there, exec would start a second process and end this one
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    os.execve(command[0], command, environment)


# An older nox, such as Debian's, may lack features used below.
if __name__ == "__main__" and not has_nox():
    if Path(sys.prefix) == HERE / ".nox" / ".bootstrap":
        sys.exit("nox is missing from .nox/.bootstrap. Remove that folder, then run this again.")
    restart_with_nox()

import nox  # noqa: E402 - only now is it certain to be installed

nox.needs_version = ">=" + ".".join(map(str, NOX_SINCE))
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "emulator", "protocol", "data", "template", "clients", "browser", "docs"]


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Render a project into demo/ and run it. Options after `--`: --port 5050; --once."""
    parser = argparse.ArgumentParser(prog="python3 noxfile.py -s demo --")
    parser.add_argument("--port", type=int, help="the app's port; the local Clerk takes the next")
    parser.add_argument("--once", action="store_true", help="stop after the first page")
    options = parser.parse_args(session.posargs)
    interrupt_on_signals()

    kept = DEMO.exists()
    if kept and not (DEMO / "pyproject.toml").is_file():
        session.error("demo/ exists but is not a generated project. Move it away, then run this again.")
    ports = demo_ports(options.port)
    for port in ports:
        if is_taken(port):
            session.error(
                f"Port {port} is used by another program (the demo needs {ports[0]} and "
                f"{ports[1]}). Stop that program, or run: python3 noxfile.py -s demo -- --port 5050"
            )
    if kept:
        session.log("demo/ exists and is used unchanged. Delete it to start over.")
    else:
        session.install(COPIER)
        copy_template(session, DEMO, port=str(ports[0]))
    install_demo(session)
    run_demo(session, ports, once=options.once)


@nox.session
def lint(session: nox.Session) -> None:
    """Check this repository's own Python with ruff and mypy."""
    tools = ("celery-types", "mypy", "playwright", "ruff", "types-PyYAML", "types-requests", CLERK_SDK)
    project = install_app(session, *PYTEST, *tools, database="postgresql", jobs="celery")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    sources = os.pathsep.join([str(project), str(HERE / "emulator" / "src")])
    session.run("mypy", env={"MYPYPATH": sources})
    with session.chdir("emulator"):
        session.run("ruff", "check", ".")
        session.run("ruff", "format", "--check", ".")
        for version in (PYTHONS[0], PYTHONS[-1]):
            session.run("mypy", f"--python-version={version}")


@nox.session
def emulator(session: nox.Session) -> None:
    """Test the local Clerk by itself."""
    session.install("-e", "./emulator", *PYTEST, CLERK_SDK)
    with session.chdir("emulator"):
        session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def protocol(session: nox.Session) -> None:
    """Test how a generated project speaks Clerk: conformance, properties, faults.

    A longer run: `-- --hypothesis-profile=nightly`.
    """
    install_app(session, *PYTEST)
    session.run("pytest", "tests/protocol", *FILE_PER_CORE, *session.posargs)


@nox.session
def data(session: nox.Session) -> None:
    """Test that a generated project keeps its rows in step with Clerk: SQLite, PostgreSQL, Celery."""
    install_app(session, *PYTEST, database="postgresql", jobs="celery")
    session.run("pytest", "tests/data", *PARALLEL, *session.posargs)


@nox.session
def template(session: nox.Session) -> None:
    """Render, check and update projects, and run this file with a bare Python."""
    session.install(*PYTEST)
    folders = ("tests/render", "tests/update", "tests/test_noxfile.py")
    session.run("pytest", *folders, *FILE_PER_CORE, *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Run Clerk's own Python and JavaScript clients against the local Clerk."""
    session.install("-e", "./emulator", *PYTEST, CLERK_SDK)
    session.run("pytest", "tests/clients", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Use a generated project in a real Chromium, with Clerk's components and without JavaScript."""
    session.install(*PYTEST, "playwright")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Check that what the documentation names exists: links, files, commands, settings."""
    session.install(*PYTEST)
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session(default=False, python=PYTHONS, download_python="never")
def pythons(session: nox.Session) -> None:
    """Test project and local Clerk with each supported Python that is installed, deprecations as errors."""
    project = install_app(session, *PYTEST, CLERK_SDK)
    with session.chdir(project):
        session.run("pytest", *OUR_WARNINGS)
    session.run("pytest", "tests/protocol", *FILE_PER_CORE, *OUR_WARNINGS)
    with session.chdir("emulator"):
        session.run("pytest", *PARALLEL, *OUR_WARNINGS)


@nox.session(default=False)
def endpoints(session: nox.Session) -> None:
    """Write emulator/ENDPOINTS.md from the requests of the sessions browser and clients."""
    session.install("-e", "./emulator")
    session.run("python", "-m", "tests.docs.endpoints")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Compare the cost of authentication with PyJWT and with Clerk's own SDK. Prints ratios."""
    project = install_app(session, CLERK_SDK, "pytest", "hypothesis")
    with session.chdir(project):
        for script in ("costs.py", "throughput.py", "emulator.py", "sync.py"):
            session.run("python", str(HERE / "tests" / "bench" / script), env={"PYTHONPATH": str(HERE)})


def install_app(session: nox.Session, *packages: str, **answers: str) -> Path:
    """Render a project from the working tree, and install it with its local Clerk.

    :param packages: further packages to install.
    :param answers: to the template's questions; the defaults for the others.
    :returns: the project's folder.
    """
    session.install(COPIER)
    project = Path(session.create_tmp()).resolve() / "project"
    shutil.rmtree(project, ignore_errors=True)
    copy_template(session, project, **answers)
    session.install("-e", str(project), "-e", "./emulator", *packages)
    return project


def copy_template(session: nox.Session, project: Path, **answers: str) -> None:
    """Render a project whose local Clerk is installed from this checkout."""
    answers["clerk_emulator"] = f"clerk-emulator @ {(HERE / 'emulator').as_uri()}"
    data = [f"--data={name}={answer}" for name, answer in answers.items()]
    # Copier's only warning here says that uncommitted changes are included, as they should be.
    session.run(
        *("copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD"),
        *data,
        *(str(HERE), str(project)),
        env={"PYTHONWARNINGS": "ignore"},
    )


def demo_ports(asked: int | None) -> tuple[int, int]:
    """Return the ports of app and local Clerk: as asked, or else from demo/.env, or else 5000."""
    port = asked or int(demo_settings().get("FLASK_RUN_PORT", "5000"))
    return port, port + 1


def demo_settings() -> dict[str, str]:
    """Read the plain `NAME=value` lines of demo/.env."""
    env = DEMO / ".env"
    lines = env.read_text(encoding="utf-8").splitlines() if env.is_file() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def is_taken(port: int) -> bool:
    """Return whether a program listens on this local port, on IPv4 or IPv6."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, port)) == 0:
                return True
    return False


def install_demo(session: nox.Session) -> None:
    """Create demo/.venv as the generated README says: with uv if available, otherwise with pip."""
    session.log("Creating demo/.venv")
    if uv := find_uv():
        commands = [[uv, "sync", "--quiet", f"--python={sys.executable}"]]
    else:
        pip = [str(demo_tool("python")), "-m", "pip", "install", "--quiet"]
        commands = [
            [sys.executable, "-m", "venv", "--upgrade-deps", ".venv"],
            [*pip, "-e", ".", "--group", "dev"],
        ]
    for command in commands:
        if subprocess.run(command, cwd=DEMO, env=demo_environment(), check=False).returncode:
            session.error(f"`{' '.join(command)}` in demo/ failed; the lines above say why.")


def demo_tool(name: str) -> Path:
    """Return the path of a command in the demo's virtual environment."""
    return DEMO / ".venv" / ("Scripts" if os.name == "nt" else "bin") / name


def demo_environment() -> dict[str, str]:
    """Return the environment without variables that point to another virtual environment."""
    misleading = {"VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}
    return {name: value for name, value in os.environ.items() if name not in misleading}


def find_uv() -> str | None:
    """Return the path of uv: nox's own copy, or else from PATH."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ModuleNotFoundError, FileNotFoundError):
        return shutil.which("uv")


def run_demo(session: nox.Session, ports: tuple[int, int], *, once: bool) -> None:
    """Start app and local Clerk, report the first page, and run until Ctrl-C."""
    environment = demo_environment()
    if str(ports[0]) != demo_settings().get("FLASK_RUN_PORT"):
        environment["FLASK_RUN_PORT"] = str(ports[0])
        environment["CLERK_EMULATOR_URL"] = f"http://127.0.0.1:{ports[1]}"
    url = f"http://localhost:{ports[0]}"
    with (
        running([str(demo_tool("flask")), "dev"], environment) as app,
        contextlib.suppress(KeyboardInterrupt),
    ):
        if problem := wait_for_page(url, app):
            session.error(problem)
        print(f"\n  The demo runs at {url}    (first page after {time.time() - STARTED:.1f} s)")
        print("  Sign up with any email address; the code is 424242. Ctrl-C stops it.\n", flush=True)
        if not once and app.wait():
            session.error(f"flask dev ended with code {app.returncode}; its last lines say why.")


def interrupt_on_signals() -> None:
    """Make Ctrl-C, a supervisor's stop and a closed terminal raise KeyboardInterrupt.

    Also Ctrl-C: a process that was started in the background by a shell, as on many CI runners,
    inherits an ignored SIGINT, and so do its children until a handler is set here.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in demo/, and stop it and all its children at the end."""
    # In its own session, so that Ctrl-C reaches it only once, through us.
    process = subprocess.Popen(command, cwd=DEMO, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a process as Ctrl-C would. After STOP_SECONDS, kill it and its children."""
    if os.name == "nt":
        process.terminate()
        process.wait()
        return
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_page(url: str, app: subprocess.Popen[bytes]) -> str | None:
    """Wait until the app serves its first page. Return an error message, or None."""
    # Without a proxy: one from the environment could not reach our localhost.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    last, deadline = "nothing", time.monotonic() + FIRST_PAGE_SECONDS
    while time.monotonic() < deadline:
        if app.poll() is not None:
            return f"flask dev ended with code {app.returncode}; the lines above say why."
        try:
            with opener.open(url, timeout=10):
                return None
        except urllib.error.HTTPError as error:
            return f"The first page of {url} is an error, {error.code} {error.reason}; see above."
        except OSError as error:
            last = str(error)
        time.sleep(0.1)
    return f"No page from {url} within {FIRST_PAGE_SECONDS} s (last: {last})."


if __name__ == "__main__":
    # Nox would otherwise create another environment for the script header above.
    os.environ["NOX_SCRIPT_MODE"] = "none"
    os.environ["NOXFILE_STARTED"] = repr(STARTED)  # nox imports this file once more
    sys.argv[1:1] = ["--noxfile", str(HERE / "noxfile.py")]
    nox.main()
