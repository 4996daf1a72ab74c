"""Get a new session token: by a refresh, server to server, or by a handshake in the browser.

Source: https://clerk.com/docs/guides/how-clerk-works/overview
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from . import handshake, lost_cookies
from .backend_api import BackendApi
from .backend_http import BackendApiError, TooManyCallsError
from .cookies import ClerkCookies
from .headers import headers_for_clerk
from .instance import Instance
from .request import RequestFacts
from .request_state import RequestState
from .session import read_session
from .token_verifier import TokenVerifier
from .tokens import TIME_ERRORS, TokenError, decode_unverified

log = logging.getLogger(__name__)

DEVELOPMENT_SKEW = 30.0
"""Seconds of tolerance once a handshake has shown by how much a developer's clock is off."""

WRONG_PARTY = "token-invalid-authorized-parties"
"""The reason for rejecting a token that was issued for another site, or for none."""

HANDSHAKE_REASONS = {
    "token-expired": "session-token-expired-refresh-{why}",
    "token-not-active-yet": "session-token-nbf",
    "token-iat-in-the-future": "session-token-iat-in-the-future",
}
"""Verification errors that a new token can fix, and the reason to give for the handshake."""


class Attempt(NamedTuple):
    """One request, with everything needed to authenticate it."""

    request: RequestFacts
    cookies: ClerkCookies
    instance: Instance
    tokens: TokenVerifier
    api: BackendApi
    now: float


def recover_from_error(attempt: Attempt, token: str, error: TokenError) -> RequestState:
    """Get a new token if that can fix the error: by a refresh if possible, else by a handshake."""
    reason = HANDSHAKE_REASONS.get(error.reason)
    if error.reason == WRONG_PARTY:
        log.warning("A session token was refused: %s.", error.message)
    if not reason:
        return RequestState("signed-out", error.reason, error.message)
    why = ""
    if error.reason == "token-expired":
        refreshed = _refresh_session(attempt, token)
        if isinstance(refreshed, RequestState):
            return refreshed
        why = refreshed
    return begin_handshake(attempt, reason.format(why=why), token)


def _refresh_session(attempt: Attempt, token: str) -> RequestState | str:
    """Exchange an expired token for a new one, server to server.

    :returns: the signed-in state, or Clerk's code for the reason why no refresh was possible.
    """
    request, cookies = attempt.request, attempt.cookies
    if request.method != "GET":
        return "non-eligible-non-get"
    if not cookies.refresh:
        return "non-eligible-no-refresh-cookie"
    session_id = decode_unverified(token).claims.get("sid")
    if not isinstance(session_id, str) or not session_id:
        return "expired-session-token-missing-sid-claim"
    headers = headers_for_clerk(request.headers.items())
    body = {
        "expired_token": token,
        "refresh_token": cookies.refresh,
        "request_origin": request.origin,
        "request_headers": {name: [value] for name, value in headers.items()},
        "suffixed_cookies": cookies.suffixed,
        "format": "cookie",
    }
    try:
        set_cookies = attempt.api.refresh_session(session_id, body)
        payload = handshake.read_directives(set_cookies)
        claims = verify(attempt, payload.session_token)
    except TooManyCallsError as error:
        if not request.is_document_navigation:
            raise
        return error.code  # so the browser asks Clerk itself, by a handshake
    except BackendApiError as error:
        return error.code
    except (handshake.HandshakeError, TokenError):
        return "invalid-session-token"
    return signed_in(payload.session_token, claims, set_cookies=payload.set_cookies)


def begin_handshake(attempt: Attempt, reason: str, token: str = "") -> RequestState:
    """Redirect a page load to Clerk for a new session, unless its handshakes have no effect.

    :param reason: Clerk's code for the reason.
    :param token: the current token, if it isn't the one in the session cookie.
    """
    request, cookies, instance = attempt.request, attempt.cookies, attempt.instance
    if not request.is_document_navigation:
        return RequestState("signed-out", reason)
    is_marked = lost_cookies.is_marked(request)
    if is_marked and reason not in lost_cookies.UNRELATED_REASONS:
        return _stop_handshakes(attempt, reason)
    repeated = attempt.tokens.recent_handshakes.count(request, cookies, attempt.now)
    marked = lost_cookies.should_mark(request, cookies, instance, reason, repeated)
    token = token or cookies.session
    return handshake.start_handshake(
        request, cookies, instance, reason, session_token=token, marked=marked
    )


def _stop_handshakes(attempt: Attempt, reason: str) -> RequestState:
    """End a row of handshakes that doesn't bring the browser the cookies it needs."""
    if attempt.cookies.handshake or attempt.cookies.handshake_nonce:
        log.error("Clerk's handshakes arrive, but can't be used (%s); see the error above.", reason)
        return RequestState("signed-out", reason)
    log.warning("A browser doesn't keep Clerk's cookies (%s), so it can't be signed in.", reason)
    return RequestState("signed-out", reason, "Clerk's cookies are missing", cookies_missing=True)


def verify(attempt: Attempt, token: str, *, bearer: bool = False) -> dict[str, Any]:
    """Verify a session token by Clerk's clock, as far as it is known, and return its claims.

    :raises TokenError: see :func:`~.tokens.verify_session_token`.
    """
    tokens = attempt.tokens
    try:
        return tokens.verify(token, attempt.now, bearer=bearer)
    except TokenError as error:
        if not tokens.clock_offset or error.reason not in TIME_ERRORS:
            raise
        now = attempt.now + tokens.clock_offset
        return tokens.verify(token, now, clock_skew=DEVELOPMENT_SKEW, bearer=bearer)


def signed_in(
    token: str, claims: dict[str, Any], location: str = "", set_cookies: tuple[str, ...] = ()
) -> RequestState:
    """The state of a request with a verified token."""
    session = read_session(token, claims)
    return RequestState("signed-in", session=session, location=location, set_cookies=set_cookies)
