"""``/me/organization_…``: the user's side: where they belong, and where they are asked to."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import base_url, current_clerk
from ..errors import not_found
from ..membership_requests import Suggestion, accept_suggestion, user_suggestions
from ..memberships import remove_member
from ..organization_domains import invite_by_domain
from ..organization_invitations import accept_invitation, user_invitations
from ..organizations import require_enabled, require_member, user_memberships
from ..resources import Organization, OrganizationInvitation
from ..serializers import (
    Json,
    membership_json,
    memberships_json,
    organization_suggestion_json,
    user_invitations_json,
)
from .browser import answer, current_user
from .organizations.access import choices, page

blueprint = Blueprint("my_organizations", __name__)


@blueprint.get("/organization_memberships")
def list_memberships() -> Json:
    """Where the user belongs."""
    clerk = current_clerk()
    found = user_memberships(clerk, current_user().id)
    limit, offset = page()
    data = memberships_json(clerk, found[offset : offset + limit], base_url())
    return answer({"data": data, "total_count": len(found)})


@blueprint.delete("/organization_memberships/<organization_id>")
def leave(organization_id: str) -> Json:
    """Leave an organization, unless nobody would be in charge of it."""
    clerk = current_clerk()
    membership = require_member(clerk, organization_id, current_user())
    gone = membership_json(clerk, membership, base_url())
    remove_member(clerk, membership)
    return answer(gone)


@blueprint.get("/organization_invitations")
def list_invitations() -> Json:
    """Where the user is asked to join."""
    clerk = current_clerk()
    user = current_user()
    if not clerk.settings.organizations.enabled:
        return answer({"data": [], "total_count": 0})
    invite_by_domain(clerk, user)
    statuses = choices("status")
    found = [
        invitation
        for invitation in user_invitations(clerk, user)
        if not statuses or invitation.status in statuses
    ]
    limit, offset = page()
    data = user_invitations_json(clerk, found[offset : offset + limit], base_url())
    return answer({"data": data, "total_count": len(found)})


@blueprint.post("/organization_invitations/<id>/accept")
def post_acceptance(id: str) -> Json:
    """Join. Only invitations to the user's own addresses are theirs to accept."""
    clerk = current_clerk()
    user = current_user()
    require_enabled(clerk)
    invitation = clerk.store.get(OrganizationInvitation, id)
    if invitation is None:
        raise not_found("Organization invitation")
    accept_invitation(clerk, invitation, user)
    return answer(user_invitations_json(clerk, [invitation], base_url())[0])


@blueprint.get("/organization_suggestions")
def list_suggestions() -> Json:
    """Where the user could ask to join, because of their address."""
    statuses = choices("status")
    shown = [
        suggestion
        for pair in user_suggestions(current_clerk(), current_user())
        if (suggestion := _suggestion(pair)) and (not statuses or suggestion["status"] in statuses)
    ]
    limit, offset = page()
    return answer({"data": shown[offset : offset + limit], "total_count": len(shown)})


@blueprint.post("/organization_suggestions/<id>/accept")
def post_request(id: str) -> Json:
    """Ask to join."""
    clerk = current_clerk()
    user = current_user()
    require_enabled(clerk)
    return answer(_suggestion(accept_suggestion(clerk, user, id)))


@blueprint.get("/organization_creation_defaults")
def get_creation_defaults() -> Json:
    """What the form for a new organization starts with: nothing, here."""
    current_user()
    form = {"name": "", "slug": "", "logo": None, "blur_hash": None}
    return answer({"advisory": None, "form": form})


def _suggestion(pair: Suggestion) -> Json | None:
    domain, asked = pair
    organization = current_clerk().store.get(Organization, domain.organization_id)
    if organization is None:
        return None
    return organization_suggestion_json(domain, organization, asked, base_url())
