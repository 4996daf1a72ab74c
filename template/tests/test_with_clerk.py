"""How to test with a local Clerk: the fixture ``clerk`` is a clerk_emulator.testing.RunningClerk."""

from __future__ import annotations

from typing import Any

import requests
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import Membership, User
from app.clerk import clerk_of, requires
from app.database import db
from clerk_emulator.testing import OpenPage, RunningClerk

from .conftest import BROWSER, ON_BOTH_DATABASES


def test_the_dashboard_is_for_people_who_are_signed_in(site: Flask, clerk: RunningClerk) -> None:
    visitor = site.test_client()
    page = visitor.get("/dashboard", headers=BROWSER, follow_redirects=True)
    assert page.request.path == "/login"

    clerk.sign_in(visitor, clerk.create_user(first_name="Ada"))
    assert "Welcome, Ada" in visitor.get("/dashboard", headers=BROWSER).text


def test_an_organization_is_active_or_not(site: Flask, clerk: RunningClerk) -> None:
    acme = clerk.create_organization("Acme")
    ada = clerk.create_user(organization=acme)
    visitor = site.test_client()

    clerk.sign_in(visitor, ada, acme)
    assert visitor.get("/api/me").get_json()["organization_id"] == acme.id
    clerk.sign_in(visitor, ada)
    assert visitor.get("/api/me").get_json()["organization_id"] is None


def test_a_rule_tells_an_admin_from_a_member(site: Flask, clerk: RunningClerk) -> None:
    site.add_url_rule("/invoices", view_func=requires(role="admin")(lambda: "all invoices"))
    acme = clerk.create_organization("Acme")
    admin = clerk.create_user("ada@example.com", organization=acme, role="org:admin")
    member = clerk.create_user("bob@example.com", organization=acme)
    answers = {}
    for user in (admin, member):
        visitor = site.test_client()
        clerk.sign_in(visitor, user, acme)
        answers[user.id] = visitor.get("/invoices").status_code
    assert answers == {admin.id: 200, member.id: 403}


def test_programs_bring_a_session_token(site: Flask, clerk: RunningClerk) -> None:
    ada = clerk.create_user()
    headers = {"Authorization": f"Bearer {clerk.session_token(ada)}"}
    assert site.test_client().get("/api/me", headers=headers).get_json()["user_id"] == ada.id


def test_a_session_outlives_its_token_but_not_its_week(site: Flask, clerk: RunningClerk) -> None:
    visitor = site.test_client()
    clerk.sign_in(visitor, clerk.create_user())
    clerk.advance(seconds=120)
    assert visitor.get("/api/me").status_code == 401  # programs ask Clerk for a new token first
    page = visitor.get("/dashboard", headers=BROWSER, follow_redirects=True)
    assert page.request.path == "/dashboard"

    clerk.advance(seconds=8 * 24 * 3600)
    visitor.delete_cookie("__clerk_redirect_count")
    page = visitor.get("/dashboard", headers=BROWSER, follow_redirects=True)
    assert page.request.path == "/login"


@ON_BOTH_DATABASES
def test_our_rows_follow_clerks(site: Flask, clerk: RunningClerk) -> None:
    acme = clerk.create_organization("Acme")
    ada = clerk.create_user("ada@example.com", first_name="Ada", organization=acme)
    assert [event["type"] for event in clerk.webhooks] == [
        "organization.created",
        "user.created",
        "organizationMembership.created",
    ]
    clerk.deliver_webhooks(site.test_client())
    with site.app_context():
        stored = db.session.get_one(User, ada.id)
        assert (stored.email, stored.name) == ("ada@example.com", "Ada")
        assert [organization.name for organization in stored.organizations] == ["Acme"]


@ON_BOTH_DATABASES
def test_what_is_deleted_at_clerk_is_deleted_here(site: Flask, clerk: RunningClerk) -> None:
    ada = clerk.create_user("ada@example.com", organization=clerk.create_organization("Acme"))
    clerk.deliver_webhooks(site.test_client())
    clerk_of(site).api.delete_user(ada.id)
    clerk.deliver_webhooks(site.test_client())
    with site.app_context():
        assert db.session.get(User, ada.id) is None
        assert db.session.scalars(sa.select(Membership)).all() == []


def test_a_site_that_really_runs(live_site: str, clerk: RunningClerk) -> None:
    session = requests.Session()
    session.cookies.update(clerk.cookies_for(clerk.create_user(first_name="Ada")))
    assert "Welcome, Ada" in session.get(f"{live_site}/dashboard", headers=BROWSER, timeout=10).text


def test_settings_hold_for_one_test(clerk: RunningClerk) -> None:
    assert clerk.settings(sign_up={"mode": "restricted"}).sign_up.mode == "restricted"
    assert clerk.inbox() == []


def test_pages_in_a_real_browser(browser_page: OpenPage, clerk: RunningClerk) -> None:
    page: Any = browser_page(clerk.create_user(first_name="Ada"))
    page.goto("/dashboard")
    assert page.get_by_role("heading", name="Welcome, Ada").is_visible()
