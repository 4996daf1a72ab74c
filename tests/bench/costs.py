"""Measure what authentication costs. `nox -s bench` runs this inside a generated project.

The ratios matter. The times in microseconds depend on the machine.
"""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from clerk_backend_api.security import verify_token
from clerk_backend_api.security.types import VerifyTokenOptions
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask

from app import create_app
from app.clerk import exempt
from app.clerk.keys import JwksKeys, read_pem_key
from app.clerk.token_verifier import TokenVerifier
from app.clerk.tokens import TokenError
from tests.signing import LIVE_HOST, Signer, publishable_key

TOKENS = 1000
ROUNDS = 9
FORGED = 100_000


def microseconds(*actions: Callable[[int], object]) -> list[float]:
    """Return the time per call of each action: the best of several rounds, taken in turns.

    The best round is the one least affected by other load, and turns let that affect all actions equally.
    """
    best = [float("inf")] * len(actions)
    for _ in range(ROUNDS):
        for index, action in enumerate(actions):
            started = time.perf_counter()
            for number in range(TOKENS):
                action(number)
            best[index] = min(best[index], time.perf_counter() - started)
    return [seconds / TOKENS * 1e6 for seconds in best]


def session_tokens(signer: Signer, count: int) -> list[str]:
    """Return tokens like those that Clerk makes for a member of an organization."""
    organization = {"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,write", "fpm": "3"}
    rest: dict[str, Any] = {
        "o": organization,
        "fea": "o:invoices",
        "pla": "o:free",
        "fva": [1, -1],
        "sts": "active",
    }
    return [signer.token(sid=f"sess_{number}", **rest) for number in range(count)]


def verification(signer: Signer) -> float:
    """Compare ways to verify a token; return the time of checking its signature alone, in microseconds."""
    key, tokens = read_pem_key(signer.pem), session_tokens(signer, TOKENS)
    signed = [token.rpartition(".") for token in tokens]
    pieces = [(base64.urlsafe_b64decode(s + "=="), body.encode()) for body, _, s in signed]
    options = VerifyTokenOptions(jwt_key=signer.pem)
    padding, digest, no_audience = PKCS1v15(), SHA256(), {"verify_aud": False}
    instance = app_of(signer).extensions["clerk"].instance
    caching = TokenVerifier(instance, lambda _: key)
    caching.verify(tokens[0], time.time())

    def new(number: int) -> object:
        if number == 0:
            forget()
            new.verifier = TokenVerifier(instance, lambda _: key)  # type: ignore[attr-defined]
        return new.verifier.verify(tokens[number], time.time())  # type: ignore[attr-defined]

    bare, prepared, ours, again, official = microseconds(
        lambda n: key.verify(*pieces[n], padding, digest),
        lambda n: jwt.decode(tokens[n], key, algorithms=["RS256"], options=no_audience),
        new,
        lambda _: caching.verify(tokens[0], time.time()),
        lambda n: verify_token(tokens[n], options),
    )
    print(f"One RSA check by cryptography alone: {bare:.0f} µs. Verifying a token, in such checks:")
    print(f"  PyJWT with a prepared key   {prepared / bare:6.2f}")
    print(f"  ours, a new token           {ours / bare:6.2f}   = {ours / prepared:.2f} x PyJWT   (aim: 1.2)")
    print(f"  ours, a repeated token      {again / bare:6.2f}   (aim: under 0.1)")
    print(f"  Clerk's Python SDK          {official / bare:6.2f}   = {official / ours:.2f} x ours")
    return bare


def forget() -> None:
    """Empty the cache of decoded tokens, so that each token counts as new."""
    from app.clerk import tokens

    tokens._decode_recent.cache_clear()


def app_of(signer: Signer) -> Flask:
    """Return the app with production keys, one page that is authenticated, and one that is exempt."""
    environ = {
        "SECRET_KEY": secrets.token_hex(),
        "CLERK_PUBLISHABLE_KEY": publishable_key(LIVE_HOST, "live"),
        "CLERK_SECRET_KEY": "sk_live_bench",
        "CLERK_JWT_KEY": signer.pem,
        "CLERK_AUTHORIZED_PARTIES": "http://localhost",
        "DATABASE_URL": f"sqlite:///{Path(tempfile.mkdtemp()) / 'bench.db'}",
    }
    app = create_app(environ)
    app.add_url_rule("/page", "page", lambda: "page")
    app.add_url_rule("/open", "open", exempt(lambda: "page"))
    return app


def decision(signer: Signer, bare: float) -> None:
    """Compare whole requests, signed in and signed out, at the WSGI level."""
    app = app_of(signer)
    suffix = app.extensions["clerk"].instance.cookie_suffix

    def call(path: str, cookies: str) -> None:
        environ = wsgi_environ(path, cookies)
        b"".join(app.wsgi_app(environ, lambda *_: lambda _: None))

    def cookies(token: str) -> str:
        rest = f"__client_uat=1; __client_uat_{suffix}=1"
        return f"{rest}; __session={token}; __session_{suffix}={token}"

    tokens = session_tokens(signer, TOKENS * ROUNDS + 1)
    fresh = iter(tokens[1:])
    # After sign-out, these two remain: Clerk sets them to 0.
    signed_out_cookies = f"__client_uat=0; __client_uat_{suffix}=0"
    stranger, signed_out, repeated, new, exempted = microseconds(
        lambda _: call("/page", ""),
        lambda _: call("/page", signed_out_cookies),
        lambda _: call("/page", cookies(tokens[0])),
        lambda _: call("/page", cookies(next(fresh))),
        lambda _: call("/open", ""),
    )
    print("\nThe whole decision on a request, in RSA checks beyond the same request")
    print("                              signed out    without any cookie")
    for name, took, aim in (("a repeated token", repeated, 1), ("a new token", new, 5)):
        beyond = [(took - other) / bare for other in (signed_out, stranger)]
        print(f"  {name:26s}{beyond[0]:10.2f}{beyond[1]:18.2f}      (aim: at most {aim})")
    print(f"  (a request without any cookie takes {stranger / bare:.1f} RSA checks in all,")
    print(f"  {exempted / bare:.1f} where nothing is decided)")


def wsgi_environ(path: str, cookies: str) -> dict[str, Any]:
    """Return a browser's request as a WSGI environment."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
        "wsgi.errors": sys.stderr,
        "HTTP_HOST": "localhost",
        **({"HTTP_COOKIE": cookies} if cookies else {}),
        "HTTP_ACCEPT": "text/html,application/xhtml+xml",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate, br",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "HTTP_SEC_FETCH_DEST": "document",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)",
    }


def floods(signer: Signer) -> None:
    """Count how often forged key IDs cause the keys to be fetched."""
    fetches = 0

    def fetch() -> object:
        nonlocal fetches
        fetches += 1
        return signer.jwks

    keys = JwksKeys(fetch)
    keys.find(signer.kid)
    started = time.perf_counter()
    for number in range(FORGED):
        try:
            keys.find(f"forged_{number}")
        except TokenError:
            continue
    took = time.perf_counter() - started
    print(f"\n{FORGED:,} forged key ids in {took:.1f} s: {fetches - 1} fetches (aim: one per cool-down)")


def imports() -> None:
    """Compare import times, in new processes."""

    def seconds(code: str) -> float:
        runs = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            runs.append(time.perf_counter() - started)
        return min(runs)

    nothing = seconds("pass")
    # Everything else that the app imports, so that the difference is what app.clerk adds.
    others = "import flask, flask_login, flask_wtf, flask_bootstrap, flask_alembic, sqlalchemy.orm, dotenv"
    without = seconds(others) - nothing
    ours = seconds(f"{others}; import app.clerk") - nothing - without
    official = seconds(f"{others}; import clerk_backend_api; c = clerk_backend_api.Clerk(bearer_auth='x')")
    official -= nothing + without
    whole = seconds("import app") - nothing
    print("\nImporting, as parts of importing the whole app:")
    print(f"  app.clerk                   {ours / whole:6.2f}   ({ours * 1000:.0f} ms)")
    print(f"  Clerk's Python SDK          {official / whole:6.2f}   = {official / ours:.1f} x app.clerk")


if __name__ == "__main__":
    instance_signer = Signer(host=LIVE_HOST)
    decision(instance_signer, verification(instance_signer))
    floods(instance_signer)
    imports()
