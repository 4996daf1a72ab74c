"""The headers of a visitor's request that Clerk may see."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CLERKS_COOKIE = re.compile(
    r"((?:__client|__client_uat|__session|__refresh|clerk_active_context)(?:_[\w-]{8})?"
    r"|__clerk_[\w-]+)\s*(=|\Z)"
)
_PRIVATE = {"authorization", "cookie", "proxy-authorization"}


def headers_for_clerk(headers: Iterable[tuple[str, str]], own_cookie: str = "") -> dict[str, str]:
    """Remove what isn't meant for Clerk: other cookies, and the password of a protected site.

    :param headers: names and values.
    :param own_cookie: the name of the app's own session cookie, should it look like Clerk's.
    :returns: values by lowercase name.
    """
    given = {name.lower(): value for name, value in headers}
    kept = {name: value for name, value in given.items() if name not in _PRIVATE}
    # Servers join several Cookie headers with commas, which Clerk's cookies don't contain.
    cookies = [cookie.strip() for cookie in re.split("[;,]", given.get("cookie", ""))]
    found = [(cookie, _CLERKS_COOKIE.match(cookie)) for cookie in cookies]
    if clerks := [cookie for cookie, match in found if match and match[1] != own_cookie]:
        kept["cookie"] = "; ".join(clerks)
    credentials = given.get("authorization", "").split()
    if len(credentials) == 1 or (credentials and credentials[0].lower() == "bearer"):
        kept["authorization"] = given["authorization"]  # Clerk's SDKs for apps omit "Bearer"
    return kept
