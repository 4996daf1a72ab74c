"""The signatures of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from app.clerk.webhooks import TOLERANCE, WebhookError, parse_webhook_secrets, verify_webhook
from tests.signing import WEBHOOK_SECRET

SECRET, OLD = WEBHOOK_SECRET, b"the secret before it"
NOW = 1_800_000_000
BODY = json.dumps({"type": "user.created", "data": {"id": "user_1"}}).encode()


def sign(body: bytes = BODY, secret: bytes = SECRET, at: int = NOW) -> dict[str, str]:
    """Headers as Svix sends them."""
    mac = hmac.new(secret, f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"svix-id": "msg_1", "svix-timestamp": str(at), "svix-signature": signature}


def test_a_signed_event_is_accepted() -> None:
    event = verify_webhook(BODY, sign(), [SECRET], NOW)
    assert (event.delivery_id, event.type, event.data) == (
        "msg_1",
        "user.created",
        {"id": "user_1"},
    )


def test_any_signature_may_match_any_secret() -> None:
    headers = sign(secret=OLD)
    headers["svix-signature"] = f"v1,AAAA v2,BBBB {headers['svix-signature']}"
    assert verify_webhook(BODY, headers, [SECRET, OLD], NOW).type == "user.created"


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (BODY, {}, "not sent by Clerk"),
        (BODY, sign() | {"svix-id": ""}, "not sent by Clerk"),
        (BODY, sign() | {"svix-timestamp": "soon"}, "not sent by Clerk"),
        (BODY, sign() | {"svix-timestamp": "-5"}, "not sent by Clerk"),
        (BODY, sign() | {"svix-timestamp": "²"}, "not sent by Clerk"),
        (BODY, sign(at=NOW - TOLERANCE - 1), "clock"),
        (BODY, sign(at=NOW + TOLERANCE + 1), "clock"),
        (BODY + b" ", sign(), "no signature matches"),
        (BODY, sign() | {"svix-id": "msg_2"}, "no signature matches"),
        (BODY, sign() | {"svix-signature": ""}, "no signature matches"),
        (BODY, sign() | {"svix-signature": "v1,"}, "no signature matches"),
        (BODY, sign() | {"svix-signature": sign()["svix-signature"][3:]}, "no signature matches"),
        (BODY, sign() | {"svix-signature": "v1,\u00e9\udcff"}, "no signature matches"),
        (BODY, sign(secret=b""), "no signature matches"),
        (b"[]", sign(b"[]"), "expected a JSON object"),
        (b"{", sign(b"{"), "expected a JSON object"),
        (b"[" * 9999, sign(b"[" * 9999), "expected a JSON object"),
        (b'{"type": 5, "data": {}}', sign(b'{"type": 5, "data": {}}'), "expected a JSON object"),
    ],
)
def test_rejected_deliveries_say_why(body: bytes, headers: dict[str, str], expected: str) -> None:
    with pytest.raises(WebhookError, match=expected):
        verify_webhook(body, headers, [SECRET], NOW)


def test_secrets_may_be_a_list() -> None:
    encoded = [f"whsec_{base64.b64encode(secret).decode()}" for secret in (SECRET, OLD)]
    assert parse_webhook_secrets(", ".join(encoded)) == (SECRET, OLD)
    assert parse_webhook_secrets("") == ()


@pytest.mark.parametrize("text", ["c2VjcmV0IHNlY3JldA", "whsec_", "whsec_?c2VjcmV0", "whsec_c2VjcmV0"])
def test_malformed_secrets_are_rejected_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match="CLERK_WEBHOOK_SIGNING_SECRET") as error:
        parse_webhook_secrets(text)
    assert "c2VjcmV0" not in str(error.value)
