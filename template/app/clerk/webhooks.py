"""Verify Clerk's webhooks. They are Standard Webhooks, delivered by Svix.

Sources: https://clerk.com/docs/guides/development/webhooks/overview and
https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

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

from .setting_values import show_value

TOLERANCE = 300
"""Seconds by which a delivery's timestamp may differ from the local time."""

SHORTEST_SECRET = 16
"""Bytes. Svix's secrets have 24 to 64. With an empty secret, anyone could sign."""

_DELIVERY_ID = re.compile(r"[!-~]{1,255}\Z")


class Headers(Protocol):
    """Request headers with case-insensitive names."""

    def get(self, name: str, default: str, /) -> str:
        """Return the value of a header, or the default."""
        ...


class WebhookError(Exception):
    """A delivery is forged or malformed. The message may be shown to the sender."""


@dataclass(frozen=True)
class WebhookEvent:
    """A verified event."""

    delivery_id: str
    """The value of ``svix-id``, which is the same for all attempts to deliver one event."""
    type: str
    """The event's type, such as ``user.created``."""
    data: dict[str, Any]


def parse_webhook_secrets(text: str) -> tuple[bytes, ...]:
    """Read the value of ``CLERK_WEBHOOK_SIGNING_SECRET``.

    :param text: one secret, or several separated by commas while rotating.
    :raises ValueError: a secret is not ``whsec_`` followed by base64, or too short.
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
                f"CLERK_WEBHOOK_SIGNING_SECRET contains {show_value(secret, is_secret=True)}; "
                "expected whsec_ followed by at least 16 bytes in base64. Copy it again from the "
                "Clerk dashboard, under Configure → Webhooks → your endpoint."
            ) from None
    return tuple(secrets)


def verify_webhook(
    body: bytes, headers: Headers, secrets: Sequence[bytes], now: float
) -> WebhookEvent:
    """Verify a delivery, and read its event.

    :param body: the raw request body; re-encoded JSON would not match the signature.
    :param headers: the headers ``svix-id``, ``svix-timestamp`` and ``svix-signature``.
    :param secrets: the decoded signing secrets, any of which may match.
    :param now: Unix time in seconds.
    :raises WebhookError: the delivery is forged, too old, or malformed.
    """
    delivery_id = headers.get("svix-id", "")
    timestamp = headers.get("svix-timestamp", "")
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not _DELIVERY_ID.match(delivery_id) or not is_time:
        raise WebhookError(
            "expected the headers svix-id, svix-timestamp (Unix time in seconds), and "
            "svix-signature; this was not sent by Clerk"
        )
    if abs(now - int(timestamp)) > TOLERANCE:
        raise WebhookError(
            f"svix-timestamp is {round(now - int(timestamp))} seconds old; expected at most "
            f"{TOLERANCE} seconds either way. Check this server's clock"
        )
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    if not _any_matches(signed, headers.get("svix-signature", ""), secrets):
        raise WebhookError(
            "no signature matches CLERK_WEBHOOK_SIGNING_SECRET; copy this endpoint's signing "
            "secret from the Clerk dashboard again"
        )
    return _read_event(delivery_id, body)


def _any_matches(signed: bytes, signatures: str, secrets: Sequence[bytes]) -> bool:
    received = [
        signature.encode("utf-8", "replace")
        for version, _, signature in (part.partition(",") for part in signatures.split())
        if version == "v1"
    ]
    expected = [
        base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()) for secret in secrets
    ]
    return any(hmac.compare_digest(one, other) for one in received for other in expected)


def _read_event(delivery_id: str, body: bytes) -> WebhookEvent:
    try:
        event = json.loads(body, parse_constant=_reject_json_constant)
    except (ValueError, RecursionError):
        event = None
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("type"), str)
        or not isinstance(event.get("data"), dict)
    ):
        raise WebhookError("expected a JSON object with type and data")
    return WebhookEvent(delivery_id, event["type"], event["data"])


def _reject_json_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")  # Python's parser accepts NaN and Infinity
