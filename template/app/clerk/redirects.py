"""Redirects that stay inside this app.

Source: https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")


def safe_path(target: str | None, origin: str) -> str | None:
    """Reduce an untrusted redirect target to a path of this app, or reject it.

    :param target: a path, or an absolute URL with this app's origin.
    :param origin: the app's public origin, such as ``https://app.example.com``.
    :returns: the path and query, or None if a browser could end up on another site.
    """
    path = target or ""
    if path.startswith(f"{origin}/"):
        path = path.removeprefix(origin)
    # Browsers drop tabs and newlines, read a backslash as a slash, and remove dot segments before
    # a second slash; some servers decode a path twice. So nothing of that may be in it.
    decoded = unquote(path.partition("?")[0])
    odd = "\\" in decoded or any(character <= " " or character == "\x7f" for character in decoded)
    if not _PATH.match(path) or "//" in decoded or odd:
        return None
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    return path if not parts.scheme and not parts.netloc else None
