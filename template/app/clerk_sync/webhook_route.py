"""The route that receives Clerk's webhooks."""

from __future__ import annotations

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from app.clerk import clerk_of, exempt
from app.clerk.webhooks import WebhookError, verify_webhook

from .deliveries import SignalState, dispatch_signal, receive_delivery
from .extension import clerk_sync_of

webhooks = exempt(Blueprint("webhooks", __name__))


@webhooks.post("/webhooks/clerk")
def receive_webhook() -> ResponseReturnValue:
    """Apply an event of Clerk's to our rows. Repeated and outdated deliveries change nothing.

    On 500 and 503 Clerk delivers the event again later.
    """
    secrets = clerk_sync_of(current_app).webhook_secrets
    if not secrets:
        current_app.logger.error(
            "A webhook arrived, but CLERK_WEBHOOK_SIGNING_SECRET is not set. Copy the endpoint's "
            "signing secret from the Clerk dashboard to .env."
        )
        return {"error": "CLERK_WEBHOOK_SIGNING_SECRET is not set"}, 503
    try:
        now = clerk_of(current_app).now()
        event = verify_webhook(request.get_data(), request.headers, secrets, now)
    except WebhookError as error:
        current_app.logger.warning("Webhook rejected: %s", error)
        return {"error": str(error)}, 400
    state = receive_delivery(event)
    if state is SignalState.BUSY:
        return {"error": "another worker is handling this delivery; try again"}, 503
    if state is SignalState.CLAIMED:
        dispatch_signal(event)
    return {"received": event.type}
