"""``/oauth/…`` and ``/.well-known/…``: this instance as an OAuth and OpenID provider.

Applications call these themselves. Errors have the form of RFC 6749, not Clerk's.
"""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import base_url, current_clerk
from ..errors import ClerkError
from ..oauth_applications import verify_access_token
from ..oauth_grants import (
    OAuthError,
    authenticate_application,
    exchange_code,
    refresh,
    revoke_oauth_token,
)
from ..resources import OAuthAccessToken, OAuthApplication, User
from ..serializers import Json
from ..serializers.oauth import (
    discovery_json,
    introspection_json,
    tokens_json,
    user_info_json,
)

blueprint = Blueprint("oauth_provider", __name__)


@blueprint.errorhandler(OAuthError)
def show_error(error: OAuthError) -> tuple[Json, int, dict[str, str]]:
    """What went wrong, as OAuth clients read it."""
    challenge = "Bearer" if error.code == "invalid_token" else "Basic"
    headers = {"WWW-Authenticate": challenge} if error.status == 401 else {}
    return {"error": error.code, "error_description": error.message}, error.status, headers


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def discover() -> Json:
    """What a client has to know."""
    return discovery_json(current_clerk(), base_url())


@blueprint.post("/oauth/token")
def post_token() -> Json:
    """Exchange a code or a refresh token for an access token."""
    clerk, form = current_clerk(), request.form
    application = _caller()
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        address, verifier = form.get("redirect_uri", ""), form.get("code_verifier", "")
        tokens = exchange_code(clerk, application, form.get("code", ""), address, verifier)
    elif kind == "refresh_token":
        tokens = refresh(clerk, application, form.get("refresh_token", ""))
    else:
        expected = "grant_type must be authorization_code or refresh_token."
        raise OAuthError("unsupported_grant_type", expected)
    return tokens_json(clerk, tokens)


@blueprint.post("/oauth/token/revoke")
def post_revocation() -> Response:
    """Give a token back. Nobody learns whether there was one."""
    application = _caller()
    revoke_oauth_token(current_clerk(), application, request.form.get("token", ""))
    return Response(status=200)


@blueprint.post("/oauth/token_info")
def post_introspection() -> Json:
    """What a token is good for."""
    application = _caller()
    token = _token(request.form.get("token", ""))
    return introspection_json(current_clerk(), application, token)


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def get_user_info() -> Json:
    """Who the user of an access token is."""
    clerk = current_clerk()
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = _token(secret) if scheme.lower() == "bearer" else None
    user = clerk.store.get(User, token.subject) if token else None
    if token is None or user is None:
        raise OAuthError("invalid_token", "The access token is missing, invalid or expired.", 401)
    return user_info_json(clerk, user, token, base_url())


def _caller() -> OAuthApplication:
    """The application that calls, by HTTP Basic or in the form."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        named, secret = basic.username or "", basic.password or ""
    else:
        named, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    return authenticate_application(current_clerk(), named, secret)


def _token(secret: str) -> OAuthAccessToken | None:
    try:
        return verify_access_token(current_clerk(), secret)
    except ClerkError:
        return None
