"""The handshake: redirect the browser to Clerk, which sends it back with a new session.

Source: https://clerk.com/docs/guides/how-clerk-works/overview
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .backend_api import BackendApi
from .backend_http import BackendApiError, TooManyCallsError
from .cookies import (
    DEV_BROWSER,
    HANDSHAKE,
    HANDSHAKE_NONCE,
    REDIRECT_COUNT,
    SESSION,
    ClerkCookies,
)
from .instance import API_VERSION, Instance
from .lost_cookies import MARKER, mark
from .organization_sync import organization_in_path
from .request import RequestFacts
from .request_state import RequestState
from .tokens import (
    LATEST_TIME,
    TIME_ERRORS,
    FindKey,
    TokenError,
    check_times,
    check_token_class,
    decode_unverified,
    verify_signature,
)

log = logging.getLogger(__name__)

MAX_REDIRECTS = 3
"""Handshakes in a row after which redirecting stops, because the configuration must be wrong."""

RETURN_PARAMETERS = (HANDSHAKE, HANDSHAKE_NONCE, DEV_BROWSER, "__clerk_help")
"""Query parameters that a handshake adds to the page to which it returns."""

REMOVED_BEFORE_HANDSHAKE = (DEV_BROWSER, "__dev_session", HANDSHAKE, HANDSHAKE_NONCE, MARKER)
"""Query parameters that are left over from an earlier handshake."""

REDIRECT_COUNT_LIFETIME = 2
"""Seconds within which two handshakes count as "in a row"."""


class HandshakeError(Exception):
    """A handshake payload can't be used. The message says what to do about it.

    :param reason: Clerk's code, if the payload contains an invalid token.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class HandshakePayload:
    """The cookies that Clerk sends back, and the session token found among them."""

    set_cookies: tuple[str, ...]
    session_token: str
    """Empty if Clerk set no session cookie: the user is signed out."""


def start_handshake(
    request: RequestFacts,
    cookies: ClerkCookies,
    instance: Instance,
    reason: str,
    *,
    session_token: str = "",
    marked: bool = False,
) -> RequestState:
    """Redirect a page load to Clerk for a new session; anything else is signed out.

    :param reason: Clerk's code for the reason, sent as ``X-Clerk-Auth-Reason``.
    :param session_token: the current token, if any, which Clerk renews.
    :param marked: whether Clerk should return the browser to a marked page.
    """
    page = request.location_without(*REMOVED_BEFORE_HANDSHAKE)
    query = {
        "redirect_url": request.origin + (mark(page) if marked else page),
        "__clerk_api_version": API_VERSION,
        "suffixed_cookies": str(cookies.suffixed).lower(),
        "__clerk_hs_reason": reason,
        "format": "nonce",
    }
    if session_token:
        query[SESSION] = session_token
    if instance.is_development and cookies.dev_browser:
        query[DEV_BROWSER] = cookies.dev_browser
    organization = organization_in_path(request.route_path, instance)
    if organization:
        query["organization_id"] = organization[1]
    endpoint = f"{instance.frontend_api_url(request.base)}/v1/client/handshake"
    return redirect_navigation(request, cookies, reason, f"{endpoint}?{urlencode(query)}")


def redirect_navigation(
    request: RequestFacts, cookies: ClerkCookies, reason: str, location: str
) -> RequestState:
    """Redirect a page load, unless it has already been redirected too many times in a row.

    :param location: the absolute URL to redirect to.
    :returns: a signed-out state if the request isn't a page load, or in a redirect loop.
    """
    if not request.is_document_navigation:
        return RequestState("signed-out", reason)
    if cookies.redirect_count >= MAX_REDIRECTS:
        log.error(
            "Clerk handshake: %d redirects in a row (%s). CLERK_PUBLISHABLE_KEY and "
            "CLERK_SECRET_KEY probably belong to different instances; run 'flask clerk doctor'.",
            cookies.redirect_count,
            reason,
        )
        return RequestState("signed-out", reason)
    count = redirect_count_cookie(cookies.redirect_count + 1)
    return RequestState("handshake", reason, location=location, set_cookies=(count,))


def redirect_count_cookie(count: int) -> str:
    """The ``Set-Cookie`` value that counts handshakes in a row."""
    return (
        f"{REDIRECT_COUNT}={count}; Path=/; Max-Age={REDIRECT_COUNT_LIFETIME}; HttpOnly; "
        "SameSite=Lax"
    )


def resolve_handshake(
    cookies: ClerkCookies, instance: Instance, api: BackendApi, find_key: FindKey, now: float
) -> HandshakePayload:
    """Read the payload of a handshake from which a browser returns.

    The payload is either a nonce, to be exchanged at the Backend API, or a signed JWT. The session
    token inside is *not* verified here.

    :param now: Unix time in seconds.
    :raises HandshakeError: the payload can't be fetched, or this instance didn't sign it.
    """
    if cookies.handshake_nonce:
        # In production, a nonce in the URL is unusual, so it must not keep others from signing in.
        is_odd = cookies.nonce_in_query and not instance.is_development
        kind = "odd nonce" if is_odd else "nonce"
        return read_directives(_fetch_directives(cookies.handshake_nonce, kind, api))
    return read_directives(_verify_payload(cookies.handshake, instance, find_key, now))


def read_directives(directives: list[str]) -> HandshakePayload:
    """Find the session token among ``Set-Cookie`` strings.

    :raises HandshakeError: one of the strings is not a valid header value.
    """
    token = ""
    for directive in directives:
        if not all(32 <= ord(character) < 256 for character in directive):
            raise HandshakeError(
                "Clerk's handshake contains a cookie that is not a valid header value."
            )
        name, _, value = directive.partition(";")[0].partition("=")
        if name.strip().startswith(SESSION):
            token = value.strip()
    return HandshakePayload(tuple(directives), token)


def location_without_handshake(request: RequestFacts) -> str:
    """The path and query of the same page, without the parameters that a handshake adds."""
    return request.location_without(*RETURN_PARAMETERS)


def _fetch_directives(nonce: str, kind: str, api: BackendApi) -> list[str]:
    try:
        return api.handshake_payload(nonce, kind)
    except TooManyCallsError:
        raise
    except BackendApiError as error:
        raise HandshakeError(
            # Without Clerk's message, which may contain the nonce.
            f"The handshake could not be fetched ({error.code}). Check CLERK_SECRET_KEY and "
            "CLERK_API_URL with 'flask clerk doctor', clear this site's cookies, and reload the "
            "page."
        ) from None


def _verify_payload(payload: str, instance: Instance, find_key: FindKey, now: float) -> list[str]:
    try:
        decoded = decode_unverified(payload)
        check_token_class(decoded)
        # The same key signs session tokens, in which users may choose some claims. Those always
        # have a subject; a handshake payload never does.
        if "sub" in decoded.claims:
            raise TokenError("token-type-mismatch", "this is a session token")
        verify_signature(payload, decoded.header, find_key)
        _check_validity(decoded.claims, instance, now)
        return _directives_claim(decoded.claims)
    except TokenError as error:
        if error.reason in TIME_ERRORS:
            raise HandshakeError(
                f"Clerk's handshake is not valid at the time of this machine's clock: "
                f"{error.message}. If the page wasn't open for long, set the clock. Then clear "
                "this site's cookies, and open the page again."
            ) from None
        raise HandshakeError(
            f"The handshake is not from this Clerk instance: {error.message} ({error.reason}). "
            "If you have just changed the Clerk keys, clear this site's cookies and reload the "
            "page; otherwise run 'flask clerk doctor' to check that CLERK_PUBLISHABLE_KEY and "
            "CLERK_SECRET_KEY belong to the same instance."
        ) from None


def _check_validity(claims: dict[str, Any], instance: Instance, now: float) -> None:
    """Check a payload's issuer and times, each of which may be absent."""
    if claims.get("iss", instance.issuer) != instance.issuer:
        raise TokenError("token-invalid", "the claim iss names another Clerk instance")
    check_times({"exp": LATEST_TIME} | claims, now, instance.clock_skew)


def _directives_claim(claims: dict[str, Any]) -> list[str]:
    values = claims.get("handshake")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenError("token-invalid", "the claim handshake is not a list of strings")
    return values
