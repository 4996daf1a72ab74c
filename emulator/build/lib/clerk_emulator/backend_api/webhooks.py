"""``/webhooks/svix``: the local Clerk sends webhooks itself; its dashboard stands in for Svix's."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError
from ..serializers import Json
from .records import drop_record, find_records, keep_record

blueprint = Blueprint("backend_webhooks", __name__, url_prefix="/webhooks")

REMOVAL = "svix_app_removal"


@blueprint.post("/svix")
def create_svix_app() -> Json:
    """Open the place where webhooks are looked after; it is open from the beginning."""
    for removal in find_records(REMOVAL):
        drop_record(removal)
    return _url()


@blueprint.delete("/svix")
def delete_svix_app() -> tuple[str, int]:
    """Close it. Webhooks are sent all the same: that is the signing secret's business.

    :raises ClerkError: 400 ``svix_app_missing``.
    """
    _require_app()
    keep_record(REMOVAL, "svixrm", {})
    return "", 204


@blueprint.post("/svix_url")
def svix_url() -> Json:
    """Where webhooks are looked after: the dashboard.

    :raises ClerkError: 400 ``svix_app_missing``.
    """
    _require_app()
    return _url()


def _require_app() -> None:
    if find_records(REMOVAL):
        message = "No Svix apps are associated with the current instance."
        raise ClerkError("svix_app_missing", message, 400)


def _url() -> Json:
    return {"svix_url": f"{current_clerk().config.own_url}/dashboard/webhooks"}
