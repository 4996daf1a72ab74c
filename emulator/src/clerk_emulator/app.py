"""The application: everything put together, and the rules that hold for every request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug import Response
from werkzeug.exceptions import HTTPException

from . import avatars, bundles
from .backend_api import backend_api, machine_api
from .clerk import (
    CHOSEN,
    EXTENSION,
    OTHERS,
    Clock,
    LocalClerk,
    current_clerk,
    open_clerk,
    system_clock,
)
from .config import EmulatorConfig, RefusalError, is_loopback
from .control import control_api
from .dashboard import dashboard
from .errors import ClerkError
from .frontend_api import api_keys, frontend_api, oauth_provider
from .hosted import hosted_pages
from .instances import check_distinct
from .origins import allow_the_app, check_origin
from .routes import Route
from .seeds import SeedsError, load_seeds, read_seeds

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_000_000
OVERRIDABLE = ("PATCH", "PUT", "DELETE")
INSTANCES = "/instances/"
SEEDED = "seeded"


class EmulatorApp(Flask):
    """A Flask app whose every request is one transaction: done in full, or not at all."""

    url_rule_class = Route

    def dispatch_request(self) -> ResponseReturnValue:
        with current_clerk().store.transaction():
            try:
                return super().dispatch_request()
            except ClerkError as error:
                if not error.keeps_changes:
                    raise
                failure = error
        raise failure


class MethodOverride:
    """Clerk.js sends only GET and POST; ``POST …?_method=PATCH`` stands for the other methods."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith("/v1/"):
            query = parse_qs(environ.get("QUERY_STRING", ""))
            method = query.get("_method", [""])[0]
            if method in OVERRIDABLE:
                environ["REQUEST_METHOD"] = method
        return self._app(environ, start_response)


class InstancePath:
    """``/instances/<publishable key>/…``: the rest of the path is that instance's own.

    Clerk.js asks for ``//api_keys`` where a proxy's address ends in a slash: one slash is enough.
    """

    def __init__(self, app: WSGIApplication, keys: Iterable[str]) -> None:
        self._app = app
        self._keys = frozenset(keys)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"] = _with_one_slash(environ["PATH_INFO"])
        if path.startswith(INSTANCES):
            key, _, rest = path.removeprefix(INSTANCES).partition("/")
            if key in self._keys:
                environ[CHOSEN] = key
                environ["SCRIPT_NAME"] += f"{INSTANCES}{key}"
                environ["PATH_INFO"] = _with_one_slash(rest)
        return self._app(environ, start_response)


def _with_one_slash(path: str) -> str:
    return f"/{path.lstrip('/')}"


def create_emulator(
    config: EmulatorConfig, clock: Clock = system_clock, others: Sequence[EmulatorConfig] = ()
) -> Flask:
    """A local Clerk as a WSGI application.

    :param config: which instance it is.
    :param clock: returns unix milliseconds.
    :param others: more instances, each below a path of its own.
    :raises RefusalError: if a state file, settings file or seeds file cannot be used.
    """
    check_distinct((config, *others))
    app = EmulatorApp(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = _open(config, clock)
    app.extensions[OTHERS] = [
        _open(replace(other, path_prefix=f"{INSTANCES}{other.publishable_key}"), clock)
        for other in others
    ]
    _register(app)
    keys = [one.publishable_key for one in (config, *others)]
    app.wsgi_app = InstancePath(MethodOverride(app.wsgi_app), keys)  # type: ignore[method-assign]
    return app


def _open(config: EmulatorConfig, clock: Clock) -> LocalClerk:
    """The instance; its first start loads the seeds."""
    clerk = open_clerk(config, clock)
    if config.seeds is not None and clerk.store.setting(SEEDED) is None:
        try:
            with clerk.store.transaction():
                load_seeds(clerk, read_seeds(config.seeds))
                clerk.store.set_setting(SEEDED, "1")
        except SeedsError as error:
            clerk.store.close()
            raise RefusalError(str(error)) from None
    return clerk


def _register(app: Flask) -> None:
    app.register_blueprint(frontend_api, url_prefix="/v1")
    app.register_blueprint(api_keys.blueprint)
    app.register_blueprint(oauth_provider.blueprint)
    app.register_blueprint(backend_api, url_prefix="/api/v1")
    app.register_blueprint(machine_api, url_prefix="/api")
    app.register_blueprint(control_api, url_prefix="/emulator")
    app.register_blueprint(hosted_pages)
    app.register_blueprint(dashboard)
    app.register_blueprint(bundles.blueprint)
    app.register_blueprint(avatars.blueprint)
    app.add_url_rule("/.well-known/jwks.json", "jwks", _jwks)
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.before_request(_refuse_other_sites)
    app.after_request(allow_the_app)
    app.after_request(_forbid_caching)
    app.register_error_handler(ClerkError, _clerk_error)
    app.register_error_handler(HTTPException, _http_error)


def _jwks() -> dict[str, object]:
    return current_clerk().signer.jwks()


def _healthz() -> dict[str, str]:
    return {"status": "ok"}


def _refuse_other_sites() -> tuple[dict[str, object], int] | None:
    """Refuse requests of other sites' pages, in JSON: an error page would set cookies for them."""
    try:
        _check_host()
        check_origin()
    except ClerkError as error:
        return _clerk_error(error)
    return None


def _check_host() -> None:
    """Stop DNS rebinding: refuse foreign names that resolve to this machine."""
    config = current_clerk().config
    trusted = (urlsplit(config.app_url).hostname, *config.trusted_hosts)
    for name in ("Host", "X-Forwarded-Host"):
        value = request.headers.get(name)
        if value is None:
            continue
        host = _host_name(value)
        if not (is_loopback(host) or host in trusted):
            message = (
                f"{name} is {value[:100]!r}. Expected localhost, 127.0.0.1, the app's host, or a "
                "host passed with --trusted-host."
            )
            raise ClerkError("host_invalid", message, 403)


def _host_name(value: str) -> str:
    try:
        return urlsplit(f"//{value.strip()}").hostname or ""
    except ValueError:
        return ""


def _forbid_caching(response: Response) -> Response:
    """Nothing is worth keeping but files: everything else depends on who asks, and when."""
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _clerk_error(error: ClerkError) -> tuple[dict[str, object], int]:
    return error.as_json(), error.status


def _http_error(error: HTTPException) -> Response | tuple[dict[str, object], int]:
    """Errors of Flask itself, in Clerk's shape. What we do not know, we say and log."""
    if error.code in (404, 405):
        path = quote(request.path)
        log.warning("unknown endpoint: %s %s", request.method, path)
        message = f"The local Clerk has no {request.method} {path}."
        return ClerkError("resource_not_found", message, 404).as_json(), 404
    if error.code is None or error.code < 400:
        return error.get_response()
    problem = ClerkError("request_invalid", error.description or error.name, error.code)
    return problem.as_json(), error.code
