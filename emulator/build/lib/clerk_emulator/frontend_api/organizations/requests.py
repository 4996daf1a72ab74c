"""``/organizations/{id}/membership_requests``: who asks to join, and the decision."""

from __future__ import annotations

from flask import Blueprint

from ...clerk import base_url, current_clerk
from ...membership_requests import accept_request, membership_request, reject_request
from ...resources import MembershipRequest
from ...serializers import Json, membership_request_json
from ...store import Value
from ..browser import answer
from .access import MANAGE_MEMBERS, choices, member_of, page

blueprint = Blueprint("membership_requests", __name__, url_prefix="/<id>/membership_requests")


@blueprint.get("")
def list_requests(id: str) -> Json:
    """Requests, newest first; without ``status`` those that wait for a decision."""
    member_of(id, MANAGE_MEMBERS)
    clerk = current_clerk()
    equal: dict[str, Value] = {"organization_id": id, "status": choices("status") or "pending"}
    limit, offset = page()
    found = clerk.store.find(
        MembershipRequest, newest_first=True, limit=limit, offset=offset, **equal
    )
    return answer(
        {
            "data": [membership_request_json(clerk, asked, base_url()) for asked in found],
            "total_count": clerk.store.count(MembershipRequest, **equal),
        }
    )


@blueprint.post("/<request_id>/<any(accept, reject):decision>")
def post_decision(id: str, request_id: str, decision: str) -> Json:
    """Let somebody in, or not."""
    member_of(id, MANAGE_MEMBERS)
    clerk = current_clerk()
    asked = membership_request(clerk, id, request_id)
    if decision == "accept":
        accept_request(clerk, asked)
    else:
        reject_request(clerk, asked)
    return answer(membership_request_json(clerk, asked, base_url()))
