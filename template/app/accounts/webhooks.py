"""What Clerk tells us of its own accord."""

from __future__ import annotations

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from app.clerk import clerk_of, exempt
from app.clerk.webhooks import WebhookError, verify_webhook

from .users import delete_user, save_user

webhooks = exempt(Blueprint("webhooks", __name__))


@webhooks.post("/webhooks/clerk")
def receive() -> ResponseReturnValue:
    """Keep our users true to Clerk's. Repeated and outdated deliveries change nothing."""
    secrets = current_app.config["SETTINGS"].webhook_secrets
    if not secrets:
        current_app.logger.error("A webhook came, but CLERK_WEBHOOK_SIGNING_SECRET is not set.")
        return {"error": "CLERK_WEBHOOK_SIGNING_SECRET is not set"}, 503
    try:
        now = clerk_of(current_app).now()
        event = verify_webhook(request.get_data(), request.headers, secrets, now)
    except WebhookError as error:
        current_app.logger.warning("Webhook refused: %s", error)
        return {"error": str(error)}, 400
    user_id = event.data.get("id")
    if isinstance(user_id, str) and user_id:
        if event.type in ("user.created", "user.updated"):
            save_user(event.data)
        elif event.type == "user.deleted":
            delete_user(user_id)
    return {"received": event.type}
