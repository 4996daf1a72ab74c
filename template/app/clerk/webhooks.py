"""Verify what Clerk sends us: Standard Webhooks, as sent by Svix (protocol section 10)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

TOLERANCE = 300
"""Seconds by which a delivery's time may differ from ours."""


SHORTEST_SECRET = 16
"""Bytes. Svix makes 24 to 64; with an empty one anybody could sign."""

_DELIVERY_ID = re.compile(r"[!-~]{1,255}\Z")


class Headers(Protocol):
    """Request headers, whose names are found in any case."""

    def get(self, name: str, default: str, /) -> str:
        """The value of a header, or the default."""
        ...


class WebhookError(Exception):
    """A delivery is not from Clerk, or not readable. The message may be shown to the sender."""


@dataclass(frozen=True)
class WebhookEvent:
    """A verified delivery."""

    delivery_id: str
    """The same for every attempt to deliver one event."""
    type: str
    """Such as ``user.created``."""
    data: dict[str, Any]


def parse_webhook_secrets(text: str) -> tuple[bytes, ...]:
    """Read ``CLERK_WEBHOOK_SIGNING_SECRET``: several while rotating, comma-separated.

    :raises ValueError: one of them is not ``whsec_`` and base64.
    """
    secrets = []
    for secret in filter(None, (part.strip() for part in text.split(","))):
        try:
            if not secret.startswith("whsec_"):
                raise ValueError
            decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
            if len(decoded) < SHORTEST_SECRET:
                raise ValueError
            secrets.append(decoded)
        except (ValueError, binascii.Error):
            raise ValueError(
                f"CLERK_WEBHOOK_SIGNING_SECRET has a part that starts with {secret[:6]!r}: "
                "expected whsec_ and 16 bytes or more in base64. Copy it again from the "
                "Clerk dashboard, under Configure → Webhooks → your endpoint."
            ) from None
    return tuple(secrets)


def verify_webhook(
    body: bytes, headers: Headers, secrets: Sequence[bytes], now: float
) -> WebhookEvent:
    """Verify a delivery, and read it.

    :param body: the raw bytes as they came; re-encoded JSON would not match.
    :param headers: with ``svix-id``, ``svix-timestamp`` and ``svix-signature``.
    :param secrets: the decoded signing secrets; any may match.
    :param now: unix time in seconds.
    :raises WebhookError: with a reason for whoever reads the delivery log.
    """
    delivery_id = headers.get("svix-id", "")
    timestamp = headers.get("svix-timestamp", "")
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not _DELIVERY_ID.match(delivery_id) or not is_time:
        raise WebhookError(
            "expected the headers svix-id, svix-timestamp (unix seconds) and "
            "svix-signature; this was not sent by Clerk"
        )
    if abs(now - int(timestamp)) > TOLERANCE:
        raise WebhookError(
            f"svix-timestamp is {round(now - int(timestamp))} s old; expected at most {TOLERANCE} "
            "s either way. Check the clock of this machine"
        )
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    if not _any_matches(signed, headers.get("svix-signature", ""), secrets):
        raise WebhookError(
            "no signature matches CLERK_WEBHOOK_SIGNING_SECRET; copy the signing secret of this "
            "endpoint again"
        )
    return _read_event(delivery_id, body)


def _any_matches(signed: bytes, signatures: str, secrets: Sequence[bytes]) -> bool:
    given = [
        signature.encode("utf-8", "replace")
        for version, _, signature in (part.partition(",") for part in signatures.split())
        if version == "v1"
    ]
    wanted = [
        base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()) for secret in secrets
    ]
    return any(hmac.compare_digest(one, other) for one in given for other in wanted)


def _read_event(delivery_id: str, body: bytes) -> WebhookEvent:
    try:
        event = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        event = None
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("type"), str)
        or not isinstance(event.get("data"), dict)
    ):
        raise WebhookError("expected a JSON object with type and data")
    return WebhookEvent(delivery_id, event["type"], event["data"])


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
