"""What Clerk tells us of its own accord."""

from __future__ import annotations

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from app.clerk import clerk_of, exempt
from app.clerk.webhooks import WebhookError, verify_webhook

from .deliveries import Turn, dispatch, take_in

webhooks = exempt(Blueprint("webhooks", __name__))


@webhooks.post("/webhooks/clerk")
def receive() -> ResponseReturnValue:
    """Keep our rows true to Clerk's. Repeated and outdated deliveries change nothing.

    Whatever is our fault is answered with 500 or 503, after which Clerk comes again.
    """
    secrets = current_app.config["SETTINGS"].webhook_secrets
    if not secrets:
        current_app.logger.error("A webhook came, but CLERK_WEBHOOK_SIGNING_SECRET is not set.")
        return {"error": "CLERK_WEBHOOK_SIGNING_SECRET is not set"}, 503
    body = request.get_data()
    try:
        now = clerk_of(current_app).now()
        event = verify_webhook(body, request.headers, secrets, now)
    except WebhookError as error:
        current_app.logger.warning("Webhook refused: %s", error)
        return {"error": str(error)}, 400
    turn = take_in(event, body.decode("utf-8", "replace"))
    if turn is Turn.THEIRS:
        return {"error": "another worker is still at this delivery; come again"}, 503
    if turn is Turn.OURS:
        dispatch(event)
    return {"received": event.type}
