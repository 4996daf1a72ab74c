"""Which URLs a browser may be sent to, and under which address it sees us."""

from __future__ import annotations

from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from .config import LOOPBACK_NAMES, is_loopback

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """``scheme://host[:port]`` of an http(s) URL, normalized; None if it is anything else.

    Refuses what browsers and parsers read differently: control characters, backslashes, blanks,
    and credentials in front of the host.
    """
    if any(ord(char) <= 32 or char in "\\\x7f" for char in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def host_of(url: str) -> str:
    """The host of an http(s) URL, as people know it; empty for anything else."""
    return urlsplit(url).hostname or "" if origin_of(url) else ""


def origin_aliases(home: str) -> set[str]:
    """The origin of ``home``; on loopback also under the other loopback names, same port."""
    origin = origin_of(home)
    if origin is None:
        return set()
    parts = urlsplit(origin)
    if not is_loopback(parts.hostname or ""):
        return {origin}
    port = f":{parts.port}" if parts.port else ""
    names = (f"[{name}]" if ":" in name else name for name in LOOPBACK_NAMES)
    return {origin} | {f"{parts.scheme}://{name}{port}" for name in names}


def app_redirect(target: str, app_url: str) -> str | None:
    """``target`` as an absolute URL of the app, or None if it leads anywhere else.

    A path (``/dashboard``) is taken as relative to the app; ``//host`` is not a path.
    """
    if target.startswith("/") and not target.startswith("//"):
        target = f"{origin_of(app_url)}{target}"
    origin = origin_of(target)
    return target if origin in origin_aliases(app_url) else None


def with_query(url: str, **values: str) -> str:
    """``url`` with these query parameters set; the rest stays as it was, to the letter."""
    parts = urlsplit(without_query(url, *values))
    query = "&".join(piece for piece in (parts.query, urlencode(values)) if piece)
    return urlunsplit(parts._replace(query=query))


def without_query(url: str, *names: str) -> str:
    """``url`` without these query parameters."""
    parts = urlsplit(url)
    pieces = [piece for piece in parts.query.split("&") if piece]
    kept = [piece for piece in pieces if unquote_plus(piece.partition("=")[0]) not in names]
    return urlunsplit(parts._replace(query="&".join(kept)))


def public_base(proxy_url: str | None, app_url: str, own_url: str) -> str:
    """The address under which the browser sees the emulator, without a trailing slash.

    :param proxy_url: the ``Clerk-Proxy-Url`` header that the app's proxy adds. It is believed only
        if it names the app or this machine.
    """
    origin = origin_of(proxy_url or "")
    if proxy_url is None or origin is None:
        return own_url
    parts = urlsplit(proxy_url)
    here = is_loopback(parts.hostname or "") or origin in origin_aliases(app_url)
    return f"{origin}{parts.path.rstrip('/')}" if here else own_url
