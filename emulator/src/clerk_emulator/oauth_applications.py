"""Applications that ask this instance's users for access, and what they got."""

from __future__ import annotations

import secrets

from .api_keys import hash_secret
from .clerk import LocalClerk
from .errors import ClerkError, invalid, missing, not_found
from .resources import OAuthAccessToken, OAuthApplication, OAuthGrant, new_id
from .urls import origin_of

TOKEN_PREFIX = "oat_"  # noqa: S105
TOKEN_SECONDS = 24 * 3600
"""How long an access token is good for."""
SCOPES = ("profile", "email", "public_metadata", "private_metadata", "openid", "offline_access")


def create_oauth_application(
    clerk: LocalClerk,
    name: str,
    redirect_uris: list[str],
    scopes: str,
    *,
    public: bool,
    pkce_required: bool = False,
    consent_screen_enabled: bool = True,
) -> tuple[OAuthApplication, str | None]:
    """Make an application.

    :param public: whether it can keep no secret, such as one that runs in a browser.
    :param pkce_required: whether it must prove that it is the one who asked; a public one always.
    :param consent_screen_enabled: whether users are asked.
    :returns: the application and its client secret, which nobody can read again.
    :raises ClerkError: for a missing name, an unknown scope or a malformed address.
    """
    if not name.strip():
        raise missing("name")
    now = clerk.now
    application = OAuthApplication(
        new_id("oa"),
        now,
        now,
        name=name.strip()[:256],
        client_id=secrets.token_urlsafe(12),
        client_secret_hash="",
        redirect_uris=check_redirect_uris(redirect_uris),
        scopes=check_scopes(scopes),
        public=public,
        pkce_required=pkce_required,
        consent_screen_enabled=consent_screen_enabled,
    )
    clerk.store.put(application)
    return application, None if public else rotate_secret(clerk, application)


def rotate_secret(clerk: LocalClerk, application: OAuthApplication) -> str:
    """Give an application another client secret.

    :raises ClerkError: 400 for a public one, which has none.
    """
    if application.public:
        message = "A public OAuth application has no client secret."
        raise ClerkError("oauth_application_public", message, 400)
    secret = secrets.token_urlsafe(24)
    application.client_secret_hash = hash_secret(secret)
    application.updated_at = clerk.now
    clerk.store.put(application)
    return secret


def check_scopes(scopes: str) -> str:
    """Scopes with one blank between them.

    :raises ClerkError: 422 for one that Clerk does not know.
    """
    wanted = scopes.split()
    if not wanted or not set(wanted) <= set(SCOPES):
        raise invalid("scopes", f"some of {', '.join(SCOPES)}, separated by spaces")
    return " ".join(dict.fromkeys(wanted))


def check_redirect_uris(uris: list[str]) -> list[str]:
    """Where the application may be sent back to: absolute http(s) URLs.

    :raises ClerkError: 422 for anything else.
    """
    for uri in uris:
        if origin_of(uri) is None:
            raise invalid("redirect_uris", "a list of absolute http(s) URLs")
    return uris


def delete_oauth_application(clerk: LocalClerk, application: OAuthApplication) -> None:
    """Forget an application, and what it got."""
    for token in clerk.store.find(OAuthAccessToken):
        if token.client_id == application.client_id:
            clerk.store.delete(token)
    for grant in clerk.store.find(OAuthGrant, client_id=application.client_id):
        clerk.store.delete(grant)
    clerk.store.delete(application)


def issue_access_token(
    clerk: LocalClerk,
    application: OAuthApplication,
    user_id: str,
    scopes: list[str] | None = None,
    seconds: int = TOKEN_SECONDS,
) -> tuple[OAuthAccessToken, str]:
    """An access token, as the application would have it after the user's consent.

    :param scopes: some of the application's; None: all of them.
    :returns: the token and its secret.
    :raises ClerkError: 422 for a scope that the application does not have.
    """
    granted = application.scopes.split() if scopes is None else scopes
    if not set(granted) <= set(application.scopes.split()):
        raise invalid("scopes", "some of the application's scopes")
    return keep_access_token(clerk, application.client_id, user_id, granted, seconds)


def keep_access_token(
    clerk: LocalClerk,
    client_id: str,
    user_id: str,
    scopes: list[str],
    seconds: int = TOKEN_SECONDS,
    grant_id: str = "",
) -> tuple[OAuthAccessToken, str]:
    """Make and keep an access token for what has been allowed already.

    :param seconds: how long it is good for.
    :param grant_id: the consent that it comes from; empty: no user was asked.
    :returns: the token and its secret.
    """
    now = clerk.now
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = OAuthAccessToken(
        new_id("oat"),
        now,
        now,
        client_id=client_id,
        subject=user_id,
        secret_hash=hash_secret(secret),
        scopes=scopes,
        expiration=now + seconds * 1000,
        grant_id=grant_id,
    )
    clerk.store.put(token)
    return token, secret


def has_expired(clerk: LocalClerk, token: OAuthAccessToken) -> bool:
    """Whether a token's time is over."""
    return token.expiration is not None and token.expiration <= clerk.now


def verify_access_token(clerk: LocalClerk, secret: str) -> OAuthAccessToken:
    """The token with that secret.

    :raises ClerkError: 404 for one that is unknown, revoked or expired.
    """
    token = clerk.store.first(OAuthAccessToken, secret_hash=hash_secret(secret))
    if token is None or token.revoked or has_expired(clerk, token):
        raise not_found("OAuth access token")
    return token


def revoke_access_token(clerk: LocalClerk, application: OAuthApplication, secret: str) -> None:
    """Make a token of this application useless.

    :raises ClerkError: 404 for an unknown token, or one of another application.
    """
    token = clerk.store.first(OAuthAccessToken, secret_hash=hash_secret(secret))
    if token is None or token.client_id != application.client_id:
        raise not_found("OAuth access token")
    token.revoked = True
    token.updated_at = clerk.now
    clerk.store.put(token)
