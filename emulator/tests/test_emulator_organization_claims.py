"""The claims of session tokens about the active organization (version 2)."""

from __future__ import annotations

from typing import Any

import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.organizations import organization_claims, permission_bitmaps
from clerk_emulator.resources import Organization, OrganizationMembership, Session

ROLE = "org:billing"
PERMISSIONS = (
    "org:sys_memberships:read",
    "org:invoices:read",
    "org:invoices:pay",
    "org:reports:read",
)


@pytest.fixture
def session(clerk: LocalClerk) -> Session:
    """The claims of a member with a custom role, in the organization."""
    clerk.source.replace(
        {"organizations": {"enabled": True, "roles": [{"key": ROLE, "permissions": PERMISSIONS}]}}
    )
    clerk.store.put(Organization("org_1", 1, 1, "Acme", "acme"))
    clerk.store.put(OrganizationMembership("orgmem_1", 1, 1, "org_1", "user_1", ROLE))
    return Session(
        "sess_1", 1, 1, "client_1", "user_1", 9, 9, 1, 1, last_active_organization_id="org_1"
    )


def test_permissions_are_encoded_as_bitmaps(clerk: LocalClerk, session: Session) -> None:
    expected = {"id": "org_1", "slg": "acme", "rol": "billing", "per": "read,pay", "fpm": "3,1"}
    assert organization_claims(clerk, session) == {"o": expected, "fea": "o:invoices,o:reports"}


def test_a_plan_without_the_feature_removes_its_permissions(
    clerk: LocalClerk, session: Session
) -> None:
    claims = organization_claims(clerk, session, plan_features=["export", "reports"])
    assert claims["fea"] == "o:reports,o:export"
    assert (claims["o"]["per"], claims["o"]["fpm"]) == ("read", "1")


def test_bitmaps_can_be_long() -> None:
    names = [f"p{number}" for number in range(80)]
    assert permission_bitmaps({"a": names, "b": ["p79"]})["fpm"] == f"{2**80 - 1},{2**79}"


@pytest.mark.parametrize(
    "settings",
    [{"enabled": False}, {"enabled": True, "slugs": False, "roles": [{"key": "org:other"}]}],
)
def test_disabled_features_are_not_in_the_claims(
    clerk: LocalClerk, session: Session, settings: dict[str, Any]
) -> None:
    clerk.source.replace({"organizations": settings})
    expected = {"o": {"id": "org_1", "rol": "billing"}} if settings["enabled"] else {}
    assert organization_claims(clerk, session) == expected


@pytest.mark.parametrize(
    ("organization", "user"), [(None, "user_1"), ("org_2", "user_1"), ("org_1", "user_2")]
)
def test_a_user_who_is_not_a_member_has_no_claims(
    clerk: LocalClerk, session: Session, organization: str | None, user: str
) -> None:
    session.last_active_organization_id = organization
    session.user_id = user
    assert organization_claims(clerk, session) == {}
