"""Access rules for views: ``@session_required`` and ``@requires(...)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast, overload

from flask import current_app, g, has_request_context, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from werkzeug.exceptions import Forbidden, ServiceUnavailable

from .authenticate import bearer_token
from .authorization import Reverification, reverification_of
from .flask_clerk import admits, admitted_session, clerk_of, has_bearer_token, wants_page
from .flask_request import public_origin, request_facts
from .handshake import location_without_handshake
from .machine_tokens import (
    MACHINE_TOKEN_KINDS,
    MachineToken,
    VerificationUnavailableError,
    machine_token_kind,
)
from .redirects import safe_path
from .renewal import WRONG_PARTY
from .request_state import RequestState
from .tokens import TokenError

View = Callable[..., ResponseReturnValue]

_SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*\Z")  # RFC 6749, section 3.3


@dataclass(frozen=True)
class Rule:
    """A condition for access to a view.

    Use it as a decorator, or pass it to ``before_request`` to protect a whole blueprint.
    """

    accepts: tuple[str, ...] = ("session",)
    """The classes of tokens that the view accepts."""
    accept_pending: bool = False
    """Whether the view accepts sessions whose user still has a task to complete."""
    wanted: tuple[tuple[str, str], ...] = ()
    """Conditions on the session, as the arguments of :meth:`~.session.Session.has`."""
    reverification: Reverification | None = None
    """How recently the user must have verified their identity."""
    scopes: frozenset[str] = frozenset()
    """The scopes that a machine token needs, all of them."""
    allow_impersonation: bool = True
    """Whether the view accepts sessions in which another person acts as the user."""

    def __post_init__(self) -> None:
        if self.accept_pending and (self.wanted or self.reverification):
            raise ValueError(
                "requires() can't accept pending sessions, because they have no permissions."
            )
        if self.scopes and self.accepts == ("session",):
            raise ValueError(
                "Sessions have no scopes. Add the machine tokens that need the scope, such as "
                "session_required(accepts=('session', 'oauth'), scope='invoices:read')."
            )

    @overload
    def __call__(self, view: View) -> View: ...

    @overload
    def __call__(self) -> ResponseReturnValue | None: ...

    @overload
    def __call__(
        self,
        *,
        accepts: Collection[str] = ...,
        accept_pending: bool = ...,
        scope: str = ...,
        allow_impersonation: bool = ...,
    ) -> Rule: ...

    def __call__(
        self,
        view: View | None = None,
        *,
        accepts: Collection[str] | None = None,
        accept_pending: bool | None = None,
        scope: str | None = None,
        allow_impersonation: bool | None = None,
    ) -> View | Rule | ResponseReturnValue | None:
        """Protect a view; without a view, check the current request, as ``before_request`` does.

        With options only, return a rule that has them.

        :param view: the view to protect.
        :param accepts: classes of tokens: ``session``, ``api_key``, ``m2m``, ``oauth``.
        :param accept_pending: also accept a session whose user still has a task to complete, such
            as choosing an organization.
        :param scope: scopes that a machine token needs, all of them, separated by spaces. Sessions
            have permissions instead; see :func:`requires`.
        :param allow_impersonation: False refuses sessions in which another person acts as the user.
        :raises ValueError: ``accepts`` contains an unknown class, a rule with conditions is to
            accept pending sessions, or no class of tokens that ``accepts`` contains has scopes.
        """
        options: dict[str, Any] = {
            "accepts": None if accepts is None else _known_classes(accepts),
            "accept_pending": accept_pending,
            "scopes": None if scope is None else _read_scopes(scope),
            "allow_impersonation": allow_impersonation,
        }
        given = {name: value for name, value in options.items() if value is not None}
        if given:
            return replace(self, **given)
        if view is not None:
            return self._protect(view)
        if not has_request_context():
            raise TypeError(
                "There is no view to protect. Write the decorator without parentheses, or with "
                "options."
            )
        return self.check()

    def check(self) -> ResponseReturnValue | None:
        """Check the current request.

        :returns: the response to a request that is refused, or None if access is granted.
        """
        if is_preflight():
            return preflight_response()
        g.clerk_accept_pending = self.accept_pending
        g.clerk_session_used = True  # so that no shared cache stores the response
        machine = _authenticate_machine(self.accepts)
        if machine:
            return self._check_machine(machine)
        if "session" not in self.accepts:
            return wrong_token_class()
        session = admitted_session()
        if session is None:
            return unauthenticated()
        if session.is_impersonated and not self.allow_impersonation:
            message = "This isn't possible while you act as another user."
            return forbidden({"impersonation": False}, message)
        if self.wanted and not session.has(**dict(self.wanted)):
            return forbidden(dict(self.wanted))
        rule = self.reverification
        if rule and not session.has(reverification=rule):
            return reverification_needed(rule)
        return None

    def _check_machine(self, machine: MachineToken) -> ResponseReturnValue | None:
        # Machine tokens have no roles or plans, so they fail every condition on those.
        if self.wanted or self.reverification:
            return forbidden(dict(self.wanted))
        if self.scopes <= machine.scopes:
            return None
        return forbidden({"scope": " ".join(sorted(self.scopes))})

    def _protect(self, view: View) -> View:
        @wraps(view)
        def protected(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            refusal = self.check()
            if refusal is not None:
                return refusal
            return cast(ResponseReturnValue, current_app.ensure_sync(view)(*args, **kwargs))

        return protected


session_required = Rule()
"""Require a signed-in user.

Otherwise, a browser is redirected to the login page, which leads back to this one after sign-in,
and an API client gets a 401 in JSON. Use it as ``@session_required``, with options as
``@session_required(accepts=("session", "api_key"))``, in ``View.decorators``, or for a whole
blueprint: ``blueprint.before_request(session_required)``.
"""


def requires(
    *,
    role: str | None = None,
    permission: str | None = None,
    feature: str | None = None,
    plan: str | None = None,
    reverification: str | Reverification | tuple[str, int] | None = None,
) -> Rule:
    """Require a signed-in user who meets *all* the given conditions.

    Requests that aren't signed in are handled like in :data:`session_required`. Users who don't
    meet a condition get a 403; if only the reverification fails, the 403 makes Clerk.js ask for it.

    :param role: in the active organization; ``admin`` means the same as ``org:admin``.
    :param permission: in the active organization, such as ``org:invoices:read``.
    :param feature: ``name`` for any scope, or ``org:name`` or ``user:name`` for one.
    :param plan: written like ``feature``.
    :param reverification: one of Clerk's presets, or a level and a number of minutes; see
        :class:`~.authorization.Reverification`.
    :raises ValueError: there is no condition, or one is empty or unknown.
    """
    asked = {"role": role, "permission": permission, "feature": feature, "plan": plan}
    wanted = tuple((name, value) for name, value in asked.items() if value is not None)
    are_names = all(isinstance(value, str) and value for _, value in wanted)
    if (not wanted and reverification is None) or not are_names:
        raise ValueError(
            "requires() needs at least one of role, permission, feature, plan, and "
            "reverification, and each of them must be a name."
        )
    rule = None if reverification is None else reverification_of(reverification)
    return Rule(wanted=wanted, reverification=rule)


def unauthenticated() -> ResponseReturnValue:
    """The response to a request that must be signed in and is not.

    :raises Forbidden: Clerk has signed the browser in, but at an address that isn't listed. From
        the login page, Clerk.js would send it straight back here.
    """
    if not wants_page():
        return unauthenticated_json()
    state: RequestState | None = g.get("clerk_request_state")
    if state is not None and state.reason == WRONG_PARTY:
        advice = f"Add {public_origin()} to CLERK_AUTHORIZED_PARTIES." if current_app.debug else ""
        raise Forbidden(f"You can't sign in at this address. {advice}")
    login_endpoint = clerk_of(current_app).login_endpoint
    if request.method not in ("GET", "HEAD"):
        # The form is never repeated: another person may sign in. But the redirect gives the browser
        # a new token if it only had an old one, and then its Back button restores the form.
        return redirect(url_for(login_endpoint, interrupted=1), 303)
    login = url_for(login_endpoint)
    return_path = safe_path(location_without_handshake(request_facts()), public_origin())
    if not return_path or request.method != "GET":
        return redirect(login)
    return redirect(url_for(login_endpoint, redirect_url=return_path))


def wrong_token_class() -> ResponseReturnValue:
    """The response to a session where only machine tokens are accepted: signing in won't help."""
    state: RequestState | None = g.get("clerk_request_state")
    if state is None or state.status == "signed-in":
        g.clerk_request_state = RequestState("signed-out", "token-type-mismatch")
    return unauthenticated_json()


def unauthenticated_json() -> ResponseReturnValue:
    """A 401 in JSON with the reason."""
    state: RequestState | None = g.get("clerk_request_state")
    reason = (state.reason if state else "") or "session-pending"
    text = "This token isn't valid here." if has_bearer_token() else "Sign in to use this."
    response = jsonify(error="unauthenticated", reason=reason, message=text)
    response.status_code = 401
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def forbidden(missing: Mapping[str, object], message: str | None = None) -> ResponseReturnValue:
    """The response to a user or machine token that lacks something that the rule wants."""
    if wants_page():
        raise Forbidden(message)
    text = "This token may not do this." if "scope" in missing else "Your account may not do this."
    response = jsonify(error="forbidden", requires=missing, message=message or text)
    response.status_code = 403
    if "scope" in missing:  # RFC 6750, section 3.1
        wanted = f'Bearer error="insufficient_scope", scope="{missing["scope"]}"'
        response.headers["WWW-Authenticate"] = wanted
    return response


def reverification_needed(rule: Reverification) -> ResponseReturnValue:
    """A 403 that makes Clerk.js verify the user again and repeat the request.

    Source: https://clerk.com/docs/guides/secure/reverification
    """
    if wants_page():
        raise Forbidden("Verify your identity again, then retry.")
    metadata = {"reverification": {"level": rule.level, "afterMinutes": rule.minutes}}
    error = {"type": "forbidden", "reason": "reverification-error", "metadata": metadata}
    return jsonify(clerk_error=error), 403


def is_preflight() -> bool:
    """Whether a browser asks if a script on another origin may send a request.

    It sends neither cookies nor tokens. Source: https://fetch.spec.whatwg.org/#cors-preflight-request
    """
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight_response() -> ResponseReturnValue | None:
    """Let a preflight pass without running a view that needs a session.

    :returns: None if Flask, or code written for ``OPTIONS``, responds; otherwise the response.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    by_flask = getattr(request.url_rule, "provide_automatic_options", True)
    by_method = issubclass(getattr(view, "view_class", object), MethodView)
    # Flask-CORS's decorator sets the attribute, and responds to OPTIONS itself.
    by_decorator = getattr(view, "provide_automatic_options", None) is False
    if by_flask or by_method or by_decorator:
        return None
    return current_app.make_default_options_response()


def verify_machine_token(token: str, kind: str) -> MachineToken | None:
    """Verify a machine token.

    :param kind: its class, from :func:`~.machine_tokens.machine_token_kind`.
    :returns: None if the token is invalid, or the app refuses its user.
    :raises ServiceUnavailable: Clerk can't be reached.
    """
    clerk = clerk_of(current_app)
    try:
        machine = clerk.machine_tokens.verify(token, kind, clerk.now())
    except TokenError as error:
        g.clerk_request_state = RequestState("signed-out", error.reason, error.message)
        return None
    except VerificationUnavailableError as error:
        current_app.logger.error("A machine token could not be verified: %s", error)
        message = "This token can't be verified right now. Try again."
        raise ServiceUnavailable(message, retry_after=1) from None
    if machine.subject.startswith("user_") and not admits(machine.subject):
        return None
    return machine


def _authenticate_machine(accepts: tuple[str, ...]) -> MachineToken | None:
    """Verify the machine token of a request, if there is one and the view accepts its class."""
    if accepts == ("session",):
        return None
    token = bearer_token(request_facts())
    kind = machine_token_kind(token) if token else None
    if kind is None or kind not in accepts:
        return None
    machine = verify_machine_token(token, kind)
    if machine is not None:
        g.clerk_request_state = RequestState("signed-in")
        g.clerk_machine = machine
    return machine


def _known_classes(accepts: Collection[str]) -> tuple[str, ...]:
    known = ("session", *MACHINE_TOKEN_KINDS)
    if isinstance(accepts, str) or not accepts or not set(accepts) <= set(known):
        raise ValueError(f"accepts={accepts!r}: expected a tuple with one or more of {known}.")
    return tuple(accepts)


def _read_scopes(scope: str) -> frozenset[str]:
    if not isinstance(scope, str) or not _SCOPE.match(scope):
        raise ValueError(f"scope={scope!r}: expected one or more scopes separated by spaces.")
    return frozenset(scope.split(" "))
