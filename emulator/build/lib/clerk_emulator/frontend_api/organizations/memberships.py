"""``/organizations/{id}/memberships``: listing, adding, changing and removing members."""

from __future__ import annotations

from flask import Blueprint, request

from ...clerk import base_url, current_clerk
from ...errors import missing, not_found
from ...member_lists import ORDERS, MemberFilter, list_members
from ...memberships import add_member, change_role, remove_member
from ...organizations import membership_of
from ...resources import OrganizationMembership, User
from ...serializers import Json, membership_json, memberships_json
from ..browser import answer
from .access import MANAGE_MEMBERS, READ_MEMBERS, choices, member_of, page

blueprint = Blueprint("memberships", __name__, url_prefix="/<id>/memberships")


@blueprint.get("")
def get_memberships(id: str) -> Json:
    """Members, newest first; ``query`` and ``role`` narrow them down."""
    member_of(id, *READ_MEMBERS)
    clerk = current_clerk()
    order = request.args.get("order_by") or request.args.get("orderBy") or ""
    known = order.lstrip("+- ") in ORDERS
    wanted = MemberFilter(
        roles=choices("role"),
        query=request.args.get("query", ""),
        order_by=order if known else "-created_at",
    )
    members, total = list_members(clerk, id, wanted, *page())
    data = memberships_json(clerk, members, base_url())
    return answer({"data": data, "total_count": total})


@blueprint.post("")
def post_membership(id: str) -> Json:
    """Let somebody in without asking them, as the older ``addMember`` does."""
    clerk = current_clerk()
    organization = member_of(id, MANAGE_MEMBERS).organization
    user = clerk.store.get(User, request.form.get("user_id") or missing_user())
    if user is None:
        raise not_found("User")
    return _answer(add_member(clerk, organization, user, request.form.get("role", "")))


def missing_user() -> str:
    """Refuse a call that names nobody.

    :raises ClerkError: 422, always.
    """
    raise missing("user_id")


@blueprint.patch("/<user_id>")
def patch_membership(id: str, user_id: str) -> Json:
    """Give a member another role."""
    member_of(id, MANAGE_MEMBERS)
    membership = _membership(id, user_id)
    change_role(current_clerk(), membership, request.form.get("role", ""))
    return _answer(membership)


@blueprint.delete("/<user_id>")
def delete_membership(id: str, user_id: str) -> Json:
    """Put a member out; the answer is the membership that was."""
    member_of(id, MANAGE_MEMBERS)
    membership = _membership(id, user_id)
    gone = membership_json(current_clerk(), membership, base_url())
    remove_member(current_clerk(), membership)
    return answer(gone)


def _membership(organization_id: str, user_id: str) -> OrganizationMembership:
    membership = membership_of(current_clerk(), organization_id, user_id)
    if membership is None:
        raise not_found("Organization membership")
    return membership


def _answer(membership: OrganizationMembership) -> Json:
    return answer(membership_json(current_clerk(), membership, base_url()))
