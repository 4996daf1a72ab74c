"""Keep handshake nonces and tokens out of the logs of the libraries that log whole URLs."""

from __future__ import annotations

import logging
import re

LOGGERS = (
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "werkzeug",
    "gunicorn.access",
    "gunicorn.error",
)
"""The loggers of HTTP clients and servers, whose records contain the URLs of requests."""

_SECRETS = re.compile(
    r"\b(nonce|__clerk_handshake_nonce|__clerk_handshake|__clerk_db_jwt|__clerk_ticket|__session"
    r"|__dev_session)(=|%3D)(?!%5B|\[)[^&\s'\"#;)]+",
    re.IGNORECASE,
)


class _Redaction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # logging itself reports the wrong arguments
            return True
        redacted = _SECRETS.sub(r"\1\2…", message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return True


_REDACTION = _Redaction()


def redact_logs() -> None:
    """Replace the values of secret URL parameters in what these libraries log."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_REDACTION)  # adding it again has no effect
