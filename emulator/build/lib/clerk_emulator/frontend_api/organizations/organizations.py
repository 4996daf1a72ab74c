"""``/organizations/{id}``: the organization itself, and its roles."""

from __future__ import annotations

from flask import Blueprint, request

from ...clerk import base_url, current_clerk
from ...organization_changes import (
    NewOrganization,
    check_slug,
    create_organization,
    delete_organization,
    require_may_be_deleted,
    require_may_create,
    save_organization,
    set_logo,
)
from ...organizations import active_organization_id
from ...resources import Organization
from ...serializers import Json, organization_json, role_json
from ...users import check_required_name
from ..browser import answer, current_user
from ..uploads import uploaded_picture
from .access import DELETE_PROFILE, MANAGE_PROFILE, READ_MEMBERS, member_of, page

blueprint = Blueprint("organization", __name__)


@blueprint.post("")
def post_organization() -> Json:
    """Make an organization; who makes it is in charge of it."""
    clerk = current_clerk()
    user = current_user()
    require_may_create(clerk, user)
    new = NewOrganization(request.form.get("name", ""), request.form.get("slug") or None)
    return _answer(create_organization(clerk, new, user))


@blueprint.get("/<id>")
def get_organization(id: str) -> Json:
    """One of the user's organizations, by id or slug."""
    user = current_user()
    found = active_organization_id(current_clerk(), user.id, id)
    return _answer(member_of(found or "").organization)


@blueprint.patch("/<id>")
def patch_organization(id: str) -> Json:
    """Change its name or slug."""
    clerk = current_clerk()
    organization = member_of(id, MANAGE_PROFILE).organization
    if "name" in request.form:
        organization.name = check_required_name(request.form["name"])
    if request.form.get("slug") and clerk.settings.organizations.slugs:
        organization.slug = check_slug(clerk, request.form["slug"], organization)
    save_organization(clerk, organization)
    return _answer(organization)


@blueprint.delete("/<id>")
def remove_organization(id: str) -> Json:
    """Delete it, where its own people may."""
    clerk = current_clerk()
    organization = member_of(id, DELETE_PROFILE).organization
    require_may_be_deleted(clerk, organization)
    return answer(delete_organization(clerk, organization))


@blueprint.put("/<id>/logo")
def put_logo(id: str) -> Json:
    """Show another picture."""
    organization = member_of(id, MANAGE_PROFILE).organization
    set_logo(current_clerk(), organization, uploaded_picture().id)
    return _answer(organization)


@blueprint.delete("/<id>/logo")
def delete_logo(id: str) -> Json:
    """Show the drawn picture again."""
    organization = member_of(id, MANAGE_PROFILE).organization
    set_logo(current_clerk(), organization, None)
    return _answer(organization)


@blueprint.get("/<id>/roles")
def list_roles(id: str) -> Json:
    """What members can be here, and what that allows them."""
    member_of(id, *READ_MEMBERS)
    clerk = current_clerk()
    roles = [role_json(clerk, role) for role in clerk.settings.organizations.roles]
    limit, offset = page()
    return answer(
        {
            "data": roles[offset : offset + limit],
            "total_count": len(roles),
            "has_role_set_migration": False,
        }
    )


def _answer(organization: Organization) -> Json:
    return answer(organization_json(current_clerk(), organization, base_url()))
