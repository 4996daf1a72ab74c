"""``/jwt_templates``: custom tokens. They are settings: the file's, and those switched since."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, not_found
from ..jwt_templates import RESERVED
from ..serializers import Json
from ..settings.model import JwtTemplate
from .parameters import json_body, one_page, query_flag, required_text, whole_number
from .settings_changes import switch

blueprint = Blueprint("jwt_templates", __name__, url_prefix="/jwt_templates")

SHORTEST, LONGEST = 30, 315_360_000
ALLOWED_CLOCK_SKEW_SECONDS = 5


@blueprint.get("")
def list_templates() -> list[Json] | Json:
    """All templates, by name."""
    templates = sorted(current_clerk().settings.jwt_templates.items())
    answer = [_json(name, template) for name, template in one_page(templates)]
    return {"data": answer, "total_count": len(templates)} if query_flag("paginated") else answer


@blueprint.post("")
def post_template() -> Json:
    """Make a template."""
    body = json_body()
    name = required_text(body, "name")
    if name in current_clerk().settings.jwt_templates:
        message = "A template with this name already exists."
        raise ClerkError("duplicate_record", message, 422, "name")
    return _store(name, body, JwtTemplate())


@blueprint.get("/<id>")
def get_template(id: str) -> Json:
    """One template."""
    return _json(*_template(id))


@blueprint.patch("/<id>")
def patch_template(id: str) -> Json:
    """Change a template; another name makes it another one."""
    old, template = _template(id)
    body = json_body()
    name = required_text(body, "name") if "name" in body else old
    answer = _store(name, body, template)
    if name != old:
        _forget(old)
    return answer


@blueprint.delete("/<id>")
def delete_template(id: str) -> Json:
    """Forget a template."""
    name, _ = _template(id)
    _forget(name)
    return {"object": "jwt_template", "id": id, "deleted": True}


def _store(name: str, body: dict[str, Any], before: JwtTemplate) -> Json:
    claims = body.get("claims", before.claims)
    if not isinstance(claims, dict) or claims.keys() & set(RESERVED):
        raise invalid("claims", f"a JSON object without {', '.join(RESERVED)}")
    seconds = whole_number(body, "lifetime", least=SHORTEST) or before.lifetime_seconds
    if seconds > LONGEST:
        raise invalid("lifetime", f"a number of seconds, {SHORTEST} to {LONGEST}")
    if body.get("custom_signing_key"):
        raise invalid("custom_signing_key", "false: the local Clerk signs with its one key")
    switch({"jwt_templates": {name: None}})
    switch({"jwt_templates": {name: {"lifetime_seconds": seconds, "claims": claims}}})
    return _json(name, current_clerk().settings.jwt_templates[name])


def _forget(name: str) -> None:
    switch({"jwt_templates": {name: None}})
    if name in current_clerk().settings.jwt_templates:
        message = f"The template {name} is in the settings file. Remove it there."
        raise ClerkError("action_blocked", message, 403)


def _template(id: str) -> tuple[str, JwtTemplate]:
    for name, template in current_clerk().settings.jwt_templates.items():
        if template_id(name) == id:
            return name, template
    raise not_found("JWT template")


def template_id(name: str) -> str:
    """The id of the template with that name: always the same one."""
    return f"jtmp_{hashlib.sha256(name.encode()).hexdigest()[:27]}"


def _json(name: str, template: JwtTemplate) -> Json:
    return {
        "object": "jwt_template",
        "id": template_id(name),
        "name": name,
        "claims": template.claims,
        "lifetime": template.lifetime_seconds,
        "allowed_clock_skew": ALLOWED_CLOCK_SKEW_SECONDS,
        "custom_signing_key": False,
        "signing_algorithm": "RS256",
        "created_at": 0,
        "updated_at": 0,
    }
