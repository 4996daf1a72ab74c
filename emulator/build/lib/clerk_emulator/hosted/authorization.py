"""``/oauth/authorize`` and ``/oauth-consent``: an application asks for access to one's account."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import base_url, current_clerk
from ..oauth_grants import (
    OFFLINE_ACCESS,
    Authorization,
    OAuthError,
    check_authorization,
    grant_code,
    read_authorization,
)
from ..serializers.oauth import DESCRIPTIONS
from ..session_tasks import session_tasks
from ..urls import host_of, origin_of, with_query
from .csrf import check_form
from .pages import render, signed_in

blueprint = Blueprint("authorization", __name__)

CONSENT = "/oauth-consent"
AUTHORIZE = "/oauth/authorize"


@blueprint.get(AUTHORIZE)
def authorize() -> Response:
    """Sign in first, if need be; then ask, if the application's users are asked."""
    clerk, asked = current_clerk(), request.args.to_dict()
    wanted = read_authorization(clerk, asked)
    try:
        check_authorization(wanted, asked)
    except OAuthError as error:
        return redirect(wanted.back(error=error.code, error_description=error.message), 302)
    silent = asked.get("prompt") == "none"
    if _is_elsewhere():
        return _refuse(wanted, "login_required") if silent else _sign_in_first()
    current = signed_in()
    if current is not None and not wanted.application.consent_screen_enabled:
        return redirect(wanted.back(code=grant_code(clerk, wanted, current[1])), 302)
    if silent:
        return _refuse(wanted, "consent_required")
    return redirect(_again(CONSENT), 302)


@blueprint.get(CONSENT)
def show() -> Response:
    """What the application wants."""
    return _sign_in_first() if _is_elsewhere() else _page(_wanted())


@blueprint.post(CONSENT)
def decide() -> Response:
    """Back to the application: with a code, or with a refusal."""
    check_form()
    wanted, current = _wanted(), signed_in()
    if current is None or _is_elsewhere():
        return _sign_in_first()
    if request.form.get("consented") != "true":
        return _refuse(wanted, "access_denied")
    return redirect(wanted.back(code=grant_code(current_clerk(), wanted, current[1])), 303)


def _wanted() -> Authorization:
    asked = request.args.to_dict()
    wanted = read_authorization(current_clerk(), asked)
    check_authorization(wanted, asked)
    return wanted


def _is_elsewhere() -> bool:
    """Whether nobody is signed in, or has something left to do before that counts."""
    current = signed_in()
    return current is None or bool(session_tasks(current_clerk(), *current))


def _sign_in_first() -> Response:
    return redirect(with_query(f"{base_url()}/sign-in", redirect_url=_again(AUTHORIZE)), 302)


def _again(path: str) -> str:
    """The same request at another page of ours."""
    return with_query(f"{base_url()}{path}", **request.args.to_dict())


def _refuse(wanted: Authorization, code: str) -> Response:
    return redirect(wanted.back(error=code), 303)


def _page(wanted: Authorization) -> Response:
    response = render(
        "oauth_consent.html",
        action=_again(CONSENT),
        application=wanted.application.name,
        domain=host_of(wanted.redirect_uri),
        scopes=[DESCRIPTIONS[scope] for scope in wanted.scopes if scope != OFFLINE_ACCESS],
        is_lasting=OFFLINE_ACCESS in wanted.scopes,
    )
    # Browsers hold the form to this rule also where it is sent on to.
    policy = response.headers["Content-Security-Policy"]
    allowed = f"form-action 'self' {origin_of(wanted.redirect_uri)}"
    response.headers["Content-Security-Policy"] = policy.replace("form-action 'self'", allowed)
    return response
