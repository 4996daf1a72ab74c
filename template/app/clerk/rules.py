"""Rules that views stand under: ``@session_required``, ``@requires(...)``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast, overload

from flask import current_app, g, has_request_context, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, ServiceUnavailable

from .authenticate import bearer_token
from .authorization import Reverification, reverification_of
from .flask_clerk import clerk_of, current_session, public_origin, request_facts, wants_page
from .handshake import clean_location
from .machine_tokens import KINDS, MachineToken, VerificationUnavailableError, kind_of
from .outcome import Outcome
from .redirects import safe_path
from .tokens import TokenError

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Rule:
    """Who may see a view. Use it as a decorator, or without a view as a ``before_request``."""

    accepts: tuple[str, ...] = ("session",)
    accept_pending: bool = False
    wanted: tuple[tuple[str, str], ...] = ()
    """What the session must have, as in :meth:`~.session.Session.has`."""
    reverification: Reverification | None = None

    @overload
    def __call__(self, view: View) -> View: ...

    @overload
    def __call__(self) -> ResponseReturnValue | None: ...

    @overload
    def __call__(self, *, accepts: Collection[str] = ..., accept_pending: bool = ...) -> Rule: ...

    def __call__(
        self,
        view: View | None = None,
        *,
        accepts: Collection[str] | None = None,
        accept_pending: bool | None = None,
    ) -> View | Rule | ResponseReturnValue | None:
        """Guard a view; or, without one, answer whoever may not go on with this request.

        :param accepts: classes of tokens: ``session``, ``api_key``, ``m2m``, ``oauth``.
        :param accept_pending: let in who still has a task to do, such as choosing an organization.
        :raises ValueError: there is no such class of tokens.
        """
        if accept_pending and (self.wanted or self.reverification):
            raise ValueError("A pending session has no rights: requires() cannot accept it.")
        if accepts is not None or accept_pending is not None:
            return replace(
                self,
                accepts=self.accepts if accepts is None else _known(accepts),
                accept_pending=(
                    self.accept_pending if accept_pending is None else bool(accept_pending)
                ),
            )
        if view is not None:
            return self._guard(view)
        if not has_request_context():
            raise TypeError("There is no view. Write the decorator without its parentheses.")
        return self.check()

    def check(self) -> ResponseReturnValue | None:
        """The answer to somebody who may not see this; None: they may."""
        g.clerk_accept_pending = self.accept_pending
        g.clerk_session_used = True  # whatever comes of it, no cache may keep it
        if _authenticate_machine(self.accepts):
            # A machine has no role and no plan: it is let in where sessions need none.
            return None if not self.wanted and not self.reverification else forbidden(self.wanted)
        if "session" not in self.accepts:
            return refused_class()
        if not current_session:
            return unauthenticated()
        if self.wanted and not current_session.has(**dict(self.wanted)):
            return forbidden(self.wanted)
        rule = self.reverification
        if rule and not current_session.has(reverification=rule):
            return reverification_needed(rule)
        return None

    def _guard(self, view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            refusal = self.check()
            if refusal is not None:
                return refusal
            return cast(ResponseReturnValue, current_app.ensure_sync(view)(*args, **kwargs))

        return guarded


session_required = Rule()
"""Let only signed-in people see a view.

Others: a browser is sent to the login page, with a safe way back; an API client gets a 401 in JSON.
Usable bare (``@session_required``), with options (``@session_required(accepts=("session",
"api_key"))``), in ``View.decorators``, and for a whole blueprint:
``blueprint.before_request(session_required)``.
"""


def requires(
    *,
    role: str | None = None,
    permission: str | None = None,
    feature: str | None = None,
    plan: str | None = None,
    reverification: str | Reverification | tuple[str, int] | None = None,
) -> Rule:
    """Let only people see a view who have *all* that is asked for (protocol section 8).

    Who is not signed in is treated as by :data:`session_required`; who lacks something gets a 403.
    Where only the reverification is missing, the 403 makes Clerk.js ask for it.

    :raises ValueError: nothing is asked for, or an unknown reverification.
    """
    asked = {"role": role, "permission": permission, "feature": feature, "plan": plan}
    wanted = tuple((name, value) for name, value in asked.items() if value is not None)
    if (not wanted and reverification is None) or not all(value for _, value in wanted):
        raise ValueError(
            "requires() wants at least one of role, permission, feature, plan and "
            "reverification, and none of them empty."
        )
    rule = None if reverification is None else reverification_of(reverification)
    return Rule(wanted=wanted, reverification=rule)


def unauthenticated() -> ResponseReturnValue:
    """The answer to somebody who is not signed in and has to be."""
    if not wants_page():
        return unauthenticated_json()
    login = url_for(clerk_of(current_app).login_endpoint)
    way_back = safe_path(clean_location(request_facts()), public_origin())
    if not way_back or request.method != "GET":
        return redirect(login)
    return redirect(url_for(clerk_of(current_app).login_endpoint, redirect_url=way_back))


def refused_class() -> ResponseReturnValue:
    """The answer to people, where only programs are let in: signing in would not help them."""
    outcome: Outcome | None = g.get("clerk_outcome")
    if outcome is None or outcome.status == "signed-in":
        g.clerk_outcome = Outcome("signed-out", "token-type-mismatch")
    return unauthenticated_json()


def unauthenticated_json() -> ResponseReturnValue:
    """A 401 in JSON that says why."""
    outcome: Outcome | None = g.get("clerk_outcome")
    reason = (outcome.reason if outcome else "") or "session-pending"
    response = jsonify(error="unauthenticated", reason=reason, message="Sign in to use this.")
    response.status_code = 401
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def forbidden(wanted: tuple[tuple[str, str], ...]) -> ResponseReturnValue:
    """The answer to somebody who is signed in, and lacks something."""
    if wants_page():
        raise Forbidden
    missing = dict(wanted)
    return jsonify(
        error="forbidden", requires=missing, message="Your account may not do this."
    ), 403


def reverification_needed(rule: Reverification) -> ResponseReturnValue:
    """A 403 that Clerk.js understands: it asks for the factors again, and repeats the request."""
    if wants_page():
        raise Forbidden("Prove once more that it is you, then try again.")
    metadata = {"reverification": {"level": rule.level, "afterMinutes": rule.minutes}}
    error = {"type": "forbidden", "reason": "reverification-error", "metadata": metadata}
    return jsonify(clerk_error=error), 403


def _authenticate_machine(accepts: tuple[str, ...]) -> MachineToken | None:
    """Verify a machine token where the view accepts its class (protocol section 9)."""
    if accepts == ("session",):
        return None
    token = bearer_token(request_facts())
    kind = kind_of(token) if token else None
    if kind is None or kind not in accepts:
        return None
    clerk = clerk_of(current_app)
    try:
        machine = clerk.machine_tokens.verify(token, kind, clerk.now())
    except TokenError as error:
        g.clerk_outcome = Outcome("signed-out", error.reason, error.message)
        return None
    except VerificationUnavailableError as error:
        current_app.logger.error("A machine token could not be verified: %s", error)
        raise ServiceUnavailable("This token cannot be verified right now. Try again.") from None
    g.clerk_outcome = Outcome("signed-in")
    g.clerk_machine = machine
    return machine


def _known(accepts: Collection[str]) -> tuple[str, ...]:
    known = ("session", *KINDS)
    if isinstance(accepts, str) or not accepts or not set(accepts) <= set(known):
        raise ValueError(f"accepts={accepts!r}: expected some of {known}, in a tuple.")
    return tuple(accepts)
