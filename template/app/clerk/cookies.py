"""Read Clerk's cookies, and choose between the two copies of each.

Clerk sets every cookie twice: with a suffix that identifies the instance, and without one for older
SDKs. No value here has been verified yet, so any of them may be forged. They only decide which
cookie to read, never who the user is.

Clerk describes the cookies at https://clerk.com/docs/guides/how-clerk-works/overview
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .instance import Instance
from .request import RequestFacts
from .tokens import TokenError, decode_unverified, unverified_time

SESSION = "__session"
CLIENT_UAT = "__client_uat"
REFRESH = "__refresh"
DEV_BROWSER = "__clerk_db_jwt"
HANDSHAKE = "__clerk_handshake"
HANDSHAKE_NONCE = "__clerk_handshake_nonce"
REDIRECT_COUNT = "__clerk_redirect_count"

_NONCE = re.compile(r"[A-Za-z0-9._~-]{1,256}\Z")
_DELETED = "; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


class ClerkCookies(NamedTuple):
    """The values of Clerk's cookies and handshake parameters; empty if absent."""

    session: str
    client_uat: int
    """Unix time in seconds of the browser's last sign-in or sign-out; 0 if signed out."""
    refresh: str
    dev_browser: str
    handshake: str
    handshake_nonce: str
    redirect_count: int
    suffixed: bool
    """Whether the copies with a suffix were chosen."""
    nonce_in_query: bool = False
    """Whether the nonce is from the URL, as in development, and not from a cookie."""


def read_cookies(request: RequestFacts, instance: Instance, now: float) -> ClerkCookies:
    """Choose between the copies with and without a suffix, and read them.

    :param now: Unix time in seconds.
    """
    cookies = request.cookies
    suffix = f"_{instance.cookie_suffix}"
    suffixed = uses_suffixed_cookies(request, instance, now)

    def choose(name: str) -> str:
        return cookies.get(name + suffix if suffixed else name, "")

    # A payload in a production URL could come from a link that signs users in as someone else.
    payload = request.query_value(HANDSHAKE) if instance.is_development else ""
    nonce = _nonce(request.query_value(HANDSHAKE_NONCE))
    return ClerkCookies(
        session=choose(SESSION),
        client_uat=_whole_number(choose(CLIENT_UAT)),
        refresh=cookies.get(REFRESH + suffix, ""),
        dev_browser=request.query_value(DEV_BROWSER) or choose(DEV_BROWSER),
        handshake=payload or cookies.get(HANDSHAKE, ""),
        handshake_nonce=nonce or _nonce(cookies.get(HANDSHAKE_NONCE, "")),
        redirect_count=_whole_number(cookies.get(REDIRECT_COUNT, "")),
        suffixed=suffixed,
        nonce_in_query=bool(nonce),
    )


def sign_out_cookies(instance: Instance) -> tuple[str, ...]:
    """``Set-Cookie`` values that delete every cookie by which a browser could be signed in again.

    Clerk sets the results of handshakes for the app's registrable domain in production, so they
    are deleted there and on the app's own host.
    """
    suffix = f"_{instance.cookie_suffix}"
    own = (SESSION, SESSION + suffix, REFRESH + suffix)
    return (*(f"{name}={_DELETED}" for name in own), *handshake_deletions(instance))


def handshake_deletions(instance: Instance) -> tuple[str, ...]:
    """``Set-Cookie`` values that delete the results of a handshake."""
    names = (HANDSHAKE, HANDSHAKE_NONCE)
    deletions = tuple(f"{name}={_DELETED}" for name in names)
    if instance.is_development:
        return deletions
    domain = instance.domain or instance.host.removeprefix("clerk.")
    shared = f"; Domain={domain.partition(':')[0]}"
    return deletions + tuple(deletion + shared for deletion in deletions)


def uses_suffixed_cookies(request: RequestFacts, instance: Instance, now: float) -> bool:
    """Whether the copies with a suffix are the current ones.

    The rules and their order are those of Clerk's own SDKs.

    :param now: Unix time in seconds.
    """
    cookies, suffix = request.cookies, f"_{instance.cookie_suffix}"
    session, suffixed_session = cookies.get(SESSION, ""), cookies.get(SESSION + suffix, "")
    uat, suffixed_uat = cookies.get(CLIENT_UAT, ""), cookies.get(CLIENT_UAT + suffix, "")
    claims, suffixed_claims = _unverified_claims(session), _unverified_claims(suffixed_session)

    if session:
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or not issuer:
            return False
        if issuer.removeprefix("https://").removeprefix("http://") != instance.host:
            return True
    if not suffixed_uat and not suffixed_session:
        return False
    newer = unverified_time(claims, "iat") > unverified_time(suffixed_claims, "iat")
    if suffixed_uat != "0" and uat != "0" and newer:
        return False
    if suffixed_uat == "0" and uat != "0":
        return False
    suffixed_expired = "exp" in suffixed_claims and unverified_time(suffixed_claims, "exp") <= now
    if instance.is_development and suffixed_uat != "0" and uat == "0" and suffixed_expired:
        return False
    # A session without its client_uat is a leftover.
    return bool(suffixed_uat)


def _unverified_claims(token: str) -> dict[str, Any]:
    try:
        return decode_unverified(token).claims if token else {}
    except TokenError:
        return {}


def _nonce(text: str) -> str:
    return text if text and _NONCE.match(text) else ""


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
