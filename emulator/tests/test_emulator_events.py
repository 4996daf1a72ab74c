"""Which webhook events there are, what causes each, and their format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event
from clerk_emulator.testing import PASSWORD, Backend, Browser, ManualClock

from .organizations import create, enable, join, person, switch, user_id

Json = dict[str, Any]
DAY = 24 * 3600


class Events:
    """The events recorded since they were last read."""

    def __init__(self, clerk: LocalClerk) -> None:
        self._clerk = clerk
        self.since_now()

    def since_now(self) -> None:
        self._seen = len(self._clerk.store.find(Event))

    def events(self) -> list[Json]:
        found = self._clerk.store.find(Event)[self._seen :]
        self.since_now()
        return [json.loads(event.body) for event in found]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def only(self, type: str) -> Json:
        """The data of the one event of that type."""
        (event,) = [event for event in self.events() if event["type"] == type]
        data: Json = event["data"]
        return data


@pytest.fixture
def recorded(clerk: LocalClerk) -> Events:
    return Events(clerk)


def test_the_envelope_says_who_caused_it(browser: Browser, recorded: Events) -> None:
    headers = {"User-Agent": "Firefox/140.0", "X-Forwarded-For": "203.0.113.9, 10.0.0.1"}
    form = {"email_address": "ada@example.com", "password": PASSWORD}
    query = {"__clerk_db_jwt": browser.dev_browser}
    begun = browser.http.post("/v1/client/sign_ups", query_string=query, data=form)
    path = f"/v1/client/sign_ups/{begun.get_json()['response']['id']}/prepare_verification"
    form = {"strategy": "email_code"}
    browser.http.post(path, query_string=query, data=form, headers=headers)
    (event,) = recorded.events()
    assert event["event_attributes"] == {
        "http_request": {"client_ip": "203.0.113.9", "user_agent": "Firefox/140.0"}
    }
    assert set(event) == {
        "type",
        "object",
        "data",
        "event_attributes",
        "timestamp",
        "instance_id",
    }


def test_signing_up_and_out(browser: Browser, recorded: Events) -> None:
    browser.sign_up("ada@example.com")
    assert recorded.types() == ["email.created", "user.created", "session.created"]
    browser.post(f"/client/sessions/{browser.session()['id']}/end")
    assert recorded.types() == ["session.ended"]
    browser.sign_in("ada@example.com")
    browser.post("/client/sessions", "DELETE")
    assert recorded.types() == ["session.created", "session.removed"]


def test_the_server_changes_and_deletes_a_user(
    ada: Browser, backend: Backend, recorded: Events
) -> None:
    id = user_id(ada)
    backend.send("PATCH", f"/users/{id}", external_id="crm-1")
    assert recorded.only("user.updated")["external_id"] == "crm-1"
    backend.send("POST", f"/users/{id}/ban")
    assert recorded.types() == ["user.updated", "session.revoked"]
    backend.send("DELETE", f"/users/{id}")
    assert recorded.only("user.deleted") == {
        "object": "user",
        "id": id,
        "deleted": True,
        "external_id": "crm-1",
    }


def test_a_session_event_includes_its_user(browser: Browser, recorded: Events) -> None:
    browser.sign_up("ada@example.com")
    data = recorded.only("session.created")
    assert (data["object"], data["status"]) == ("session", "active")
    assert data["user"]["id"] == data["user_id"]
    assert "private_metadata" in data["user"]


def test_a_session_with_a_task_is_pending(
    browser: Browser, clerk: LocalClerk, recorded: Events
) -> None:
    enable(clerk, force_organization_selection=True)
    browser.sign_up("ada@example.com")
    types = ["email.created", "user.created", "session.created", "session.pending"]
    assert recorded.types() == types


@pytest.mark.parametrize("seconds", [8 * DAY])
def test_an_expired_session_sends_no_event(
    ada: Browser, backend: Backend, recorded: Events, clock: ManualClock, seconds: int
) -> None:
    clock.forward(seconds=seconds)
    assert ada.client()["sessions"] == []
    assert recorded.types() == []


def test_an_email_event_is_complete(ada: Browser, emulator: Flask, recorded: Events) -> None:
    other = Browser(emulator)
    form = {"identifier": "ada@example.com", "strategy": "reset_password_email_code"}
    other.post("/client/sign_ins", **form)
    data = recorded.only("email.created")
    address = ada.session()["user"]["email_addresses"][0]
    assert data["id"].startswith("ema_")
    assert (data["object"], data["slug"]) == ("email", "reset_password_code")
    assert data["to_email_address"] == "ada@example.com"
    assert (data["email_address_id"], data["user_id"]) == (address["id"], user_id(ada))
    assert data["data"]["otp_code"] == "424242"
    assert "424242" in data["body"]
    assert (data["status"], data["delivered_by_clerk"]) == ("queued", True)
    assert data["from_email_name"]


def test_an_sms_event_is_complete(browser: Browser, clerk: LocalClerk, recorded: Events) -> None:
    phone = {
        "enabled": True,
        "verify_at_sign_up": True,
        "used_for_first_factor": True,
        "verifications": ["phone_code"],
    }
    clerk.source.replace({"attributes": {"phone_number": phone}})
    form = {"phone_number": "+15555550100", "email_address": "a@b.co", "password": PASSWORD}
    begun = browser.post("/client/sign_ups", **form).get_json()["response"]["id"]
    browser.post(f"/client/sign_ups/{begun}/prepare_verification", strategy="phone_code")
    data = recorded.only("sms.created")
    assert (data["object"], data["slug"]) == ("sms_message", "verification_code")
    assert data["to_phone_number"] == "+15555550100"
    assert "424242" in data["message"]
    assert (data["phone_number_id"], data["user_id"]) == (None, None)


def test_invitations(browser: Browser, backend: Backend, recorded: Events) -> None:
    invited = backend.send("POST", "/invitations", email_address="ada@example.com").get_json()
    first, second = recorded.events()
    assert [first["type"], second["type"]] == ["email.created", "invitation.created"]
    assert first["data"]["slug"] == "invitation"
    assert second["data"] == invited
    ticket = invited["url"].partition("ticket=")[2]
    browser.post("/client/sign_ups", ticket=ticket, password=PASSWORD)
    assert recorded.only("invitation.accepted")["status"] == "accepted"
    other = backend.send("POST", "/invitations", email_address="b@example.com", notify=False)
    assert recorded.types() == ["invitation.created"]
    backend.send("POST", f"/invitations/{other.get_json()['id']}/revoke")
    assert recorded.only("invitation.revoked")["revoked"] is True


def test_the_waitlist(backend: Backend, recorded: Events) -> None:
    path = "/waitlist_entries"
    id = backend.send("POST", path, email_address="ada@example.com").get_json()["id"]
    assert recorded.only("waitlistEntry.created")["status"] == "pending"
    backend.send("POST", path, email_address="ada@example.com")
    assert recorded.types() == []
    backend.send("POST", f"{path}/{id}/invite")
    events = recorded.events()
    types = ["email.created", "invitation.created", "waitlistEntry.updated"]
    assert [event["type"] for event in events] == types
    assert events[2]["data"]["invitation"]["id"] == events[1]["data"]["id"]


def test_organizations_and_their_members(
    emulator: Flask, clerk: LocalClerk, backend: Backend, recorded: Events
) -> None:
    enable(clerk)
    ada, grace = person(emulator, "ada"), person(emulator, "grace")
    recorded.since_now()
    organization = create(ada)
    assert recorded.types() == ["organization.created", "organizationMembership.created"]
    join(ada, organization, grace)
    member = recorded.only("organizationMembership.created")
    assert member["organization"]["id"] == organization
    assert member["public_user_data"]["user_id"] == user_id(grace)
    path = f"/organizations/{organization}/memberships/{user_id(grace)}"
    backend.send("PATCH", path, role="org:admin")
    assert recorded.only("organizationMembership.updated")["role"] == "org:admin"
    backend.send("DELETE", path)
    assert recorded.only("organizationMembership.deleted")["role"] == "org:admin"
    backend.send("PATCH", f"/organizations/{organization}", name="Acme & Sons")
    assert recorded.only("organization.updated")["name"] == "Acme & Sons"
    backend.send("DELETE", f"/organizations/{organization}")
    gone = recorded.only("organization.deleted")
    assert (gone["id"], gone["slug"], gone["deleted"]) == (organization, "acme", True)


def test_invitations_into_organizations(
    emulator: Flask, clerk: LocalClerk, backend: Backend, recorded: Events
) -> None:
    enable(clerk)
    ada = person(emulator, "ada")
    path = f"/organizations/{create(ada)}/invitations"
    recorded.since_now()
    body = {"email_address": "grace@example.com", "role": "org:member"}
    id = backend.send("POST", path, **body).get_json()["id"]
    first, second = recorded.events()
    assert first["data"]["slug"] == "organization_invitation"
    assert second["type"] == "organizationInvitation.created"
    assert second["data"]["url"]
    backend.send("POST", f"{path}/{id}/revoke")
    assert recorded.only("organizationInvitation.revoked")["status"] == "revoked"
    backend.send("POST", path, **body)
    grace = person(emulator, "grace")
    recorded.since_now()
    mine = grace.get("/me/organization_invitations").get_json()["response"]["data"][0]
    grace.post(f"/me/organization_invitations/{mine['id']}/accept")
    events = recorded.events()
    types = ["organizationMembership.created", "organizationInvitation.accepted"]
    assert [event["type"] for event in events] == types
    assert events[1]["data"]["user_id"] == user_id(grace)


def test_domains(emulator: Flask, clerk: LocalClerk, backend: Backend, recorded: Events) -> None:
    enable(clerk, domains=True)
    ada = person(emulator, "ada")
    path = f"/organizations/{create(ada)}/domains"
    recorded.since_now()
    id = backend.send("POST", path, name="example.com").get_json()["id"]
    assert recorded.only("organizationDomain.created")["name"] == "example.com"
    backend.send("PATCH", f"{path}/{id}", verified=True)
    assert recorded.only("organizationDomain.updated")["verification"]["status"] == "verified"
    backend.send("PATCH", f"{path}/{id}", enrollment_mode="automatic_suggestion")
    assert recorded.only("organizationDomain.updated")["enrollment_mode"] == "automatic_suggestion"
    backend.send("DELETE", f"{path}/{id}")
    assert recorded.only("organizationDomain.deleted")["id"] == id


FREE = {"slug": "free", "name": "Free", "is_default": True}
PRO = {"slug": "pro", "name": "Pro", "amount": 2000}
BILLING = {"billing": {"enabled": True, "plans": [FREE, PRO]}}


def subscribe(browser: Browser, plan: str = "cplan_user_pro") -> None:
    path = "/me/billing/checkouts"
    begun = browser.post(path, plan_id=plan, plan_period="month").get_json()["response"]
    answer = browser.post(f"{path}/{begun['id']}/confirm", "PATCH")
    assert answer.status_code == 200, answer.text


def test_a_possible_subscriber_has_the_default_plan(
    browser: Browser, clerk: LocalClerk, recorded: Events
) -> None:
    clerk.source.replace(BILLING)
    browser.sign_up("ada@example.com")
    events = recorded.events()
    assert [event["type"] for event in events] == [
        "email.created",
        "user.created",
        "subscription.created",
        "subscriptionItem.created",
        "subscriptionItem.active",
        "subscription.active",
        "session.created",
    ]
    assert events[4]["data"]["plan"]["slug"] == "free"
    assert events[4]["data"]["payer"]["user_id"] == user_id(browser)
    assert events[5]["data"]["items"][0]["plan"]["slug"] == "free"


def test_subscribing_and_canceling(
    ada: Browser, clerk: LocalClerk, recorded: Events, clock: ManualClock
) -> None:
    clerk.source.replace(BILLING)
    subscribe(ada)
    events = recorded.events()
    assert [event["type"] for event in events] == [
        "subscriptionItem.created",
        "subscriptionItem.active",
        "paymentAttempt.created",
        "paymentAttempt.updated",
        "subscription.updated",
    ]
    payment = events[3]["data"]
    assert (payment["object"], payment["status"]) == ("commerce_payment_attempt", "paid")
    assert events[2]["data"]["status"] == "pending"
    assert payment["totals"]["grand_total"]["amount"] == 2000
    assert payment["payer"]["email"] == "ada@example.com"
    assert payment["subscription_items"][0]["plan"]["slug"] == "pro"
    assert events[4]["data"]["latest_payment_id"] == payment["id"]
    item = payment["subscription_items"][0]["id"]
    path = f"/me/billing/subscription_items/{item}"
    ada.post(path, "DELETE")
    assert recorded.types() == ["subscriptionItem.canceled", "subscription.updated"]
    ada.post(path, "DELETE")
    assert recorded.types() == []
    clock.forward(seconds=6 * DAY)
    ada.get("/me/billing/subscription")
    assert recorded.types() == []


def test_a_period_is_renewed_or_ends(
    clerk: LocalClerk, browser: Browser, recorded: Events, clock: ManualClock
) -> None:
    month = {"lifetime_seconds": 99 * DAY, "inactivity_timeout_seconds": 99 * DAY}
    clerk.source.replace(BILLING | {"sessions": month})
    browser.sign_up("ada@example.com")
    subscribe(browser)
    recorded.since_now()
    clock.forward(seconds=32 * DAY)
    shown = browser.get("/me/billing/subscription").get_json()["response"]
    renewal = ["paymentAttempt.created", "paymentAttempt.updated", "subscriptionItem.updated"]
    assert recorded.types() == [*renewal, "subscription.updated"]
    item = shown["subscription_items"][0]["id"]
    browser.post(f"/me/billing/subscription_items/{item}", "DELETE")
    recorded.since_now()
    clock.forward(seconds=32 * DAY)
    browser.get("/me/billing/subscription")
    assert recorded.types() == ["subscriptionItem.ended", "subscription.updated"]


@pytest.mark.parametrize(
    ("events", "types"),
    [
        ([], ["email.created", "user.created", "session.created"]),
        (["user.*"], ["user.created"]),
        (["session.created", "email.created"], ["email.created", "session.created"]),
        (["user.deleted"], []),
    ],
)
def test_the_app_subscribes_to_some(
    browser: Browser, clerk: LocalClerk, recorded: Events, events: list[str], types: list[str]
) -> None:
    clerk.source.replace({"webhooks": {"events": events}})
    browser.sign_up("ada@example.com")
    assert recorded.types() == types


def test_switching_organizations_sends_no_event(
    emulator: Flask, clerk: LocalClerk, recorded: Events
) -> None:
    enable(clerk)
    ada = person(emulator, "ada")
    organization = create(ada)
    recorded.since_now()
    switch(ada, organization)
    assert recorded.types() == []


def test_roles_and_permissions(backend: Backend, clerk: LocalClerk, recorded: Events) -> None:
    enable(clerk)
    body = {"name": "Billing", "key": "org:invoices:read", "description": "See invoices"}
    permission = backend.send("POST", "/organization_permissions", **body).get_json()
    assert recorded.only("permission.created")["key"] == "org:invoices:read"
    path = "/organization_permissions/" + permission["id"]
    backend.send("PATCH", path, name="Invoices")
    assert recorded.only("permission.updated")["name"] == "Invoices"
    body = {"name": "Accountant", "key": "org:accountant", "description": "Counts"}
    role = backend.send("POST", "/organization_roles", **body).get_json()
    assert recorded.only("role.created")["key"] == "org:accountant"
    one = "/organization_roles/" + role["id"]
    backend.send("POST", f"{one}/permissions/{permission['id']}")
    assert recorded.only("role.updated")["permissions"][0]["key"] == "org:invoices:read"
    backend.send("DELETE", one)
    assert recorded.only("role.deleted")["id"] == role["id"]
    backend.send("DELETE", path)
    assert recorded.only("permission.deleted")["id"] == permission["id"]


def test_a_declined_card(ada: Browser, clerk: LocalClerk, recorded: Events) -> None:
    clerk.source.replace({"billing": BILLING["billing"] | {"declines_payments": True}})
    path = "/me/billing/checkouts"
    begun = ada.post(path, plan_id="cplan_user_pro", plan_period="month").get_json()["response"]
    assert ada.post(f"{path}/{begun['id']}/confirm", "PATCH").status_code == 422
    events = recorded.events()
    assert [event["type"] for event in events] == [
        "subscriptionItem.created",
        "subscriptionItem.incomplete",
        "paymentAttempt.created",
        "paymentAttempt.updated",
    ]
    assert events[3]["data"]["status"] == "failed"
    assert events[3]["data"]["failed_reason"]["code"] == "card_declined"
