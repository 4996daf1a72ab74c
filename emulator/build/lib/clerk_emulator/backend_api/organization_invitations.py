"""``/organizations/{id}/invitations``, and all invitations of a user or the instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..organization_invitations import (
    DEFAULT_EXPIRES_IN_DAYS,
    NewInvitation,
    expire_invitations,
    invite,
    organization_invitation,
    revoke_invitation,
    user_invitations,
)
from ..organizations import organization_with, require_enabled
from ..resources import Organization, OrganizationInvitation, User
from ..serializers import (
    Json,
    backend_organization_invitation_json,
    public_organization_json,
)
from ..urls import origin_of
from .parameters import (
    flag,
    json_body,
    metadata,
    one_page,
    optional_text,
    required_text,
    whole_number,
)

blueprint = Blueprint("backend_organization_invitations", __name__)
PATH = "/organizations/<id>/invitations"
ORDERS = ("created_at", "email_address")


@blueprint.get(PATH)
def list_invitations(id: str) -> Json:
    """Invitations of an organization, newest first."""
    return _list_of(_organization(id), request.args.getlist("status"))


@blueprint.get(f"{PATH}/pending")
def list_pending(id: str) -> Json:
    """Those that can still be accepted."""
    return _list_of(_organization(id), ["pending"])


@blueprint.post(PATH)
def post_invitation(id: str) -> Json:
    """Ask one person to join."""
    return _invite(_organization(id), [json_body()])[0]


@blueprint.post(f"{PATH}/bulk")
def post_invitations(id: str) -> Json:
    """Ask several people: all of them, or nobody. The body is a list."""
    organization = _organization(id)
    bodies = request.get_json(force=True, silent=True)
    if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
        raise invalid("body", "a list of JSON objects")
    invited = _invite(organization, bodies)
    return {"data": invited, "total_count": len(invited)}


@blueprint.get(f"{PATH}/<invitation_id>")
def get_invitation(id: str, invitation_id: str) -> Json:
    """One invitation."""
    return _answer(organization_invitation(current_clerk(), _organization(id).id, invitation_id))


@blueprint.post(f"{PATH}/<invitation_id>/revoke")
def post_revocation(id: str, invitation_id: str) -> Json:
    """Take a pending invitation back."""
    clerk = current_clerk()
    invitation = organization_invitation(clerk, _organization(id).id, invitation_id)
    revoke_invitation(clerk, invitation)
    return _answer(invitation)


@blueprint.get("/organization_invitations")
def list_all_invitations() -> Json:
    """Invitations of all organizations, newest first."""
    clerk = current_clerk()
    require_enabled(clerk)
    for organization in clerk.store.find(Organization):
        expire_invitations(clerk, organization.id)
    found = clerk.store.find(OrganizationInvitation, newest_first=True)
    return _page(found, request.args.getlist("status"))


@blueprint.get("/users/<user_id>/organization_invitations")
def list_user_invitations(user_id: str) -> Json:
    """Where a user is asked to join."""
    clerk = current_clerk()
    user = clerk.store.get(User, user_id)
    if user is None:
        raise not_found("User")
    return _page(user_invitations(clerk, user), request.args.getlist("status"))


def _organization(id: str) -> Organization:
    clerk = current_clerk()
    require_enabled(clerk)
    return organization_with(clerk, id)


def _list_of(organization: Organization, statuses: list[str]) -> Json:
    clerk = current_clerk()
    expire_invitations(clerk, organization.id)
    found = clerk.store.find(
        OrganizationInvitation, organization_id=organization.id, newest_first=True
    )
    return _page(found, statuses)


def _page(found: list[OrganizationInvitation], statuses: list[str]) -> Json:
    """Narrow down, sort, and take a page."""
    address = request.args.get("email_address", "").strip().lower()
    query = request.args.get("query", "").strip().lower()
    matching = [
        invitation
        for invitation in found
        if (not statuses or invitation.status in statuses)
        and (not address or invitation.email_address == address)
        and query in invitation.email_address
    ]
    order = request.args.get("order_by", "-created_at").strip()
    if order.lstrip("+-") not in ORDERS:
        raise invalid("order_by", f"one of {', '.join(ORDERS)}, with + or - before it")
    matching.reverse()
    if order.lstrip("+-") == "email_address":
        matching.sort(key=lambda invitation: invitation.email_address)
    if order.startswith("-"):
        matching.reverse()
    page = one_page(matching)
    return {"data": _with_organizations(page), "total_count": len(matching)}


def _with_organizations(page: Sequence[OrganizationInvitation]) -> list[Json]:
    organizations = current_clerk().store.get_many(
        Organization, {invitation.organization_id for invitation in page}
    )
    base = current_clerk().config.own_url
    return [
        _answer(invitation)
        | {
            "public_organization_data": public_organization_json(organization, base)
            if (organization := organizations.get(invitation.organization_id))
            else None
        }
        for invitation in page
    ]


def _invite(organization: Organization, bodies: list[dict[str, Any]]) -> list[Json]:
    clerk = current_clerk()
    new = [_read(body) for body in bodies]
    return [_answer(one) for one in invite(clerk, organization, new, clerk.config.own_url)]


def _read(body: dict[str, Any]) -> NewInvitation:
    inviter_id = optional_text(body, "inviter_user_id")
    inviter = current_clerk().store.get(User, inviter_id)
    if inviter_id and inviter is None:
        raise not_found("Inviter")
    redirect_url = optional_text(body, "redirect_url") or ""
    if redirect_url and origin_of(redirect_url) is None:
        raise invalid("redirect_url", "an absolute http or https URL")
    days = whole_number(body, "expires_in_days", least=1)
    if days is not None and days > 365:
        raise invalid("expires_in_days", "between 1 and 365")
    return NewInvitation(
        required_text(body, "email_address"),
        required_text(body, "role"),
        inviter,
        redirect_url,
        days or DEFAULT_EXPIRES_IN_DAYS,
        flag(body, "notify", default=True),
        metadata(body, "public_metadata"),
        metadata(body, "private_metadata"),
    )


def _answer(invitation: OrganizationInvitation) -> Json:
    return backend_organization_invitation_json(current_clerk(), invitation)
