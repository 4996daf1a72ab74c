"""``/templates``: the texts of e-mails and SMS. The local Clerk's own stay as short as they are."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, not_found
from ..message_templates import TEMPLATES, Template, changed_template
from ..resources import Record
from ..serializers import Json
from .parameters import flag, json_body, one_page, optional_text, query_flag
from .records import change_record, drop_record, find_records, keep_record

blueprint = Blueprint("templates", __name__, url_prefix="/templates")

TYPE = "/<any(email, sms):type>"
TEXTS = ("name", "subject", "markup", "body", "from_email_name", "reply_to_email_name")
VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


@blueprint.get(TYPE)
def list_templates(type: str) -> Json | list[Json]:
    """All texts of that kind: the built-in ones, then the app's own."""
    known = [template.slug for template in TEMPLATES[type]]
    own = [record.data["slug"] for record in find_records(f"{type}_template")]
    slugs = known + [slug for slug in own if slug not in known]
    answer = [_json(type, slug) for slug in one_page(slugs)]
    return {"data": answer, "total_count": len(slugs)} if query_flag("paginated") else answer


@blueprint.get(f"{TYPE}/<slug>")
def get_template(type: str, slug: str) -> Json:
    """One text."""
    return _json(type, slug)


@blueprint.put(f"{TYPE}/<slug>")
def put_template(type: str, slug: str) -> Json:
    """Change a text, or make one of one's own.

    :raises ClerkError: 422 ``required_variable_missing``.
    """
    body = json_body()
    changes: dict[str, Any] = {name: optional_text(body, name) for name in TEXTS if name in body}
    if body.get("delivered_by_clerk") is not None:
        changes["delivered_by_clerk"] = flag(body, "delivered_by_clerk")
    known = _built_in(type, slug)
    if changes.get("body") and known is not None:
        _check_variables(known, changes["body"])
    _change(type, slug, changes)
    return _json(type, slug)


@blueprint.post(f"{TYPE}/<slug>/revert")
def revert_template(type: str, slug: str) -> Json:
    """Go back to the built-in text.

    :raises ClerkError: 400 ``template_revert_error`` for a text of one's own.
    """
    _json(type, slug)
    if _built_in(type, slug) is None:
        message = f"Template with slug {slug} can't be reverted"
        raise ClerkError("template_revert_error", message, 400)
    changed = changed_template(current_clerk(), type, slug)
    if changed is not None:
        drop_record(changed)
    return _json(type, slug)


@blueprint.post(f"{TYPE}/<slug>/preview")
def preview_template(type: str, slug: str) -> Json:
    """A text as people would get it, with the request's changes."""
    shown, body = _json(type, slug), json_body()
    drafted = shown | {name: optional_text(body, name) for name in TEXTS if body.get(name)}
    return {
        "subject": _filled_in(drafted["subject"] or ""),
        "body": _filled_in(drafted["body"]),
        "from_email_address": f"{drafted['from_email_name']}@example.com",
        "reply_to_email_address": None,
    }


@blueprint.post(f"{TYPE}/<slug>/toggle_delivery")
def toggle_delivery(type: str, slug: str) -> Json:
    """Let the app send such messages itself, when it is told of them, or Clerk again."""
    _json(type, slug)
    delivered = flag(json_body(), "delivered_by_clerk", True)
    _change(type, slug, {"delivered_by_clerk": delivered})
    return _json(type, slug)


def _change(type: str, slug: str, changes: dict[str, Any]) -> None:
    record = changed_template(current_clerk(), type, slug)
    if record is None:
        keep_record(f"{type}_template", "tmpl", {"slug": slug} | changes)
    else:
        change_record(record, changes)


def _built_in(type: str, slug: str) -> Template | None:
    return next((template for template in TEMPLATES[type] if template.slug == slug), None)


def _check_variables(template: Template, body: str) -> None:
    for name in template.variables:
        if name not in VARIABLE.findall(body):
            message = f"Body should contain the {{{{{name}}}}} variable"
            raise ClerkError("required_variable_missing", message, 422, "body")


def _filled_in(text: str) -> str:
    clerk = current_clerk()
    values = {
        "otp_code": "424242",
        "action_url": f"{clerk.config.own_url}/v1/verify?token=example",
        "app.name": clerk.settings.application.name or clerk.config.name,
    }
    return VARIABLE.sub(lambda found: values.get(found[1], ""), text)


def _json(type: str, slug: str) -> Json:
    known = _built_in(type, slug)
    changed = changed_template(current_clerk(), type, slug)
    if known is None and changed is None:
        raise not_found(f"Template with slug {slug}")
    built_in = known or Template(slug, slug)
    return _shown(type, built_in, changed) | {
        "can_revert": known is not None and changed is not None,
        "can_delete": known is None,
    }


def _shown(type: str, template: Template, changed: Record | None) -> Json:
    data = changed.data if changed else {}
    subject = data.get("subject") or template.subject
    return {
        "object": "template",
        "id": changed.id if changed else f"tmpl_{type}_{template.slug}",
        "instance_id": current_clerk().config.instance_id,
        "resource_type": "user" if changed else "system",
        "template_type": type,
        "name": data.get("name") or template.name,
        "slug": template.slug,
        "position": 0,
        "can_edit_body": True,
        "can_toggle": True,
        "subject": subject if type == "email" else None,
        "markup": data.get("markup") or "",
        "body": data.get("body") or template.body,
        "available_variables": [*template.variables, "app.name"],
        "required_variables": list(template.variables),
        "from_email_name": data.get("from_email_name") or "notifications",
        "reply_to_email_name": data.get("reply_to_email_name") or "",
        "delivered_by_clerk": data.get("delivered_by_clerk", True),
        "enabled": True,
        "flagged_as_suspicious": False,
        "created_at": changed.created_at if changed else 0,
        "updated_at": changed.updated_at if changed else 0,
    }
