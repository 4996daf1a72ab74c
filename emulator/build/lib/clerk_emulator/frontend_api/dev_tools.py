"""``/dev_tools``: what Clerk.js offers to developers in a development instance."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import base_url, current_clerk
from ..serializers import Json
from .browser import current_client
from .environment import environment_json

blueprint = Blueprint("dev_tools", __name__, url_prefix="/dev_tools")


@blueprint.patch("/enable_environment_setting")
def enable_environment_setting() -> Json:
    """Switch organizations on, as the prompt offers that a page shows which needs them.

    It can only switch on, never off, and a real Clerk has it in development instances alone.
    """
    current_client()
    clerk = current_clerk()
    form = request.form
    tables: dict[str, Any] = {}
    if form.get("enable_organizations") == "true":
        tables["enabled"] = True
        if form.get("organization_allow_personal_accounts") == "false":
            tables["force_organization_selection"] = True
    if tables:
        clerk.source.switch({"organizations": tables})
    return environment_json(clerk, base_url())
