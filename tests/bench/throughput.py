"""Measure pages per second under gunicorn, with authentication and without. Run by `nox -s bench`.

The servers run at the same time and are measured in turns, so that other load affects them equally.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from tests.signing import LIVE_HOST, Signer, publishable_key

ROUNDS = 8
SECONDS = 1.5
THREADS = "4"

OURS = """
from flask import render_template_string
from app import create_app
from app.clerk import exempt, session_required

app = create_app()
rows = "{% for n in range(100) %}<li>{{ n }}: {{ config.DEBUG }}</li>{% endfor %}"
page = lambda: render_template_string("<!doctype html><ul>" + rows + "</ul>")
app.add_url_rule("/page", "page", session_required(page))
app.add_url_rule("/open", "open", exempt(lambda: page()))
"""

# The same page, behind the check that Clerk's own SDK offers.
OFFICIAL = """
import os
from clerk_backend_api.security import authenticate_request
from clerk_backend_api.security.types import AuthenticateRequestOptions
from flask import abort, render_template_string, request
from app import create_app
from app.clerk import exempt

app = create_app()
rows = "{% for n in range(100) %}<li>{{ n }}: {{ config.DEBUG }}</li>{% endfor %}"
options = AuthenticateRequestOptions(
    secret_key=os.environ["CLERK_SECRET_KEY"],
    jwt_key=os.environ["CLERK_JWT_KEY"],
    authorized_parties=["http://localhost"],
)

@exempt
def page():
    if not authenticate_request(request, options).is_signed_in:
        abort(401)
    return render_template_string("<!doctype html><ul>" + rows + "</ul>")

app.add_url_rule("/official", "official", page)
"""


def serve(code: str, folder: Path, name: str, environ: dict[str, str], stack: ExitStack) -> int:
    """Start gunicorn with this application, and return its port."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    bound = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", THREADS, "--log-level", "error"]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        *bound,
        "--keep-alive",
        "30",
        "--pythonpath",
        str(folder),
        f"{name}:app",
    ]
    process = subprocess.Popen(command, env=environ)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return port
    sys.exit(f"gunicorn did not start on port {port}; its log is above.")


def pages_a_second(port: int, path: str, cookies: str) -> float:
    """Return how many pages per second one browser gets over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": "localhost", "Cookie": cookies, "Accept": "text/html", "Sec-Fetch-Dest": "document"}
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            sys.exit(f"{path} answered {answer.status} {dict(answer.headers)}")
        count += 1
    connection.close()
    return count / (time.perf_counter() - started)


def main() -> None:
    """Measure the servers, and print ratios."""
    signer = Signer(host=LIVE_HOST)
    folder = Path(mkdtemp())
    environ = {
        **os.environ,
        "SECRET_KEY": secrets.token_hex(),
        "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
        "CLERK_SECRET_KEY": "sk_live_bench",
        "CLERK_JWT_KEY": signer.pem,
        "CLERK_AUTHORIZED_PARTIES": "http://localhost",
        "DATABASE_URL": f"sqlite:///{folder / 'bench.db'}",
    }
    with ExitStack() as stack:
        ours = serve(OURS, folder, "bench_ours", environ, stack)
        official = serve(OFFICIAL, folder, "bench_official", environ, stack)
        best = dict.fromkeys(("open", "signed in", "official"), 0.0)
        for _ in range(ROUNDS):
            cookies = f"__session={signer.token()}; __client_uat=1"
            for name, port, path in (
                ("open", ours, "/open"),
                ("signed in", ours, "/page"),
                ("official", official, "/official"),
            ):
                best[name] = max(best[name], pages_a_second(port, path, cookies))
    print(
        f"\nPages a second under gunicorn, as parts of the same page without sign-in ({best['open']:.0f}/s):"
    )
    print(f"  ours                        {best['signed in'] / best['open']:6.2f}   (aim: 0.95)")
    print(f"  Clerk's Python SDK          {best['official'] / best['open']:6.2f}   token check only")


if __name__ == "__main__":
    main()
