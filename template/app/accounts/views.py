"""Sign in, sign up, sign out, profile."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.clerk import (
    BackendApiError,
    admitted_session,
    clerk_of,
    current_session,
    public_origin,
    public_path,
    safe_path,
    session_required,
    unauthenticated_json,
)
from app.security import StaleForm
from app.settings import Settings

from .current import admits_user

blueprint = Blueprint("accounts", __name__)

ADD_ACCOUNT = "add_account"
"""Query parameter that shows the sign-in to signed-in users as well, so they can add an account. If
the instance allows one account per browser, Clerk.js redirects them."""

INTERRUPTED = "interrupted"
"""Query parameter to which rules redirect a form that was sent without being signed in."""

GO_BACK = "use your browser's Back button here to return to what you typed, and send it again"


@blueprint.get("/login", defaults={"step": ""})
@blueprint.get("/login/<path:step>")
def login(step: str) -> ResponseReturnValue:
    """Clerk's sign-in. Clerk.js shows its later steps at the paths below it."""
    return _sign_in_page("accounts/login.html", step, _settings().after_sign_in)


@blueprint.get("/signup", defaults={"step": ""})
@blueprint.get("/signup/<path:step>")
def signup(step: str) -> ResponseReturnValue:
    """Clerk's sign-up. Clerk.js shows its later steps at the paths below it."""
    return _sign_in_page("accounts/signup.html", step, _settings().after_sign_up)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out without JavaScript: end the session in Clerk, and delete its cookies."""
    clerk = clerk_of(current_app)
    session_id = clerk.session_to_end()  # also of a page that was open longer than its token lives
    if session_id:
        try:
            clerk.api.end_session(session_id)
        except BackendApiError as error:
            current_app.logger.error("The session could not be ended: %s", error)
            abort(503, "Clerk can't be reached, so you are still signed in. Please try again.")
    response = redirect(public_path(_settings().after_sign_out))
    clerk.delete_session_cookies(response)
    return response


@blueprint.get("/profile", defaults={"step": ""})
@blueprint.get("/profile/<path:step>")
@session_required
def profile(step: str) -> ResponseReturnValue:
    """Clerk's user profile, where users can also delete their account."""
    return render_template(
        "accounts/profile.html", after_delete=public_path(_settings().after_delete)
    )


@blueprint.get("/api/me")
def me() -> ResponseReturnValue:
    """The IDs of the caller's user, session and active organization, as JSON."""
    session = admitted_session()
    if session is None:
        return unauthenticated_json()
    organization = session.organization
    return {
        "user_id": session.user_id,
        "session_id": session.id,
        "organization_id": organization.id if organization else None,
        "actor_id": session.actor_id,  # who impersonates the user
    }


def _sign_in_page(template: str, step: str, default: str) -> ResponseReturnValue:
    asked = request.args.get("redirect_url") or request.args.get("next")
    target, default = safe_path(asked, public_origin()), public_path(default)
    if asked and target is None:
        # Clerk.js reads the address bar as well, so an unsafe target must not stay there.
        return redirect(public_path(request.path))
    if current_session and not step and ADD_ACCOUNT not in request.args:
        if not admits_user(current_session.user_id):
            abort(403, "Your account has been banned or deleted. Sign out to use another account.")
        if INTERRUPTED in request.args:
            raise StaleForm(f"your session had expired. It is renewed now: {GO_BACK}")
        return redirect(target or default)
    if INTERRUPTED in request.args:
        abort(401, f"Nothing was saved. Sign in in a new tab, then {GO_BACK}.")
    return render_template(template, target=target or default)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
