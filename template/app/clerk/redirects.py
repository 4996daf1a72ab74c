"""Redirects that stay inside this app (protocol section 12)."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")


def safe_path(target: str | None, origin: str) -> str | None:
    """Turn a redirect target from outside into a path of this app, or refuse it.

    :param target: a path, or an absolute URL of this very origin.
    :param origin: the public origin of this app, ``https://app.example.com``.
    :returns: path and query, or None when the target leads, or could be read as leading, away.
    """
    path = target or ""
    if path.startswith(f"{origin}/"):
        path = path.removeprefix(origin)
    # Browsers drop tabs and newlines, read a backslash as a slash, and some servers decode once
    # more than they should: so a path must be plain both as it is and decoded.
    decoded = unquote(path.partition("?")[0])
    odd = "\\" in decoded or any(character <= " " or character == "\x7f" for character in decoded)
    if not _PATH.match(path) or decoded.startswith("//") or odd:
        return None
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    return path if not parts.scheme and not parts.netloc else None
