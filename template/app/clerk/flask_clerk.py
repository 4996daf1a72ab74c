"""The Flask extension: authenticates each request and completes its response."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response as BaseResponse

from .authenticate import authenticate, bearer_token, session_to_end
from .backend_api import BackendApi
from .backend_http import TooManyCallsError
from .cookies import sign_out_cookies
from .flask_request import CookiesOnce, current_environ, public_origin, public_path, request_facts
from .frontend_proxy import frontend_proxy
from .handshake import HandshakeError
from .instance import Instance
from .keys import JwksKeys, read_pem_key
from .local_keys import guard_local_keys
from .log_redaction import redact_logs
from .lost_cookies import MARKER, is_insecure
from .machine_tokens import MachineToken, MachineTokens
from .request_state import RequestState
from .session import Session
from .token_verifier import TokenVerifier
from .tokens import FindKey

R = TypeVar("R")

EXEMPT = "_clerk_exempt"


class Clerk:
    """The Flask extension.

    :param app: the application to initialize now; without it, call :meth:`init_app` later.
    :param instance: the Clerk instance; required together with ``app``.
    """

    admits: Callable[[str], bool] | None = None
    """Decides, by user ID, whether the app accepts a user with a valid token. None accepts all."""

    def __init__(self, app: Flask | None = None, instance: Instance | None = None) -> None:
        if app is not None and instance is not None:
            self.init_app(app, instance)

    def init_app(
        self,
        app: Flask,
        instance: Instance,
        *,
        login_endpoint: str = "accounts.login",
        page_settings: Mapping[str, str | bool] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Register on an application.

        :param app: the application.
        :param instance: the Clerk instance whose tokens are accepted.
        :param login_endpoint: the view to which ``@session_required`` redirects browsers.
        :param page_settings: options for ``Clerk.load()`` in pages, such as ``signInUrl``.
        :param clock: returns Unix time in seconds.
        :raises ConfigurationError: ``CLERK_JWT_KEY`` is not a public key.
        """
        redact_logs()
        self.instance = instance
        self.api = BackendApi(instance, current_request=current_environ)
        self._exempt: dict[str | None, bool] = {}  # by endpoint, filled as requests arrive
        self.login_endpoint = login_endpoint
        self.page_settings = dict(page_settings or {})
        if not instance.sends_telemetry:
            self.page_settings["telemetry"] = False
        self.now = clock
        self.tokens = TokenVerifier(instance, _key_finder(instance, self.api))
        self.machine_tokens = MachineTokens(
            self.api,
            self.tokens.find_key,
            instance.issuer,
            lifetime=instance.machine_token_lifetime,
            clock_skew=instance.clock_skew,
        )
        app.extensions["clerk"] = self
        app.request_class = type("Request", (CookiesOnce, app.request_class), {})
        guard_local_keys(app, instance)
        app.register_error_handler(TooManyCallsError, _too_many_calls)
        app.before_request(self._before_request)
        if instance.has_organization_pages:
            from .organization_gate import check_organization  # it imports this module

            app.before_request(check_organization)
        app.after_request(_after_request)
        app.register_blueprint(_pages(self))
        if "*" in instance.satellite_origins:
            app.logger.warning(
                "CLERK_SATELLITE_ORIGINS is *, so any site can obtain the tokens of this app's "
                "development browsers. List the satellites' origins instead."
            )
        if instance.proxy_target and instance.proxy_url.startswith("/"):
            app.register_blueprint(exempt(frontend_proxy(instance)))

    def authenticate(self) -> RequestState:
        """Authenticate the current request.

        :raises HandshakeError: see :func:`~.authenticate.authenticate`.
        """
        return authenticate(request_facts(), self.instance, self.tokens, self.api, self.now())

    def session_to_end(self) -> str:
        """The ID of the session that a sign-out must end, even if its token has expired meanwhile.

        :returns: an empty string if the request has no genuine session token.
        """
        return session_to_end(request_facts(), self.instance, self.tokens, self.now())

    def delete_session_cookies(self, response: BaseResponse) -> None:
        """Delete every cookie by which the browser could be signed in again."""
        for cookie in sign_out_cookies(self.instance):
            response.headers.add("Set-Cookie", cookie)

    def is_exempt(self, endpoint: str | None) -> bool:
        """Whether requests to the endpoint, that of the current request, aren't authenticated."""
        exempted = self._exempt.get(endpoint)
        if exempted is None:
            exempted = self._exempt[endpoint] = _is_exempt()
        return exempted

    def _before_request(self) -> ResponseReturnValue | None:
        if self.is_exempt(request.endpoint):
            return None
        try:
            g.clerk_request_state = state = self.authenticate()
        except HandshakeError as error:
            current_app.logger.error("%s", error)
            page = render_template("clerk/handshake_error.html", message=str(error))
            return page, 500, {"Cache-Control": "no-store"}
        if state.cookies_missing:
            return _explain_missing_cookies(state, self.instance)
        if not state.location:
            return None
        return Response(status=307, headers={"Location": state.location})


def exempt(target: R) -> R:
    """Don't authenticate requests to a view or blueprint, such as health checks and webhooks.

    Usable as a decorator. ``current_session`` is always false in exempt views.

    :param target: a view function or a :class:`~flask.Blueprint`.
    """
    setattr(target, EXEMPT, True)
    return target


def wants_page() -> bool:
    """Whether the client expects a page (a browser) rather than data (an API client)."""
    if has_bearer_token():
        return False
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination in ("document", "iframe")
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def _current_session() -> Session | None:
    if not has_request_context() or "clerk" not in current_app.extensions:
        raise RuntimeError(
            "current_session was used outside of a request, or in an application without Clerk. "
            "Use it while a request is handled, after calling clerk.init_app(app, instance)."
        )
    state: RequestState | None = g.get("clerk_request_state")
    g.clerk_session_used = True
    session = state.session if state else None
    if session is None or (session.is_pending and not g.get("clerk_accept_pending")):
        return None
    return session


current_session = cast(Session, LocalProxy(_current_session))
"""The :class:`~.session.Session` of the current request.

False if the request is not signed in, and always in exempt views. It is what Clerk says, without a
query: true also for a user whom this app has marked as banned or deleted. Protect views with a
rule such as ``@session_required``, or check ``current_user``.
"""


def admitted_session() -> Session | None:
    """The current session, or None if there is none or :attr:`Clerk.admits` refuses its user."""
    session = _current_session()
    return session if session is not None and admits(session.user_id) else None


def admits(user_id: str) -> bool:
    """Whether the app accepts a user whose token is valid; if not, the request is signed out."""
    decide = clerk_of(current_app).admits
    if decide is None or decide(user_id):
        return True
    state: RequestState | None = g.get("clerk_request_state")
    g.clerk_request_state = RequestState(
        "signed-out",
        "user-not-admitted",
        "this app has marked the user as deleted or banned",
        set_cookies=state.set_cookies if state else (),
    )
    return False


def session_user_id() -> str | None:
    """The user ID of the current session, even a pending one; empty if signed out.

    None in exempt views, where it is unknown.
    """
    state: RequestState | None = g.get("clerk_request_state")
    if state is None:
        return None
    return state.session.user_id if state.session else ""


def _current_machine() -> MachineToken | None:
    machine: MachineToken | None = g.get("clerk_machine")
    g.clerk_session_used = True
    return machine


current_machine = cast(MachineToken, LocalProxy(_current_machine))
"""The verified :class:`~.machine_tokens.MachineToken` of the request; false if there is none."""


def clerk_of(app: Flask) -> Clerk:
    """The :class:`Clerk` extension of an application."""
    return cast(Clerk, app.extensions["clerk"])


def has_bearer_token() -> bool:
    """Whether the request carries a token in its ``Authorization`` header."""
    return bool(bearer_token(request_facts()))


def _key_finder(instance: Instance, api: BackendApi) -> FindKey:
    if not instance.jwt_key:
        return JwksKeys(api.jwks).find
    key = read_pem_key(instance.jwt_key)
    return lambda kid: key


def _pages(clerk: Clerk) -> Blueprint:
    """The blueprint with the templates and scripts that load Clerk.js."""
    blueprint = Blueprint(
        "clerk",
        __name__,
        static_folder="static",
        static_url_path="/static/clerk",
        template_folder="templates",
    )

    def page_facts() -> dict[str, Any]:
        instance, base = clerk.instance, public_origin() + public_path("")
        return {
            "publishable_key": instance.publishable_key,
            "frontend_api_url": instance.frontend_api_url(base),
            "proxied": bool(instance.proxy_url),
            "settings": {name: _public_value(value) for name, value in clerk.page_settings.items()},
            "hosted_page_url": lambda page, then: instance.hosted_page_url(page, base, then),
        }

    # Globals rather than a context processor, because imported macros see only globals.
    blueprint.add_app_template_global(page_facts, "clerk_page")
    blueprint.record_once(
        lambda state: state.app.jinja_env.globals.update(current_session=current_session)
    )
    return blueprint


def _public_value(value: str | bool) -> str | bool:
    is_path = isinstance(value, str) and value.startswith("/")
    return public_path(str(value)) if is_path else value


def _explain_missing_cookies(state: RequestState, instance: Instance) -> ResponseReturnValue:
    facts = request_facts()
    page = render_template(
        "clerk/cookies_missing.html",
        location=facts.location_without(MARKER),
        reason=state.reason,
        is_development=instance.is_development,
        insecure=is_insecure(facts, instance),
    )
    return page, 400, {"Cache-Control": "no-store"}


def _too_many_calls(error: TooManyCallsError) -> ResponseReturnValue:
    message = "Too many visitors are waiting for Clerk. Please try again in a moment."
    unavailable = ServiceUnavailable(message, retry_after=error.retry_after)
    return current_app.handle_user_exception(unavailable)


def _is_exempt() -> bool:
    endpoint = request.endpoint or ""
    if endpoint == "static" or endpoint.endswith(".static"):
        return True
    if hasattr(current_app.view_functions.get(endpoint), EXEMPT):
        return True
    return any(hasattr(current_app.blueprints[name], EXEMPT) for name in request.blueprints)


def _after_request(response: Response) -> Response:
    state: RequestState | None = g.get("clerk_request_state")
    if state is None:
        return response
    headers = response.headers
    headers["X-Clerk-Auth-Status"] = state.status
    if state.reason:
        headers["X-Clerk-Auth-Reason"] = state.reason
    if state.message:
        headers["X-Clerk-Auth-Message"] = state.message
    for cookie in state.set_cookies:
        headers.add("Set-Cookie", cookie)
    if state.location:
        headers["Cache-Control"] = "no-store"
    elif state.set_cookies or g.get("clerk_session_used"):
        headers["Cache-Control"] = "private, no-store"
        if "Vary" in headers:
            response.vary.update(("Cookie", "Authorization"))
        else:
            headers["Vary"] = "Cookie, Authorization"
    return response
