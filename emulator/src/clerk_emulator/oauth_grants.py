"""What users let OAuth applications do: codes, access tokens and refresh tokens.

The authorization code flow (RFC 6749) with PKCE (RFC 7636), as Clerk offers it to applications.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from .api_keys import hash_secret
from .clerk import LocalClerk
from .errors import ClerkError
from .oauth_applications import keep_access_token
from .resources import (
    OAuthAccessToken,
    OAuthApplication,
    OAuthGrant,
    OAuthRefreshToken,
    User,
    new_id,
)
from .urls import with_query

CODE_MS = 10 * 60_000
OFFLINE_ACCESS = "offline_access"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
NONCE_MAX_LENGTH = 500


class OAuthError(ClerkError):
    """A refusal in the form of RFC 6749. What was stored before stays: codes count as used.

    :param code: such as ``invalid_grant``.
    """

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(code, message, status, keeps_changes=True)


@dataclass(frozen=True)
class Authorization:
    """What an application asks a user for.

    :param redirect_uri: where the browser goes afterwards; one of the application's own.
    """

    application: OAuthApplication
    redirect_uri: str
    state: str
    scopes: list[str]
    code_challenge: str = ""
    nonce: str = ""
    named_redirect_uri: str = ""
    """As the application named it; empty if it relies on having only one."""

    def back(self, **answer: str) -> str:
        """Where the browser goes with this answer."""
        state = {"state": self.state} if self.state else {}
        return with_query(self.redirect_uri, **answer, **state)


@dataclass(frozen=True)
class Tokens:
    """What an application gets. Only here its secrets can be read."""

    token: OAuthAccessToken
    access_token: str
    refresh_token: str | None
    nonce: str


def application_of(clerk: LocalClerk, client_id: str) -> OAuthApplication:
    """The application with that client id.

    :raises OAuthError: ``invalid_client``.
    """
    found = clerk.store.first(OAuthApplication, client_id=client_id) if client_id else None
    if found is None:
        raise OAuthError("invalid_client", "There is no OAuth application with this client_id.")
    return found


def where_to(application: OAuthApplication, wanted: str) -> str:
    """Where the browser may be sent to: exactly one of the application's addresses.

    :raises OAuthError: ``invalid_request``; the browser must not go there.
    """
    only = application.redirect_uris if len(application.redirect_uris) == 1 else []
    if not wanted and only:
        return only[0]
    if wanted not in application.redirect_uris:
        message = "redirect_uri is not one of the OAuth application's redirect URIs."
        raise OAuthError("invalid_request", message)
    return wanted


def read_authorization(clerk: LocalClerk, asked: dict[str, str]) -> Authorization:
    """What a request asks for.

    :raises OAuthError: for an application or address that is none; see :func:`where_to`.
    """
    application = application_of(clerk, asked.get("client_id", ""))
    return Authorization(
        application,
        where_to(application, asked.get("redirect_uri", "")),
        asked.get("state", ""),
        asked.get("scope", "").split() or application.scopes.split(),
        asked.get("code_challenge", ""),
        asked.get("nonce", "")[:NONCE_MAX_LENGTH],
        asked.get("redirect_uri", ""),
    )


def check_authorization(wanted: Authorization, asked: dict[str, str]) -> None:
    """Refuse what the application may not ask for.

    :raises OAuthError: which the application may be told of at its redirect URI.
    """
    if asked.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if not set(wanted.scopes) <= set(wanted.application.scopes.split()):
        raise OAuthError("invalid_scope", "The application may not request this scope.")
    if not wanted.code_challenge:
        if wanted.application.public or wanted.application.pkce_required:
            raise OAuthError("invalid_request", "code_challenge is required for this application.")
    elif asked.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256.")
    elif not CHALLENGE.fullmatch(wanted.code_challenge):
        raise OAuthError("invalid_request", "code_challenge must be 43 characters of base64url.")


def grant_code(clerk: LocalClerk, wanted: Authorization, user: User) -> str:
    """The user agrees: a code that the application can exchange once, within ten minutes."""
    now = clerk.now
    code = secrets.token_urlsafe(32)
    grant = OAuthGrant(
        new_id("oagrant"),
        now,
        now,
        client_id=wanted.application.client_id,
        user_id=user.id,
        redirect_uri=wanted.named_redirect_uri,
        code_hash=hash_secret(code),
        code_expires_at=now + CODE_MS,
        scopes=wanted.scopes,
        code_challenge=wanted.code_challenge,
        nonce=wanted.nonce,
    )
    clerk.store.put(grant)
    return code


def authenticate_application(clerk: LocalClerk, client_id: str, secret: str) -> OAuthApplication:
    """The application that calls. A public one has no secret to show.

    :raises OAuthError: 401 ``invalid_client``.
    """
    found = clerk.store.first(OAuthApplication, client_id=client_id) if client_id else None
    kept = found.client_secret_hash if found else ""
    same = hmac.compare_digest(hash_secret(secret), kept)
    if found is None or not (found.public or same):
        raise OAuthError("invalid_client", "client_id or client_secret is wrong.", 401)
    return found


def exchange_code(
    clerk: LocalClerk, application: OAuthApplication, code: str, redirect_uri: str, verifier: str
) -> Tokens:
    """Take up a consent. Whoever does so twice loses it: somebody has stolen the code.

    :param verifier: what the PKCE challenge was made from.
    :raises OAuthError: ``invalid_grant``.
    """
    grant = clerk.store.first(OAuthGrant, code_hash=hash_secret(code)) if code else None
    if grant is None or grant.client_id != application.client_id:
        raise OAuthError("invalid_grant", "The code was not issued to this application.")
    if grant.is_used:
        revoke_grant(clerk, grant)
        raise OAuthError("invalid_grant", "The code has already been used.")
    grant.is_used = True
    clerk.store.put(grant)
    if grant.code_expires_at <= clerk.now or not _is_proved(grant, redirect_uri, verifier):
        raise OAuthError(
            "invalid_grant", "The code has expired, or its redirect_uri or code_verifier is wrong."
        )
    return _issue(clerk, grant)


def _is_proved(grant: OAuthGrant, redirect_uri: str, verifier: str) -> bool:
    # Who named the address has to name it again (RFC 6749, section 4.1.3).
    if grant.redirect_uri and redirect_uri != grant.redirect_uri:
        return False
    if not grant.code_challenge:
        return not verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(challenge, grant.code_challenge)


def refresh(clerk: LocalClerk, application: OAuthApplication, secret: str) -> Tokens:
    """Another access token, and the next refresh token. One that comes twice was stolen.

    :raises OAuthError: ``invalid_grant``.
    """
    token = (
        clerk.store.first(OAuthRefreshToken, secret_hash=hash_secret(secret)) if secret else None
    )
    grant = clerk.store.get(OAuthGrant, token.grant_id) if token else None
    if token is None or grant is None or grant.client_id != application.client_id:
        raise OAuthError("invalid_grant", "The refresh token was not issued to this application.")
    if token.is_used:
        revoke_grant(clerk, grant)
    if grant.is_revoked:
        raise OAuthError("invalid_grant", "The refresh token has been used or revoked.")
    token.is_used = True
    clerk.store.put(token)
    return _issue(clerk, grant)


def _issue(clerk: LocalClerk, grant: OAuthGrant) -> Tokens:
    if clerk.store.get(User, grant.user_id) is None:
        raise OAuthError("invalid_grant", "The user no longer exists.")
    token, secret = keep_access_token(
        clerk, grant.client_id, grant.user_id, grant.scopes, grant_id=grant.id
    )
    return Tokens(token, secret, _refresh_token(clerk, grant), grant.nonce)


def _refresh_token(clerk: LocalClerk, grant: OAuthGrant) -> str | None:
    if OFFLINE_ACCESS not in grant.scopes:
        return None
    secret = secrets.token_urlsafe(32)
    token = OAuthRefreshToken(new_id("oart"), clerk.now, clerk.now, grant.id, hash_secret(secret))
    clerk.store.put(token)
    return secret


def revoke_grant(clerk: LocalClerk, grant: OAuthGrant) -> None:
    """Make everything useless that a consent has led to."""
    grant.is_revoked = True
    clerk.store.put(grant)
    for token in clerk.store.find(OAuthAccessToken, subject=grant.user_id):
        if token.grant_id == grant.id:
            token.revoked = True
            clerk.store.put(token)


def revoke_oauth_token(clerk: LocalClerk, application: OAuthApplication, secret: str) -> None:
    """Give a token back (RFC 7009); a refresh token takes its access tokens along."""
    hashed = hash_secret(secret)
    token = clerk.store.first(OAuthAccessToken, secret_hash=hashed)
    if token is not None and token.client_id == application.client_id:
        token.revoked = True
        clerk.store.put(token)
    renewal = clerk.store.first(OAuthRefreshToken, secret_hash=hashed)
    grant = clerk.store.get(OAuthGrant, renewal.grant_id) if renewal else None
    if grant is not None and grant.client_id == application.client_id:
        revoke_grant(clerk, grant)
