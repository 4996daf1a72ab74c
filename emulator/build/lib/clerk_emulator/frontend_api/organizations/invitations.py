"""``/organizations/{id}/invitations``: asking people to join, and taking it back."""

from __future__ import annotations

from flask import Blueprint, request

from ...clerk import base_url, current_clerk
from ...organization_invitations import (
    NewInvitation,
    expire_invitations,
    invite,
    organization_invitation,
    revoke_invitation,
)
from ...resources import OrganizationInvitation
from ...serializers import Json, organization_invitation_json
from ...store import Value
from ..browser import answer
from .access import MANAGE_MEMBERS, choices, member_of, page

blueprint = Blueprint("organization_invitations", __name__, url_prefix="/<id>/invitations")


@blueprint.get("")
def list_invitations(id: str) -> Json:
    """Invitations, newest first; ``status`` narrows them down."""
    member_of(id, MANAGE_MEMBERS)
    clerk = current_clerk()
    expire_invitations(clerk, id)
    equal: dict[str, Value] = {"organization_id": id}
    equal |= {"status": statuses} if (statuses := choices("status")) else {}
    limit, offset = page()
    found = clerk.store.find(
        OrganizationInvitation, newest_first=True, limit=limit, offset=offset, **equal
    )
    return answer(
        {
            "data": [organization_invitation_json(clerk, invitation) for invitation in found],
            "total_count": clerk.store.count(OrganizationInvitation, **equal),
        }
    )


@blueprint.post("")
def post_invitation(id: str) -> Json:
    """Ask one person."""
    return answer(_invite(id, [request.form.get("email_address", "")])[0])


@blueprint.post("/bulk")
def post_invitations(id: str) -> Json:
    """Ask several people at once: all of them, or nobody."""
    return answer(_invite(id, request.form.getlist("email_address")))


@blueprint.post("/<invitation_id>/revoke")
def post_revocation(id: str, invitation_id: str) -> Json:
    """Take a pending invitation back."""
    member_of(id, MANAGE_MEMBERS)
    clerk = current_clerk()
    invitation = organization_invitation(clerk, id, invitation_id)
    revoke_invitation(clerk, invitation)
    return answer(organization_invitation_json(clerk, invitation))


def _invite(organization_id: str, addresses: list[str]) -> list[Json]:
    caller = member_of(organization_id, MANAGE_MEMBERS)
    clerk = current_clerk()
    role = request.form.get("role", "")
    new = [NewInvitation(address, role, caller.user) for address in addresses]
    invited = invite(clerk, caller.organization, new, base_url())
    return [organization_invitation_json(clerk, invitation) for invitation in invited]
