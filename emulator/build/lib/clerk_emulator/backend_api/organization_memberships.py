"""``/organizations/{id}/memberships``, and all memberships of a user or the instance."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid, not_found
from ..member_lists import ORDERS, MemberFilter, list_members
from ..memberships import add_member, change_role, remove_member, save_membership
from ..metadata import merge
from ..organizations import membership_of, organization_with, require_enabled, user_memberships
from ..resources import OrganizationMembership, User
from ..serializers import Json, backend_membership_json, backend_memberships_json
from .parameters import json_body, metadata, one_page, page, required_text

blueprint = Blueprint("backend_memberships", __name__)
PATH = "/organizations/<id>/memberships"

TEXT_QUERIES = (
    "query",
    "name_query",
    "email_address_query",
    "username_query",
    "phone_number_query",
)


@blueprint.get(PATH)
def list_memberships(id: str) -> Json:
    """Members, newest first, narrowed down by role, person or text."""
    clerk = current_clerk()
    require_enabled(clerk)
    organization = organization_with(clerk, id)
    args = request.args
    texts: dict[str, Any] = {name: args.get(name, "") for name in TEXT_QUERIES}
    wanted = MemberFilter(
        roles=tuple(args.getlist("role")),
        user_ids=tuple(args.getlist("user_id")),
        email_addresses=tuple(address.lower() for address in args.getlist("email_address")),
        order_by=_order(ORDERS),
        **texts,
    )
    members, total = list_members(clerk, organization.id, wanted, *page())
    return {"data": backend_memberships_json(clerk, members), "total_count": total}


@blueprint.post(PATH)
def post_membership(id: str) -> Json:
    """Let somebody in."""
    clerk = current_clerk()
    require_enabled(clerk)
    organization = organization_with(clerk, id)
    body = json_body()
    user = clerk.store.get(User, required_text(body, "user_id"))
    if user is None:
        raise not_found("User")
    membership = add_member(
        clerk,
        organization,
        user,
        required_text(body, "role"),
        public_metadata=metadata(body, "public_metadata"),
        private_metadata=metadata(body, "private_metadata"),
    )
    return backend_membership_json(clerk, membership)


@blueprint.patch(f"{PATH}/<user_id>")
def patch_membership(id: str, user_id: str) -> Json:
    """Give a member another role."""
    membership = _membership(id, user_id)
    change_role(current_clerk(), membership, required_text(json_body(), "role"))
    return backend_membership_json(current_clerk(), membership)


@blueprint.patch(f"{PATH}/<user_id>/metadata")
def patch_metadata(id: str, user_id: str) -> Json:
    """Merge metadata into what there is; null removes a key."""
    membership = _membership(id, user_id)
    body = json_body()
    for name in ("public_metadata", "private_metadata"):
        setattr(membership, name, merge(getattr(membership, name), metadata(body, name)))
    save_membership(current_clerk(), membership)
    return backend_membership_json(current_clerk(), membership)


@blueprint.delete(f"{PATH}/<user_id>")
def delete_membership(id: str, user_id: str) -> Json:
    """Put a member out; the answer is the membership that was."""
    membership = _membership(id, user_id)
    gone = backend_membership_json(current_clerk(), membership)
    remove_member(current_clerk(), membership)
    return gone


@blueprint.get("/organization_memberships")
def list_all_memberships() -> Json:
    """Every membership of the instance, newest first."""
    clerk = current_clerk()
    require_enabled(clerk)
    limit, offset = page()
    newest_first = _order(("created_at",)).startswith("-")
    found = clerk.store.find(
        OrganizationMembership, newest_first=newest_first, limit=limit, offset=offset
    )
    total = clerk.store.count(OrganizationMembership)
    return {"data": backend_memberships_json(clerk, found), "total_count": total}


@blueprint.get("/users/<user_id>/organization_memberships")
def list_user_memberships(user_id: str) -> Json:
    """Where a user belongs."""
    clerk = current_clerk()
    if clerk.store.get(User, user_id) is None:
        raise not_found("User")
    found = user_memberships(clerk, user_id)
    return {"data": backend_memberships_json(clerk, one_page(found)), "total_count": len(found)}


def _membership(id: str, user_id: str) -> OrganizationMembership:
    clerk = current_clerk()
    require_enabled(clerk)
    membership = membership_of(clerk, organization_with(clerk, id).id, user_id)
    if membership is None:
        raise not_found("Organization membership")
    return membership


def _order(known: tuple[str, ...]) -> str:
    order = request.args.get("order_by", "-created_at").strip()
    if order.lstrip("+-") not in known:
        raise invalid("order_by", f"one of {', '.join(known)}, with + or - before it")
    return order
