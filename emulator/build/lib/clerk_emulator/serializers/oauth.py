"""What OAuth applications get to know: of this instance, of a user, of a token."""

from __future__ import annotations

from typing import Any

from ..clerk import LocalClerk
from ..oauth_applications import SCOPES, TOKEN_SECONDS, has_expired
from ..oauth_grants import OFFLINE_ACCESS, Authorization, Tokens
from ..resources import EmailAddress, OAuthAccessToken, OAuthApplication, User
from .json import Json
from .public_users import image_url

DESCRIPTIONS = {
    "profile": "View your profile, such as name and picture",
    "email": "View your email address",
    "public_metadata": "View your public metadata",
    "private_metadata": "View your private metadata",
    "openid": "Know who you are",
    OFFLINE_ACCESS: "Keep access while you are away",
}


def discovery_json(clerk: LocalClerk, base: str) -> Json:
    """What an OAuth or OpenID client has to know of this instance.

    :param base: where browser and application reach it.
    """
    return {
        "issuer": clerk.config.issuer,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/token/revoke",
        "introspection_endpoint": f"{base}/oauth/token_info",
        "userinfo_endpoint": f"{base}/oauth/userinfo",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "email", "name"],
        "code_challenge_methods_supported": ["S256"],
    }


def tokens_json(clerk: LocalClerk, tokens: Tokens) -> Json:
    """The answer of the token endpoint."""
    token = tokens.token
    shown: Json = {
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(token.scopes),
    }
    if tokens.refresh_token is not None:
        shown["refresh_token"] = tokens.refresh_token
    user = clerk.store.get(User, token.subject)
    if "openid" in token.scopes and user is not None:
        shown["id_token"] = clerk.signer.sign_template_token(_id_claims(clerk, user, tokens))
    return shown


def _id_claims(clerk: LocalClerk, user: User, tokens: Tokens) -> Json:
    now = clerk.now // 1000
    claims = _standard_claims(clerk, user, tokens.token.scopes, clerk.config.own_url) | {
        "iss": clerk.config.issuer,
        "aud": tokens.token.client_id,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": tokens.token.id,
    }
    return claims | ({"nonce": tokens.nonce} if tokens.nonce else {})


def user_info_json(clerk: LocalClerk, user: User, token: OAuthAccessToken, base: str) -> Json:
    """What the scopes of a token let an application see of its user."""
    shown = {"object": "oauth_user_info", "instance_id": clerk.config.instance_id}
    more = {
        name: getattr(user, name)
        for name in ("public_metadata", "private_metadata")
        if name in token.scopes
    }
    claims = _standard_claims(clerk, user, token.scopes, base)
    return shown | {"user_id": user.id} | claims | more


def _standard_claims(clerk: LocalClerk, user: User, scopes: list[str], base: str) -> Json:
    claims: dict[str, Any] = {"sub": user.id}
    if "profile" in scopes:
        claims |= {
            "name": user.name,
            "given_name": user.first_name,
            "family_name": user.last_name,
            "username": user.username,
            "preferred_username": user.username,
            "picture": image_url(user, base),
        }
    email = clerk.store.get(EmailAddress, user.primary_email_address_id)
    if "email" in scopes and email is not None:
        claims |= {"email": email.email_address, "email_verified": email.verified}
    return claims


def introspection_json(
    clerk: LocalClerk, application: OAuthApplication, token: OAuthAccessToken | None
) -> Json:
    """What a token is good for (RFC 7662). One of another application is not its business."""
    if token is None or token.client_id != application.client_id:
        return {"active": False}
    if token.revoked or has_expired(clerk, token):
        return {"active": False}
    return {
        "active": True,
        "client_id": token.client_id,
        "sub": token.subject,
        "scope": " ".join(token.scopes),
        "iat": token.created_at // 1000,
        "exp": (token.expiration or 0) // 1000,
        "token_type": "bearer",
    }


def consent_json(wanted: Authorization, domain: str) -> Json:
    """What Clerk's consent component shows.

    :param domain: where the browser will go.
    """
    return {
        "object": "oauth_consent",
        "oauth_application_name": wanted.application.name,
        "oauth_application_logo_url": "",
        "oauth_application_url": "",
        "client_id": wanted.application.client_id,
        "state": wanted.state,
        "redirect_domain": domain,
        "scopes": [
            {"scope": scope, "description": DESCRIPTIONS.get(scope), "requires_consent": True}
            for scope in wanted.scopes
        ],
    }
