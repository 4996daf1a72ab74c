"""Sign in, sign up, sign out, profile."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.clerk import (
    BackendApiError,
    clerk_of,
    current_session,
    public_origin,
    safe_path,
    session_required,
    unauthenticated_json,
)
from app.clerk.cookies import SESSION
from app.settings import Settings

blueprint = Blueprint("accounts", __name__)

ADD_ACCOUNT = "add_account"
"""The query parameter by which the signed-in see the sign-in, too. Clerk.js itself sends them on
where a browser may have one account only."""


@blueprint.get("/login", defaults={"step": ""})
@blueprint.get("/login/<path:step>")
def login(step: str) -> ResponseReturnValue:
    """Clerk's sign-in; the steps below it are Clerk.js's own pages."""
    return _entrance("accounts/login.html", step, _settings().after_sign_in)


@blueprint.get("/signup", defaults={"step": ""})
@blueprint.get("/signup/<path:step>")
def signup(step: str) -> ResponseReturnValue:
    """Clerk's sign-up; the steps below it are Clerk.js's own pages."""
    return _entrance("accounts/signup.html", step, _settings().after_sign_up)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out, without JavaScript: end the session at Clerk, and drop the token."""
    if current_session:
        try:
            clerk_of(current_app).api.revoke_session(current_session.id)
        except BackendApiError as error:
            if error.status not in (400, 404):  # those: it has ended already
                current_app.logger.error("Nobody was signed out: %s", error)
                abort(503, "Clerk cannot be reached, so you are still signed in. Try again.")
    response = redirect(_settings().after_sign_out)
    suffix = clerk_of(current_app).instance.cookie_suffix
    for name in (SESSION, f"{SESSION}_{suffix}"):
        response.delete_cookie(name)
    return response


@blueprint.get("/profile", defaults={"step": ""})
@blueprint.get("/profile/<path:step>")
@session_required
def profile(step: str) -> ResponseReturnValue:
    """Clerk's user profile, where people also delete their account."""
    return render_template("accounts/profile.html", after_delete=_settings().after_delete)


@blueprint.get("/api/me")
def me() -> ResponseReturnValue:
    """Who is asking, for scripts and apps."""
    if not current_session:
        return unauthenticated_json()
    organization = current_session.organization
    return {
        "user_id": current_session.user_id,
        "session_id": current_session.id,
        "organization_id": organization.id if organization else None,
    }


def _entrance(template: str, step: str, default: str) -> ResponseReturnValue:
    asked = request.args.get("redirect_url") or request.args.get("next")
    target = safe_path(asked, public_origin())
    if asked and target is None:
        # Clerk.js reads the address bar as well: a bad target must not stay there.
        return redirect(request.path)
    if current_session and not step and ADD_ACCOUNT not in request.args:
        return redirect(target or default)
    return render_template(template, target=target or default)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
