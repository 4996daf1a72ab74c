"""The handshake: ask Clerk for a fresh session by way of the browser (protocol section 6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .backend_api import BackendApi, BackendApiError
from .cookies import (
    DEV_BROWSER,
    HANDSHAKE,
    HANDSHAKE_NONCE,
    REDIRECT_COUNT,
    SESSION,
    ClerkCookies,
)
from .instance import API_VERSION, Instance
from .organizations import organization_of
from .outcome import Outcome
from .request import RequestFacts
from .tokens import FindKey, TokenError, check_token_class, decode_unverified, verify_signature

log = logging.getLogger(__name__)

MAX_REDIRECTS = 3
"""Handshakes in a row before we stop: something is configured wrongly."""

REDIRECT_COUNT_LIFETIME = 2
"""Seconds within which handshakes count as 'in a row'."""


class HandshakeError(Exception):
    """A handshake payload cannot be used. The message says what to do about it."""


@dataclass(frozen=True)
class Payload:
    """What Clerk sends back: cookies, and the session token among them."""

    set_cookies: tuple[str, ...]
    session_token: str


def ask(
    request: RequestFacts,
    cookies: ClerkCookies,
    instance: Instance,
    reason: str,
    *,
    session_token: str = "",
) -> Outcome:
    """Send the browser to Clerk and back, where that is possible, else: signed out.

    :param reason: why; becomes ``X-Clerk-Auth-Reason``.
    :param session_token: the token at hand, which Clerk renews.
    """
    query = {
        "redirect_url": request.origin + request.location_without(DEV_BROWSER, "__dev_session"),
        "__clerk_api_version": API_VERSION,
        "suffixed_cookies": str(cookies.suffixed).lower(),
        "__clerk_hs_reason": reason,
        "format": "nonce",
    }
    if session_token:
        query[SESSION] = session_token
    if instance.is_development and cookies.dev_browser:
        query[DEV_BROWSER] = cookies.dev_browser
    organization = organization_of(request.path, instance)
    if organization:
        query["organization_id"] = organization[1]
    endpoint = f"{instance.frontend_api_url(request.origin)}/v1/client/handshake"
    return redirect(request, cookies, reason, f"{endpoint}?{urlencode(query)}")


def redirect(request: RequestFacts, cookies: ClerkCookies, reason: str, location: str) -> Outcome:
    """Send the browser to a place from which it comes back, unless that goes in circles.

    :param location: the absolute URL.
    """
    if not request.is_document_navigation:
        return Outcome("signed-out", reason)
    if cookies.redirect_count >= MAX_REDIRECTS:
        log.error(
            "Clerk handshake: %d redirects in a row (%s). CLERK_PUBLISHABLE_KEY and "
            "CLERK_SECRET_KEY probably belong to different instances; run 'flask clerk doctor'.",
            cookies.redirect_count,
            reason,
        )
        return Outcome("signed-out", reason)
    count = (
        f"{REDIRECT_COUNT}={cookies.redirect_count + 1}; Path=/; "
        f"Max-Age={REDIRECT_COUNT_LIFETIME}; HttpOnly; SameSite=Lax"
    )
    return Outcome("handshake", reason, location=location, set_cookies=(count,))


def resolve(cookies: ClerkCookies, api: BackendApi, find_key: FindKey) -> Payload:
    """Open the answer to a handshake (protocol 6.2).

    The session token inside is *not* verified here.

    :raises HandshakeError: the payload is not one that our instance made for this.
    """
    if cookies.handshake_nonce:
        return read_directives(_fetch(cookies.handshake_nonce, api))
    return read_directives(_open(cookies.handshake, find_key))


def read_directives(directives: list[str]) -> Payload:
    """Find the session token among ``Set-Cookie`` strings.

    :raises HandshakeError: one of them cannot be a header.
    """
    token = ""
    for directive in directives:
        if not all(32 <= ord(character) < 256 for character in directive):
            raise HandshakeError("Clerk's handshake contains a cookie that is no valid header.")
        name, _, value = directive.partition(";")[0].partition("=")
        if name.strip().startswith(SESSION):
            token = value.strip()
    return Payload(tuple(directives), token)


def clean_location(request: RequestFacts) -> str:
    """Where a development browser goes after a handshake: the same page, without its traces."""
    return request.location_without(HANDSHAKE, HANDSHAKE_NONCE, DEV_BROWSER, "__clerk_help")


def _fetch(nonce: str, api: BackendApi) -> list[str]:
    try:
        return api.handshake_payload(nonce)
    except BackendApiError as error:
        raise HandshakeError(
            f"The handshake could not be fetched: {error}. Check CLERK_SECRET_KEY and "
            "CLERK_API_URL with 'flask clerk doctor', clear your cookies, and load the page again."
        ) from None


def _open(payload: str, find_key: FindKey) -> list[str]:
    try:
        decoded = decode_unverified(payload)
        check_token_class(decoded)
        # A session token carries a subject, and people may choose some of its other claims.
        if "sub" in decoded.claims:
            raise TokenError("token-type-mismatch", "this is a session token")
        verify_signature(payload, decoded.header, find_key)
        return _directives(decoded.claims)
    except TokenError as error:
        raise HandshakeError(
            f"The handshake is not from this Clerk instance: {error.message} ({error.reason}). "
            "If you have just changed the Clerk keys, clear the cookies of this site and load the "
            "page again; otherwise check that CLERK_PUBLISHABLE_KEY and CLERK_SECRET_KEY belong "
            "together, with 'flask clerk doctor'."
        ) from None


def _directives(claims: dict[str, Any]) -> list[str]:
    values = claims.get("handshake")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenError("token-invalid", "its claim handshake is not a list of cookies")
    return values
