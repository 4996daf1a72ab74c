"""Who may do what: the caller's membership of the organization in the path, and its role."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from ...clerk import current_clerk
from ...organizations import foreign_organization, require_member, require_permission
from ...resources import Organization, OrganizationMembership, User
from ..browser import current_user

READ_MEMBERS = ("org:sys_memberships:read", "org:sys_memberships:manage")
MANAGE_MEMBERS = "org:sys_memberships:manage"
READ_DOMAINS = ("org:sys_domains:read", "org:sys_domains:manage")
MANAGE_DOMAINS = "org:sys_domains:manage"
MANAGE_PROFILE = "org:sys_profile:manage"
DELETE_PROFILE = "org:sys_profile:delete"

DEFAULT_LIMIT = 10
MAX_LIMIT = 500


@dataclass(frozen=True)
class Caller:
    """A signed-in member of the organization that the call is about."""

    user: User
    organization: Organization
    membership: OrganizationMembership


def member_of(organization_id: str, *permissions: str) -> Caller:
    """The caller, who belongs to the organization and may do any of these.

    :param permissions: none: every member may.
    :raises ClerkError: 401, 404 for a foreign organization, 403 for a member who may not.
    """
    clerk = current_clerk()
    user = current_user()
    membership = require_member(clerk, organization_id, user)
    if permissions:
        require_permission(clerk, membership, *permissions)
    organization = clerk.store.get(Organization, organization_id)
    if organization is None:
        raise foreign_organization()
    return Caller(user, organization, membership)


def page() -> tuple[int, int]:
    """``limit`` and ``offset``, as Clerk.js sends them; nonsense becomes the default."""
    limit, offset = request.args.get("limit", ""), request.args.get("offset", "")
    size = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else DEFAULT_LIMIT
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 10 else 0
    return min(max(size, 1), MAX_LIMIT), start


def choices(name: str) -> tuple[str, ...]:
    """A query parameter with several values: repeated, or with commas between."""
    values = request.args.getlist(name) + request.args.getlist(f"{name}[]")
    return tuple(part for value in values for part in value.split(",") if part)
