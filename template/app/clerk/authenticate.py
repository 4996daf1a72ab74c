"""Decide whether a request is signed in, signed out, or needs a handshake with Clerk.

The steps and their order are those of Clerk's own SDKs. This module doesn't use Flask, the clock,
or the network itself: the caller passes everything in.

Source: https://clerk.com/docs/guides/how-clerk-works/overview
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from . import handshake, lost_cookies, satellites
from .backend_api import BackendApi
from .cookies import (
    DEV_BROWSER,
    HANDSHAKE,
    HANDSHAKE_NONCE,
    handshake_deletions,
    read_cookies,
)
from .instance import Instance
from .machine_tokens import PREFIXES
from .organization_sync import organization_to_activate
from .renewal import (
    WRONG_PARTY,
    Attempt,
    begin_handshake,
    recover_from_error,
    signed_in,
    verify,
)
from .request import RequestFacts
from .request_state import RequestState
from .token_verifier import TokenVerifier
from .tokens import (
    TIME_ERRORS,
    TokenError,
    check_token_class,
    decode_unverified,
    unverified_time,
)

log = logging.getLogger(__name__)

DEVELOPMENT_HANDSHAKE_SKEW = 24 * 3600.0
"""Seconds by which a developer's clock may be off right after a handshake."""

LONGEST_EXPIRED = 7 * 24 * 3600.0
"""Seconds after its expiration for which a session cookie can still be used to sign out.

By default, Clerk ends a session after this time anyway.
"""

RETURN_PARAMETERS = (*handshake.RETURN_PARAMETERS, lost_cookies.MARKER)
"""Query parameters that a marked handshake adds."""


def authenticate(
    request: RequestFacts, instance: Instance, tokens: TokenVerifier, api: BackendApi, now: float
) -> RequestState:
    """Authenticate a request.

    :param request: the relevant parts of the request. None of them is trusted.
    :param instance: the Clerk instance whose tokens are accepted.
    :param tokens: verifies the instance's session tokens.
    :param api: the instance's Backend API, called only for handshake nonces and refreshes.
    :param now: Unix time in seconds.
    :raises handshake.HandshakeError: in development only, if a handshake can't be resolved. The
        keys are probably wrong, and continuing would cause a redirect loop.
    :raises TooManyCallsError: a call is needed, and visitors already cause too many. Whether the
        request is signed in remains unknown.
    """
    cookies = read_cookies(request, instance, now)
    attempt = Attempt(request, cookies, instance, tokens, api, now)
    token = bearer_token(request)
    return _authenticate_header(attempt, token) if token else _authenticate_cookies(attempt)


def bearer_token(request: RequestFacts) -> str:
    """The token in the ``Authorization`` header, with or without ``Bearer``; empty if none."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    if not rest:
        return scheme
    return rest.strip() if scheme.lower() == "bearer" else ""


def session_to_end(
    request: RequestFacts, instance: Instance, tokens: TokenVerifier, now: float
) -> str:
    """The ID of the session that a request's token names, even if the token has expired.

    It is good for ending that session, and for nothing else. The token must be genuine; one in a
    cookie may have been valid up to :data:`LONGEST_EXPIRED` ago, one in the header must be valid.

    :param now: Unix time in seconds.
    :returns: an empty string if the request has no such token.
    """
    bearer = bearer_token(request)
    token = bearer or read_cookies(request, instance, now).session
    try:
        at = now
        if not bearer:
            expires = unverified_time(decode_unverified(token).claims, "exp")
            if expires <= now - LONGEST_EXPIRED:
                return ""
            # As of its last second, so everything but the expiration is checked as usual.
            at = min(now, expires - 1)
        session_id = tokens.verify(token, at, bearer=bool(bearer)).get("sid")
    except TokenError:
        return ""
    return session_id if isinstance(session_id, str) else ""


def _authenticate_header(attempt: Attempt, token: str) -> RequestState:
    if token.startswith(tuple(PREFIXES)):
        return RequestState("signed-out", "token-type-mismatch", "the token is not a session token")
    try:
        return signed_in(token, verify(attempt, token, bearer=True))
    except TokenError as error:
        return recover_from_error(attempt, token, error)


def _authenticate_cookies(attempt: Attempt) -> RequestState:
    """Run the steps in order. The first one that returns a state decides."""
    state = _finish_handshake(attempt) or _check_cookies(attempt)
    return _remove_marker(attempt, state) if lost_cookies.is_marked(attempt.request) else state


def _remove_marker(attempt: Attempt, state: RequestState) -> RequestState:
    """Redirect to the same page without the marker, now that the cookies are there."""
    request, cookies = attempt.request, attempt.cookies
    if state.location or state.cookies_missing or not request.is_document_navigation:
        return state
    if cookies.handshake or cookies.handshake_nonce:
        return state  # whether the browser keeps the cookies shows in its next request
    if _came_from_another_site(attempt):
        return state  # without the marker, another handshake would start
    return state._replace(location=request.location_without(lost_cookies.MARKER))


def _check_cookies(attempt: Attempt) -> RequestState:
    return (
        _sync_domains(attempt)
        or _require_dev_browser(attempt)
        or _require_consistent_cookies(attempt)
        or _verify_session_cookie(attempt)
    )


def _finish_handshake(attempt: Attempt) -> RequestState | None:
    """Read the result of a handshake if the browser has just returned from one.

    Only page loads return from a handshake. Anything else, such as the form that signs a user out,
    ignores a result that was left behind.
    """
    if not attempt.cookies.handshake and not attempt.cookies.handshake_nonce:
        return None
    if not attempt.request.is_document_navigation:
        return None
    try:
        return _resolve_handshake(attempt)
    except handshake.HandshakeError as error:
        if attempt.instance.is_development:
            raise
        # The payload may be meant for another app on the same registrable domain.
        log.warning("%s", error)
        state = _check_cookies(attempt)
        if error.reason == WRONG_PARTY and state.status == "handshake":
            # Clerk would send the same kind of token again.
            return RequestState("signed-out", error.reason, "see the log")
        return state


def _resolve_handshake(attempt: Attempt) -> RequestState:
    payload = handshake.resolve_handshake(
        attempt.cookies, attempt.instance, attempt.api, attempt.tokens.find_key, attempt.now
    )
    set_cookies = payload.set_cookies
    if HANDSHAKE in attempt.request.cookies or HANDSHAKE_NONCE in attempt.request.cookies:
        # Used once: a later request must not sign the browser in again.
        set_cookies += handshake_deletions(attempt.instance)
    location = ""
    if attempt.instance.is_development:
        location = handshake.location_without_handshake(attempt.request)
        if lost_cookies.looks_lost(attempt.request, attempt.cookies):
            location = lost_cookies.mark(attempt.request.location_without(*RETURN_PARAMETERS))
    token = payload.session_token
    if not token:
        return RequestState(
            "signed-out",
            "session-token-missing",
            location=location,
            set_cookies=set_cookies,
        )
    try:
        claims = attempt.tokens.verify(token, attempt.now)
        attempt.tokens.clock_offset = 0.0
    except TokenError as error:
        claims = _verify_despite_clock(attempt, token, error)
    state = signed_in(token, claims, location=location, set_cookies=set_cookies)
    path = attempt.request.route_path
    if location and organization_to_activate(path, state.session, attempt.instance) is not None:
        # Clerk couldn't activate the organization of this page, so don't ask a second time.
        last = handshake.redirect_count_cookie(handshake.MAX_REDIRECTS)
        state = state._replace(set_cookies=(*set_cookies, last))
    return state


def _verify_despite_clock(attempt: Attempt, token: str, error: TokenError) -> dict[str, Any]:
    """In development, accept a new token that seems expired or not yet valid: the clock is wrong.

    :raises handshake.HandshakeError: the token is invalid for another reason, or in production.
    """
    tokens = attempt.tokens
    if attempt.instance.is_development and error.reason in TIME_ERRORS:
        try:
            claims = tokens.verify(token, attempt.now, clock_skew=DEVELOPMENT_HANDSHAKE_SKEW)
        except TokenError as still_invalid:
            error = still_invalid
        else:
            tokens.clock_offset = claims.get("iat", attempt.now) - attempt.now
            log.warning(
                "This machine's clock is about %.0f seconds %s Clerk's (%s). Pages are shown "
                "anyway in development. Set the clock: in production, users could not sign in.",
                abs(tokens.clock_offset),
                "behind" if tokens.clock_offset > 0 else "ahead of",
                error.message,
            )
            return claims
    advice = (
        "Check this machine's clock."
        if error.reason in TIME_ERRORS
        else "Change the setting, or the origin at which the app is opened."
        if error.reason == WRONG_PARTY
        else "If you have just changed the Clerk keys, clear this site's cookies and reload the "
        "page; otherwise run 'flask clerk doctor'."
    )
    raise handshake.HandshakeError(
        f"The session token in Clerk's handshake is not valid: {error.message}. {advice}",
        error.reason,
    ) from None


def _sync_domains(attempt: Attempt) -> RequestState | None:
    """Share the session between a primary domain and its satellites."""
    request, cookies, instance = attempt.request, attempt.cookies, attempt.instance
    if not instance.is_satellite:
        location = satellites.return_location(request, cookies, instance)
        if not location:
            return None
        return handshake.redirect_navigation(
            request, cookies, "primary-responds-to-syncing", location
        )
    needs_sync = satellites.needs_sync(request, cookies, instance)
    if needs_sync is None:
        return None
    if not needs_sync:
        return RequestState("signed-out", "session-token-and-uat-missing")
    if not instance.is_development:
        return begin_handshake(attempt, "satellite-needs-syncing")
    location = satellites.sign_in_location(request, instance)
    return handshake.redirect_navigation(request, cookies, "satellite-needs-syncing", location)


def _require_dev_browser(attempt: Attempt) -> RequestState | None:
    """In development, make sure that the browser has the token by which Clerk identifies it."""
    if not attempt.instance.is_development:
        return None
    if attempt.request.query_value(DEV_BROWSER):
        return begin_handshake(attempt, "dev-browser-sync")
    if not attempt.cookies.dev_browser:
        return begin_handshake(attempt, "dev-browser-missing")
    return None


def _require_consistent_cookies(attempt: Attempt) -> RequestState | None:
    """Compare the session cookie with ``__client_uat``, the time of the last sign-in change."""
    cookies = attempt.cookies
    if cookies.session and cookies.client_uat:
        return None
    if cookies.session:
        return begin_handshake(attempt, "session-token-but-no-client-uat")
    if cookies.client_uat:
        return begin_handshake(attempt, "client-uat-but-no-session-token")
    return RequestState("signed-out", "session-token-and-uat-missing")


def _verify_session_cookie(attempt: Attempt) -> RequestState:
    """Verify the session token, then check whether this page needs a newer or different one."""
    token = attempt.cookies.session
    try:
        decoded = decode_unverified(token)
        check_token_class(decoded)
        if unverified_time(decoded.claims, "iat") < attempt.cookies.client_uat:
            return begin_handshake(attempt, "session-token-iat-before-client-uat")
        claims = verify(attempt, token)
    except TokenError as error:
        return recover_from_error(attempt, token, error)
    if _came_from_another_site(attempt) and not lost_cookies.is_marked(attempt.request):
        return begin_handshake(attempt, "primary-domain-cross-origin-sync")
    state = signed_in(token, claims)
    return _activate_organization(attempt, state) or state


def _came_from_another_site(attempt: Attempt) -> bool:
    """Whether the browser followed a link on another site, where the user may have signed in."""
    request, instance = attempt.request, attempt.instance
    headers = request.headers
    if request.method != "GET" or headers.get("sec-fetch-dest") != "document":
        return False
    if instance.is_satellite:
        return False
    referer = headers.get("referer")
    if not referer or attempt.cookies.redirect_count:
        return False
    try:
        parts = urlsplit(referer)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or f"{parts.scheme}://{parts.netloc}" == request.origin:
        return False
    return not is_clerk_host(host, instance, request.origin)


def is_clerk_host(host: str, instance: Instance, origin: str) -> bool:
    """Whether a host belongs to Clerk for this instance: its Frontend API or Account Portal.

    :param origin: the app's public origin, such as ``https://app.example.com``.
    """
    known = {instance.host, urlsplit(instance.hosted_page_url("", origin)).hostname}
    known.add(urlsplit(instance.frontend_api_url(origin)).hostname)
    return host in known or (instance.is_development and host.endswith(".accounts.dev"))


def _activate_organization(attempt: Attempt, state: RequestState) -> RequestState | None:
    """Start a handshake if the URL belongs to another organization than the active one."""
    request, session = attempt.request, state.session
    if attempt.cookies.redirect_count >= handshake.MAX_REDIRECTS or session is None:
        return None
    wanted = organization_to_activate(request.route_path, session, attempt.instance)
    if wanted is None or not request.is_document_navigation:
        return None
    return begin_handshake(attempt, "active-organization-mismatch")
