"""``/organization`` and ``/create-organization``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..organizations import membership_of, role_permissions
from ..urls import with_query
from .confirmation import NEEDED, confirm_first
from .csrf import check_form
from .frontend import response_of, rows_of
from .pages import link, render, signed_in

blueprint = Blueprint("organization", __name__)

DONE = {
    "created": "The organization was created.",
    "switched": "You switched to another organization.",
    "renamed": "The name was saved.",
    "invited": "The invitation was sent.",
    "revoked": "The invitation was revoked.",
    "role": "The role was changed.",
    "removed": "The member was removed.",
    "left": "You left the organization.",
    "deleted": "The organization was deleted.",
    "invitations": "You joined the organization.",
    "suggestions": "Your request was sent. The organization has to approve it.",
}
"""What the page says after a form was sent."""
MANAGE = "org:sys_memberships:manage"
READ = "org:sys_memberships:read"
CHANGE = "org:sys_profile:manage"
DELETE = "org:sys_profile:delete"


@blueprint.get("/create-organization")
def show_creation() -> Response:
    """The form for a new organization."""
    if signed_in() is None:
        return redirect(link("/sign-in"), 303)
    return _creation_page(None)


@blueprint.post("/create-organization")
def create() -> Response:
    """Make an organization, and make it the active one."""
    check_form()
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    form = {name: request.form[name] for name in ("name", "slug") if request.form.get(name)}
    try:
        with current_clerk().store.transaction():
            organization = response_of("/organizations", **form)
            _activate(current[0].id, organization["id"])
    except ClerkError as error:
        return _creation_page(error)
    return _back("created")


@blueprint.get("/organization")
def show() -> Response:
    """The user's organizations, and the active one with its members."""
    return _page(None) if signed_in() else redirect(link("/sign-in"), 303)


@blueprint.post("/organization/switch")
def switch() -> Response:
    """Make another organization the active one; none: the personal account."""
    check_form()
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    try:
        _activate(current[0].id, request.form.get("organization_id", ""))
    except ClerkError as error:
        return _page(error)
    return _back("switched")


@blueprint.post("/organization/name")
def rename() -> Response:
    """Change the name of the active organization."""
    return _change("", "PATCH", "renamed", name=request.form.get("name", ""))


@blueprint.post("/organization/invitations")
def invite() -> Response:
    """Ask somebody by e-mail to join."""
    form = {name: request.form.get(name, "") for name in ("email_address", "role")}
    return _change("/invitations", "POST", "invited", **form)


@blueprint.post("/organization/invitations/<id>/revoke")
def revoke(id: str) -> Response:
    """Take an invitation back."""
    return _change(f"/invitations/{id}/revoke", "POST", "revoked")


@blueprint.post("/organization/memberships/<user_id>/<any(remove, role):action>")
def change_member(user_id: str, action: str) -> Response:
    """Remove a member, or give them another role."""
    if action == "remove":
        return _change(f"/memberships/{user_id}", "DELETE", "removed")
    role = request.form.get("role", "")
    return _change(f"/memberships/{user_id}", "PATCH", "role", role=role)


@blueprint.post("/organization/leave")
def leave_organization() -> Response:
    """Be no longer a member of the active organization."""
    check_form()
    try:
        response_of(f"/me/organization_memberships/{_active_id()}", "DELETE")
    except ClerkError as error:
        return _refused(error)
    return _back("left")


@blueprint.get("/organization/delete")
def confirm_deletion() -> Response:
    """Is that really meant?"""
    current = signed_in()
    if current is None:
        return redirect(link("/sign-in"), 303)
    active = _active(rows_of("/me/organization_memberships"))
    if active is None or not active["may_delete"]:
        return redirect(link("/organization"), 303)
    return render("delete_organization.html", organization=active["organization"])


@blueprint.post("/organization/delete")
def delete() -> Response:
    """Delete the active organization."""
    return _change("", "DELETE", "deleted")


@blueprint.post("/organization/join/<any(invitations, suggestions):kind>/<id>")
def join(kind: str, id: str) -> Response:
    """Accept an invitation to another organization, or ask to join one."""
    check_form()
    try:
        response_of(f"/me/organization_{kind}/{id}/accept")
    except ClerkError as error:
        return _refused(error)
    return _back(kind)


def _change(path: str, method: str, done: str, **form: str) -> Response:
    check_form()
    try:
        response_of(f"/organizations/{_active_id()}{path}", method, **form)
    except ClerkError as error:
        return _refused(error)
    return _back(done)


def _back(done: str) -> Response:
    """To the organizations.

    :param done: key of what the page then says.
    """
    return redirect(with_query(link("/organization"), done=done), 303)


def _activate(session_id: str, organization_id: str) -> None:
    response_of(f"/client/sessions/{session_id}/touch", active_organization_id=organization_id)


def _active_id() -> str:
    """The active organization, which is the only one that the page changes."""
    current = signed_in()
    return (current[0].last_active_organization_id if current else None) or "none"


def _refused(error: ClerkError) -> Response:
    if signed_in() is None:
        return redirect(link("/sign-in"), 303)
    return confirm_first() if error.code == NEEDED else _page(error)


def _page(error: ClerkError | None) -> Response:
    rules = current_clerk().settings.organizations
    memberships = rows_of("/me/organization_memberships") if rules.enabled else []
    return render(
        "organization.html",
        enabled=rules.enabled,
        memberships=memberships,
        active=_active(memberships),
        invited=_offers("invitations") if rules.enabled else [],
        suggested=_offers("suggestions") if rules.enabled else [],
        personal=not rules.force_organization_selection,
        roles=rules.roles,
        default_role=rules.default_role,
        values=request.form,
        done=None if error else DONE.get(request.args.get("done", "")),
        error=error,
    )


def _offers(kind: str) -> list[dict[str, Any]]:
    """Where the user could join."""
    return rows_of(f"/me/organization_{kind}?status=pending")


def _active(memberships: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The active organization, and what the user may see of it."""
    current = signed_in()
    clerk = current_clerk()
    id = _active_id()
    if current is None or (membership := membership_of(clerk, id, current[1].id)) is None:
        return None
    may = role_permissions(clerk, membership.role)
    organization = next(m["organization"] for m in memberships if m["organization"]["id"] == id)
    invited = f"/organizations/{id}/invitations?status=pending"
    return {
        "organization": organization,
        "role": membership.role,
        "user_id": current[1].id,
        "may_change": CHANGE in may,
        "may_manage": MANAGE in may,
        "may_delete": DELETE in may and organization["admin_delete_enabled"],
        "members": rows_of(f"/organizations/{id}/memberships") if READ in may else [],
        "invitations": rows_of(invited) if MANAGE in may else [],
    }


def _creation_page(error: ClerkError | None) -> Response:
    rules = current_clerk().settings.organizations
    return render(
        "create_organization.html",
        enabled=rules.enabled,
        slugs=rules.slugs,
        values=request.form,
        error=error,
    )
