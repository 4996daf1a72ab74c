"""E-mails and SMS, as the app is told of them."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..message_templates import is_delivered
from ..resources import EmailAddress, Message, PhoneNumber
from .json import Json

SENDER = "notifications"
SENDER_NUMBER = "+15555550000"


def message_json(clerk: LocalClerk, message: Message) -> Json:
    """A message that goes out now. Whose it is, is known if somebody has the address already."""
    is_email = message.kind == "email"
    common: Json = {
        "id": message.id,
        "slug": message.slug or None,
        "status": "queued",
        "data": _facts(clerk, message),
        "delivered_by_clerk": is_delivered(clerk, message.kind, message.slug),
    }
    return common | (_email(clerk, message) if is_email else _sms(clerk, message))


def _email(clerk: LocalClerk, message: Message) -> Json:
    found = clerk.store.first(EmailAddress, email_address=message.to)
    return {
        "object": "email",
        "from_email_name": SENDER,
        "to_email_address": message.to,
        "email_address_id": found.id if found else None,
        "user_id": found.user_id if found else None,
        "subject": message.subject,
        "body": f"<p>{_escaped(message.body)}</p>",
        "body_plain": message.body,
    }


def _sms(clerk: LocalClerk, message: Message) -> Json:
    found = clerk.store.first(PhoneNumber, phone_number=message.to)
    return {
        "object": "sms_message",
        "from_phone_number": SENDER_NUMBER,
        "to_phone_number": message.to,
        "phone_number_id": found.id if found else None,
        "user_id": found.user_id if found else None,
        "message": message.body,
    }


def _facts(clerk: LocalClerk, message: Message) -> Json:
    """What a template of one's own is filled with."""
    app = {
        "name": clerk.settings.application.name or clerk.config.name,
        "url": clerk.app_origin,
        "domain_name": clerk.config.frontend_api,
        "logo_image_url": clerk.settings.application.logo_image_url or None,
    }
    code = {"otp_code": message.code} if message.code else {}
    link = {"action_url": message.link} if message.link else {}
    return {"app": app} | code | link


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
