"""Reading and checking variables by the kind of their values, such as flags and URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from werkzeug.routing import Map, Rule

from .origins import DEFAULT_PORTS, parse_origin

# Exactly one <slug> or <id>, without a converter that would change the value, as int does, and not
# behind a <path:…>, which could end before several parts of a path.
_ORGANIZATION_PATTERN = re.compile(
    r"(?!.*<path[:(].*<(slug|id)>)/(.*/)?[^<>]*[^<>/][^<>]*<(slug|id)>(?!.*[<:](slug|id)>)"
)

# Values shown in error messages; others might be secrets pasted into the wrong variable.
_HARMLESS = re.compile(
    r".{1,2}|-?[0-9]{1,5}(\.[0-9]{1,3})?|[0-9]{1,3}[a-z]{1,2}|[a-z_]{1,15}"
    r"|(?=.{1,40}\Z)//?[a-z_.:<>{}*-]+(/[a-z_.:<>{}*-]+)*/?"
)
_HARMLESS_URL = re.compile(
    r"((?:https?://)?(?![^/]*[0-9a-z]{21})(localhost|([0-9]+\.){3}[0-9]+|([a-z0-9-]+\.)+[a-z]{2,20})"
    r"(:[0-9]{1,5})?)(?:[/?#][^@]*)?"
)


class ConfigurationError(ValueError):
    """A setting is invalid. The message names the variable, its value, and the fix."""


def read_origins(
    environ: Mapping[str, str], name: str, *, web_only: bool = False
) -> frozenset[str]:
    """Read a variable that lists origins, separated by commas.

    Source: https://html.spec.whatwg.org/multipage/browsers.html#origin

    :param name: the variable. If it is empty or not set, the result is empty.
    :param web_only: whether only ``http`` and ``https`` are allowed. Otherwise the origins of
        browser extensions and desktop apps are valid, too, such as ``tauri://localhost``.
    :returns: the origins as browsers send them: in lower case, without a default port.
    :raises ConfigurationError: an entry is empty, or is not an origin.
    """
    given = environ.get(name, "").strip()
    entries = given.split(",") if given else []
    return frozenset(_read_origin(name, entry.strip(), web_only) for entry in entries)


def _read_origin(name: str, entry: str, web_only: bool) -> str:
    origin = parse_origin(entry.removesuffix("/"))
    if origin and not (web_only and origin.partition(":")[0] not in DEFAULT_PORTS):
        return origin
    seen = f"contains {show_value(entry)}" if entry else "has an empty entry"
    hint = " Wildcards are not supported: list each origin." if "*" in entry else ""
    raise ConfigurationError(
        f"{name} {seen}; expected origins separated by commas, each a scheme and a host without a "
        f"path, such as https://app.example.com.{hint}"
    )


def read_patterns(environ: Mapping[str, str], name: str, *, named: bool = False) -> tuple[str, ...]:
    """Read a variable that lists paths as in Flask's routes, separated by commas.

    :param named: whether each must contain one ``<slug>`` or ``<id>``, behind a fixed part.
    :raises ConfigurationError: a path is malformed.
    """
    patterns = tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))
    for pattern in patterns:
        wrong = (
            f"{name} contains {show_value(pattern)}; expected paths as in Flask's routes, such as "
            "/orgs/<slug>,/orgs/<slug>/<path:rest>"
        )
        try:
            Map([Rule(pattern)])
        except (ValueError, LookupError, SyntaxError, TypeError):
            raise ConfigurationError(wrong) from None
        if named and not _ORGANIZATION_PATTERN.match(pattern):
            raise ConfigurationError(
                f"{wrong}. A pattern needs one <slug> or <id>, and before it a fixed part such as "
                "/orgs/, because otherwise it matches /login."
            )
    return patterns


def read_flag(environ: Mapping[str, str], name: str) -> bool:
    """Read a variable that is ``true`` or ``false``, or ``1`` or ``0``. Empty means false.

    :raises ConfigurationError: it is anything else.
    """
    value = environ.get(name, "").strip().lower()
    if value not in ("", "true", "false", "1", "0"):
        raise ConfigurationError(f"{name} is {show_value(value)}; expected true or false.")
    return value in ("true", "1")


def read_seconds(environ: Mapping[str, str], name: str, default: float, most: float) -> float:
    """Read a variable with a number of seconds; ``default`` if it is empty.

    :param most: the highest number that is accepted.
    :raises ConfigurationError: it isn't a number from 0 to ``most``.
    """
    value = environ.get(name, "").strip()
    is_number = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", value)
    if value and not (is_number and float(value) <= most):
        raise ConfigurationError(
            f"{name} is {show_value(value)}; expected a number of seconds from 0 to {most:g}."
        )
    return float(value) if value else default


def check_url(name: str, url: str, is_development: bool) -> str:
    """Check the value of a variable that contains a URL, and return it without a slash at the end.

    :param url: the value; empty if the variable isn't set.
    :raises ConfigurationError: it isn't an absolute URL, or exposes secrets in production.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if url and not (usable and re.fullmatch(r"[\x21-\x7e]+", url) and not set(url) & set("@\\")):
        raise ConfigurationError(
            f"{name} contains {show_value(url)}; expected an absolute URL such as "
            f"https://example.com{' or a path such as /__clerk' * (name == 'CLERK_PROXY_URL')}."
        )
    require_https(name, url, is_development)
    return url


def require_https(name: str, url: str, is_development: bool) -> None:
    """Check that a URL doesn't expose secrets in production.

    :param name: the variable that contains the URL.
    :raises ConfigurationError: it starts with ``http:``, and leads to another machine.
    """
    is_local = re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|\Z)", url.lower())
    if url.lower().startswith("http:") and not is_development and not is_local:
        raise ConfigurationError(
            f"{name} is {show_value(url)}; expected a URL that starts with https:// because "
            "CLERK_PUBLISHABLE_KEY belongs to a production instance."
        )


def show_value(value: str, *, is_secret: bool = False) -> str:
    """Describe the value of a variable in an error message.

    It may be a secret that was pasted into the wrong variable. So only words, numbers, paths, the
    scheme and host of URLs, and the kind of keys are shown.

    :param is_secret: whether the variable is meant for a secret; then only the kind is shown.
    """
    if not value:
        return "not set"
    if key := re.match(r"(pk|sk)_(test|live)_|whsec_", value):
        return f"{key[0]}… ({len(value)} characters)"
    if not is_secret and _HARMLESS.fullmatch(value):
        return repr(value)
    if not is_secret and (url := _HARMLESS_URL.fullmatch(value)):
        return repr(value) if url[1] == value else f"a URL that starts with {url[1]!r}"
    return f"a value of {len(value)} characters, not shown because it may be a secret"
