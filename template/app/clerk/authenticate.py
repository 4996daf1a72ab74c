"""The decision: signed in, signed out, or handshake (protocol section 5).

Reads beside section 5 in the same order. No framework, no clock and no network of its own:
everything is passed in.
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from . import handshake, satellites
from .backend_api import BackendApi, BackendApiError
from .cookies import DEV_BROWSER, ClerkCookies, read_cookies
from .instance import Instance
from .machine_tokens import PREFIXES
from .organizations import organization_to_activate
from .outcome import Outcome
from .request import RequestFacts
from .session import read_session
from .tokens import (
    CLOCK_SKEW,
    TokenError,
    check_token_class,
    decode_unverified,
    unverified_time,
)
from .verified import TokenVerifier

log = logging.getLogger(__name__)

DEVELOPMENT_HANDSHAKE_SKEW = 24 * 3600.0
"""Seconds by which a developer's clock may be off right after a handshake (protocol 6.2)."""

HANDSHAKE_REASONS = {
    "token-expired": "session-token-expired-refresh-{why}",
    "token-not-active-yet": "session-token-nbf",
    "token-iat-in-the-future": "session-token-iat-in-the-future",
}
"""Verification failures that a fresh token cures, and the reason a handshake gives (5.3)."""


class Decision(NamedTuple):
    """One request, and all that is needed to decide on it."""

    request: RequestFacts
    cookies: ClerkCookies
    instance: Instance
    tokens: TokenVerifier
    api: BackendApi
    now: float


def authenticate(
    request: RequestFacts, instance: Instance, tokens: TokenVerifier, api: BackendApi, now: float
) -> Outcome:
    """Decide who is asking.

    :param request: the facts of the request; all of them hostile.
    :param instance: the Clerk instance whose tokens count.
    :param tokens: verifies its session tokens.
    :param api: its Backend API; asked only for handshake nonces and refreshes.
    :param now: unix time in seconds.
    :raises handshake.HandshakeError: in development only, when a handshake cannot be resolved:
        the keys are wrong, and going on would loop.
    """
    cookies = read_cookies(request, instance, now)
    decision = Decision(request, cookies, instance, tokens, api, now)
    token = bearer_token(request)
    return _by_header(decision, token) if token else _by_cookies(decision)


def bearer_token(request: RequestFacts) -> str:
    """The token in the ``Authorization`` header, or an empty string (protocol 5.1)."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    if not rest:
        return scheme
    return rest.strip() if scheme.lower() == "bearer" else ""


def _by_header(decision: Decision, token: str) -> Outcome:
    if token.startswith(tuple(PREFIXES)):
        return Outcome("signed-out", "token-type-mismatch", "the token is not a session token")
    try:
        return _signed_in(token, _verify(decision, token))
    except TokenError as error:
        return _recover(decision, token, error)


def _by_cookies(decision: Decision) -> Outcome:
    """The steps of protocol 5.2; each comment is the number of a step."""
    cookies, development = decision.cookies, decision.instance.is_development
    if cookies.handshake or cookies.handshake_nonce:  # 1
        resolved = _resolve_handshake(decision)
        if resolved:
            return resolved
    synced = _sync_domains(decision)  # 2
    if synced:
        return synced
    if development and decision.request.query_value(DEV_BROWSER):  # 3
        return _ask(decision, "dev-browser-sync")
    if development and not cookies.dev_browser:  # 4
        return _ask(decision, "dev-browser-missing")
    if not cookies.client_uat and not cookies.session:  # 5
        return Outcome("signed-out", "session-token-and-uat-missing")
    if not cookies.client_uat:  # 6
        return _ask(decision, "session-token-but-no-client-uat")
    if not cookies.session:  # 7
        return _ask(decision, "client-uat-but-no-session-token")
    try:
        decoded = decode_unverified(cookies.session)  # 8
        check_token_class(decoded)
        if unverified_time(decoded.claims, "iat") < cookies.client_uat:  # 9
            return _ask(decision, "session-token-iat-before-client-uat")
        claims = _verify(decision, cookies.session)  # 10
    except TokenError as error:
        return _recover(decision, cookies.session, error)
    if _comes_from_another_site(decision):  # 11
        return _ask(decision, "primary-domain-cross-origin-sync")
    signed_in = _signed_in(cookies.session, claims)  # 13
    return _activate_organization(decision, signed_in) or signed_in  # 12


def _resolve_handshake(decision: Decision) -> Outcome | None:
    """Step 1. None: go on as if there were no handshake (production only)."""
    try:
        return _resolved(decision)
    except handshake.HandshakeError as error:
        if decision.instance.is_development:
            raise
        # It may be meant for a sibling app on the same registrable domain.
        log.warning("%s", error)
        return None


def _resolved(decision: Decision) -> Outcome | None:
    payload = handshake.resolve(decision.cookies, decision.api, decision.tokens.find_key)
    location = ""
    if decision.instance.is_development:
        location = handshake.clean_location(decision.request)
    token = payload.session_token
    if not token:
        return Outcome(
            "signed-out",
            "session-token-missing",
            location=location,
            set_cookies=payload.set_cookies,
        )
    try:
        claims = _verify(decision, token)
    except TokenError as error:
        claims = _verify_despite_clock(decision, token, error)
    return _signed_in(token, claims, location=location, set_cookies=payload.set_cookies)


def _verify_despite_clock(decision: Decision, token: str, error: TokenError) -> dict[str, Any]:
    """A token that Clerk made a moment ago is early or late: somebody's clock is wrong."""
    if decision.instance.is_development and error.reason in HANDSHAKE_REASONS:
        log.warning(
            "Clerk's new session token is not valid by this machine's clock (%s). "
            "Set the clock right: in production this signs people out.",
            error.message,
        )
        try:
            return _verify(decision, token, clock_skew=DEVELOPMENT_HANDSHAKE_SKEW)
        except TokenError as still:
            error = still
    raise handshake.HandshakeError(
        f"The session token in Clerk's handshake is not valid: {error.message} ({error.reason}). "
        "If you have just changed the Clerk keys, clear the cookies of this site and load the "
        "page again; otherwise run 'flask clerk doctor'."
    ) from None


def _sync_domains(decision: Decision) -> Outcome | None:
    """Step 2, which is protocol 5.4. None: go on as usual."""
    request, cookies, instance = decision.request, decision.cookies, decision.instance
    if not instance.is_satellite:
        location = satellites.way_back(request, cookies, instance)
        if not location:
            return None
        return handshake.redirect(request, cookies, "primary-responds-to-syncing", location)
    needed = satellites.needs_syncing(request, cookies, instance)
    if needed is None:
        return None
    if not needed:
        return Outcome("signed-out", "session-token-and-uat-missing")
    if not instance.is_development:
        return _ask(decision, "satellite-needs-syncing")
    location = satellites.sign_in_location(request, instance)
    return handshake.redirect(request, cookies, "satellite-needs-syncing", location)


def _activate_organization(decision: Decision, signed_in: Outcome) -> Outcome | None:
    """Step 12: the URL belongs to an organization that is not the active one. None: it does not."""
    request, session = decision.request, signed_in.session
    if decision.cookies.redirect_count >= handshake.MAX_REDIRECTS or session is None:
        return None
    wanted = organization_to_activate(request.path, session, decision.instance)
    if wanted is None or not request.is_document_navigation:
        return None
    return _ask(decision, "active-organization-mismatch")


def _recover(decision: Decision, token: str, error: TokenError) -> Outcome:
    """Protocol 5.3: what to do about a token that does not verify."""
    reason = HANDSHAKE_REASONS.get(error.reason)
    if not reason:
        return Outcome("signed-out", error.reason, error.message)
    why = ""
    if error.reason == "token-expired":
        refreshed = _refresh(decision, token)
        if isinstance(refreshed, Outcome):
            return refreshed
        why = refreshed
    return _ask(decision, reason.format(why=why), token)


def _refresh(decision: Decision, token: str) -> Outcome | str:
    """Protocol section 7. Returns the reason why not, where it does not work."""
    request, cookies = decision.request, decision.cookies
    if request.method != "GET":
        return "non-eligible-non-get"
    if not cookies.refresh:
        return "non-eligible-no-refresh-cookie"
    session_id = decode_unverified(token).claims.get("sid")
    if not isinstance(session_id, str) or not session_id:
        return "expired-session-token-missing-sid-claim"
    body = {
        "expired_token": token,
        "refresh_token": cookies.refresh,
        "request_origin": request.origin,
        "request_headers": {name: [value] for name, value in request.headers.items()},
        "suffixed_cookies": cookies.suffixed,
        "format": "cookie",
    }
    try:
        set_cookies = decision.api.refresh_session(session_id, body)
        payload = handshake.read_directives(set_cookies)
        claims = _verify(decision, payload.session_token)
    except BackendApiError as error:
        return error.code
    except (handshake.HandshakeError, TokenError):
        return "invalid-session-token"
    return _signed_in(payload.session_token, claims, set_cookies=payload.set_cookies)


def _comes_from_another_site(decision: Decision) -> bool:
    """Step 11: a link from a site that may have signed the person in elsewhere (5.2)."""
    request, instance = decision.request, decision.instance
    headers = request.headers
    if request.method != "GET" or headers.get("sec-fetch-dest") != "document":
        return False
    if instance.is_satellite:
        return False
    sent = headers.get("referer")
    if not sent or decision.cookies.redirect_count:
        return False
    try:
        referrer = urlsplit(sent)
        host = referrer.hostname or ""
    except ValueError:
        return False
    if not host or f"{referrer.scheme}://{referrer.netloc}" == request.origin:
        return False
    return not is_clerk_host(host, instance, request.origin)


def is_clerk_host(host: str, instance: Instance, origin: str) -> bool:
    """Whether a host is one of Clerk's own for this instance: Frontend API, Account Portal.

    :param origin: the public origin of this app.
    """
    known = {instance.host, urlsplit(instance.hosted_page_url("", origin)).hostname}
    known.add(urlsplit(instance.frontend_api_url(origin)).hostname)
    return host in known or (instance.is_development and host.endswith(".accounts.dev"))


def _ask(decision: Decision, reason: str, token: str = "") -> Outcome:
    cookies = decision.cookies
    return handshake.ask(
        decision.request,
        cookies,
        decision.instance,
        reason,
        session_token=token or cookies.session,
    )


def _verify(decision: Decision, token: str, *, clock_skew: float = CLOCK_SKEW) -> dict[str, Any]:
    return decision.tokens.verify(token, decision.now, clock_skew=clock_skew)


def _signed_in(
    token: str,
    claims: dict[str, Any],
    *,
    location: str = "",
    set_cookies: tuple[str, ...] = (),
) -> Outcome:
    return Outcome(
        "signed-in",
        session=read_session(token, claims),
        location=location,
        set_cookies=set_cookies,
    )
