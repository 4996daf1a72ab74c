"""``/oauth_applications``: applications that ask users for access, and what they got."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..oauth_applications import (
    TOKEN_SECONDS,
    check_redirect_uris,
    check_scopes,
    create_oauth_application,
    delete_oauth_application,
    issue_access_token,
    revoke_access_token,
    rotate_secret,
)
from ..resources import OAuthApplication
from ..serializers import Json
from ..serializers.machines import oauth_access_token_json, oauth_application_json
from .parameters import (
    flag,
    json_body,
    known,
    listed,
    optional_text,
    required_text,
    text_list,
    whole_number,
)
from .users import known_user

blueprint = Blueprint("oauth_applications", __name__, url_prefix="/oauth_applications")

DEFAULT_SCOPES = "profile email"


@blueprint.get("")
def list_applications() -> Json:
    """Applications, newest first; ``name_query`` is part of the name."""
    clerk = current_clerk()
    part = request.args.get("name_query", "").strip().lower()
    found = [
        application
        for application in clerk.store.find(OAuthApplication, newest_first=True)
        if part in application.name.lower()
    ]
    return listed(found, lambda application: oauth_application_json(clerk, application))


@blueprint.post("")
def post_application() -> Json:
    """Make an application. Its client secret is in the answer."""
    clerk, body = current_clerk(), json_body()
    redirects = text_list(body, "redirect_uris")
    callback = optional_text(body, "callback_url")
    application, secret = create_oauth_application(
        clerk,
        required_text(body, "name"),
        redirects + ([callback] if callback and callback not in redirects else []),
        optional_text(body, "scopes") or DEFAULT_SCOPES,
        public=flag(body, "public"),
        pkce_required=flag(body, "pkce_required"),
        consent_screen_enabled=flag(body, "consent_screen_enabled", True),
    )
    return oauth_application_json(clerk, application, secret)


@blueprint.get("/<id>")
def get_application(id: str) -> Json:
    """One application."""
    return oauth_application_json(current_clerk(), _application(id))


@blueprint.patch("/<id>")
def patch_application(id: str) -> Json:
    """Change an application."""
    clerk, application, body = current_clerk(), _application(id), json_body()
    if body.get("name") is not None:
        application.name = required_text(body, "name").strip()[:256]
    if body.get("redirect_uris") is not None:
        application.redirect_uris = check_redirect_uris(text_list(body, "redirect_uris"))
    if body.get("scopes") is not None:
        application.scopes = check_scopes(required_text(body, "scopes"))
    for name in ("public", "pkce_required", "consent_screen_enabled"):
        setattr(application, name, flag(body, name, getattr(application, name)))
    application.updated_at = clerk.now
    clerk.store.put(application)
    return oauth_application_json(clerk, application)


@blueprint.delete("/<id>")
def delete_application(id: str) -> Json:
    """Forget an application and what it got."""
    delete_oauth_application(current_clerk(), _application(id))
    return {"object": "oauth_application", "id": id, "deleted": True}


@blueprint.post("/<id>/rotate_secret")
def post_rotate_secret(id: str) -> Json:
    """Another client secret; the old one is of no use any more."""
    clerk, application = current_clerk(), _application(id)
    secret = rotate_secret(clerk, application)
    return oauth_application_json(clerk, application, secret)


@blueprint.post("/<id>/revoke_token")
def post_revoke_token(id: str) -> tuple[str, int]:
    """Make an access token of this application useless."""
    clerk, application = current_clerk(), _application(id)
    revoke_access_token(clerk, application, required_text(json_body(), "token"))
    return "", 204


@blueprint.post("/<id>/access_tokens")
def post_access_token(id: str) -> Json:
    """An access token without the user's consent: for tests, and not in Clerk's own API."""
    clerk, application, body = current_clerk(), _application(id), json_body()
    user = known_user(required_text(body, "user_id"))
    scopes = text_list(body, "scopes") if "scopes" in body else None
    seconds = whole_number(body, "seconds_until_expiration", least=1) or TOKEN_SECONDS
    token, secret = issue_access_token(clerk, application, user.id, scopes, seconds)
    return oauth_access_token_json(clerk, token) | {"access_token": secret}


def _application(id: str) -> OAuthApplication:
    return known(OAuthApplication, id, "OAuth application")
