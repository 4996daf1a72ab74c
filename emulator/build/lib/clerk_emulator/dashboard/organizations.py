"""``/dashboard/organizations``: organizations, their members, and who is invited."""

from __future__ import annotations

from flask import Blueprint
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import not_found
from ..organization_changes import delete_organization
from ..resources import (
    Organization,
    OrganizationDomain,
    OrganizationInvitation,
    OrganizationMembership,
)
from .pages import PER_PAGE, Page, go, names_of, offset_of, page_number, render

blueprint = Blueprint("organizations", __name__, url_prefix="/dashboard/organizations")


@blueprint.get("")
def index() -> Response:
    """Organizations, newest first."""
    store, number = current_clerk().store, page_number()
    rows = store.find(Organization, newest_first=True, limit=PER_PAGE, offset=offset_of(number))
    members = store.count_by(
        OrganizationMembership, "organization_id", organization_id=tuple(row.id for row in rows)
    )
    page = Page(rows, number, store.count(Organization))
    return render("organizations.html", section="Organizations", page=page, members=members)


@blueprint.get("/<id>")
def show(id: str) -> Response:
    """One organization, with a page of its members, newest first."""
    store, organization, number = current_clerk().store, _organization(id), page_number()
    members = store.find(
        OrganizationMembership,
        newest_first=True,
        limit=PER_PAGE,
        offset=offset_of(number),
        organization_id=id,
    )
    total = store.count(OrganizationMembership, organization_id=id)
    return render(
        "organization.html",
        section="Organizations",
        organization=organization,
        page=Page(members, number, total),
        names=names_of([member.user_id for member in members]),
        invitations=store.find(OrganizationInvitation, organization_id=id),
        domains=store.find(OrganizationDomain, organization_id=id),
    )


@blueprint.post("/<id>/delete")
def delete(id: str) -> Response:
    """Delete an organization."""
    delete_organization(current_clerk(), _organization(id))
    return go("dashboard.organizations.index", "The organization was deleted.")


def _organization(id: str) -> Organization:
    found = current_clerk().store.get(Organization, id)
    if found is None:
        raise not_found("Organization")
    return found
