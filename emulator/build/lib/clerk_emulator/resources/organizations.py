"""Organizations, who belongs to them, and who is asked to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import Resource


@dataclass
class Organization(Resource):
    """An organization."""

    TABLE = "organizations"
    INDEXED = ("slug",)

    name: str
    slug: str
    created_by: str | None = None
    picture_id: str | None = None
    max_allowed_memberships: int = 5
    """0: as many as there are."""
    admin_delete_enabled: bool = True
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class OrganizationMembership(Resource):
    """One user in one organization."""

    TABLE = "organization_memberships"
    INDEXED = ("organization_id", "user_id")

    organization_id: str
    user_id: str
    role: str
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class OrganizationInvitation(Resource):
    """Somebody is asked by e-mail to join. ``status``: pending, accepted, revoked, expired."""

    TABLE = "organization_invitations"
    INDEXED = ("organization_id", "email_address", "ticket")

    organization_id: str
    email_address: str
    role: str
    status: str = "pending"
    inviter_user_id: str | None = None
    user_id: str | None = None
    """Who accepted."""
    ticket: str = field(default="", repr=False)
    redirect_url: str = ""
    expires_at: int | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class OrganizationDomain(Resource):
    """An e-mail domain whose people are invited or suggested by themselves."""

    TABLE = "organization_domains"
    INDEXED = ("organization_id", "name")

    organization_id: str
    name: str
    enrollment_mode: str = "manual_invitation"
    affiliation_email_address: str | None = None
    verified: bool = False
    verification_id: str | None = None


@dataclass
class MembershipRequest(Resource):
    """Somebody asks to join. ``status``: pending, accepted, rejected."""

    TABLE = "organization_membership_requests"
    INDEXED = ("organization_id", "user_id")

    organization_id: str
    user_id: str
    status: str = "pending"
