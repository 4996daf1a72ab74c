"""Invitations to an organization: valid, expired, revoked and accepted ones."""

from __future__ import annotations

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.errors import ClerkError
from clerk_emulator.organization_invitations import accept_ticket, find_ticket
from clerk_emulator.resources import Message, Organization, OrganizationInvitation, User
from clerk_emulator.testing import Browser, ManualClock, error_of

from .organizations import create, data, enable, join, person, user_id

GRACE = "grace@example.com"


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    enable(clerk)


@pytest.fixture
def grace(emulator: Flask) -> Browser:
    return person(emulator, "grace")


@pytest.fixture
def acme(ada: Browser) -> str:
    return create(ada)


def invite(browser: Browser, organization: str, *addresses: str, role: str = "org:member") -> str:
    """Return the ID of the first invitation."""
    path = f"/organizations/{organization}/invitations/bulk"
    query = {"__clerk_db_jwt": browser.dev_browser}
    form = {"email_address": list(addresses), "role": role}
    answer = browser.http.post(f"/v1{path}", query_string=query, data=form)
    assert answer.status_code == 200, answer.text
    id: str = answer.get_json()["response"][0]["id"]
    return id


def stored(clerk: LocalClerk, id: str) -> OrganizationInvitation:
    invitation = clerk.store.get(OrganizationInvitation, id)
    assert invitation is not None
    return invitation


def user_in(clerk: LocalClerk, browser: Browser) -> User:
    user = clerk.store.get(User, user_id(browser))
    assert user is not None
    return user


def statuses(browser: Browser, organization: str, **query: str) -> list[str]:
    found = data(browser.get(f"/organizations/{organization}/invitations", **query))
    return [invitation["status"] for invitation in found]


def test_the_message_has_a_link_with_the_ticket(clerk: LocalClerk, ada: Browser, acme: str) -> None:
    ticket = stored(clerk, invite(ada, acme, " Grace@Example.com")).ticket
    (message,) = clerk.store.find(Message, to=GRACE)
    assert message.link.endswith(f"/v1/tickets/accept?ticket={ticket}")
    assert "Acme" in message.subject


def test_accepting_creates_a_membership(ada: Browser, grace: Browser, acme: str) -> None:
    id = invite(ada, acme, GRACE, role="org:admin")
    (mine,) = data(grace.get("/me/organization_invitations", status="pending"))
    assert mine["public_organization_data"]["name"] == "Acme"
    accepted = grace.post(f"/me/organization_invitations/{id}/accept").get_json()["response"]
    assert accepted["status"] == "accepted"
    (membership,) = grace.session()["user"]["organization_memberships"]
    assert membership["role"] == "org:admin"
    assert statuses(ada, acme) == ["accepted"]


def test_a_ticket_creates_one_membership(
    clerk: LocalClerk, ada: Browser, grace: Browser, acme: str
) -> None:
    ticket = stored(clerk, invite(ada, acme, GRACE)).ticket
    user = user_in(clerk, grace)
    membership = accept_ticket(clerk, ticket, user)
    assert membership is not None
    assert membership.organization_id == acme
    with pytest.raises(ClerkError, match="already been accepted"):
        accept_ticket(clerk, ticket, user)


@pytest.mark.parametrize("ticket", ["", "nonsense"])
def test_a_ticket_of_another_kind_is_rejected(clerk: LocalClerk, ticket: str) -> None:
    assert find_ticket(clerk, ticket) is None


def test_a_ticket_for_another_user_is_rejected(
    clerk: LocalClerk, emulator: Flask, ada: Browser, acme: str
) -> None:
    id = invite(ada, acme, GRACE)
    mallory = person(emulator, "mallory")
    answer = mallory.post(f"/me/organization_invitations/{id}/accept")
    assert error_of(answer)[:2] == (404, "organization_invitation_not_found")
    with pytest.raises(ClerkError) as error:
        accept_ticket(clerk, stored(clerk, id).ticket, user_in(clerk, mallory))
    assert error.value.status == 404
    assert data(mallory.get("/me/organization_invitations")) == []


def test_an_unverified_address_cannot_accept(emulator: Flask, ada: Browser, acme: str) -> None:
    mallory = person(emulator, "mallory")
    mallory.post("/me/email_addresses/", email_address=GRACE)
    id = invite(ada, acme, GRACE)
    assert data(mallory.get("/me/organization_invitations")) == []
    assert error_of(mallory.post(f"/me/organization_invitations/{id}/accept"))[0] == 404


def test_a_revoked_invitation_cannot_be_accepted(
    clerk: LocalClerk, ada: Browser, grace: Browser, acme: str
) -> None:
    id = invite(ada, acme, GRACE)
    path = f"/organizations/{acme}/invitations/{id}/revoke"
    assert ada.post(path).get_json()["response"]["status"] == "revoked"
    answer = grace.post(f"/me/organization_invitations/{id}/accept")
    assert error_of(answer)[:2] == (400, "revoked_invitation")
    assert error_of(ada.post(path))[:2] == (400, "revoked_invitation")
    with pytest.raises(ClerkError, match="revoked"):
        find_ticket(clerk, stored(clerk, id).ticket)


def test_an_expired_invitation_cannot_be_accepted(
    clerk: LocalClerk, clock: ManualClock, ada: Browser, acme: str
) -> None:
    clerk.source.switch({"sessions": {"lifetime_seconds": 90 * 24 * 3600}})
    ticket = stored(clerk, invite(ada, acme, GRACE)).ticket
    clock.forward(seconds=30 * 24 * 3600 - 1)
    assert find_ticket(clerk, ticket) is not None
    clock.forward(seconds=1)
    with pytest.raises(ClerkError, match="expired"):
        find_ticket(clerk, ticket)


def test_an_accepted_invitation_cannot_be_revoked(ada: Browser, grace: Browser, acme: str) -> None:
    id = invite(ada, acme, GRACE)
    for expected in (200, 400):
        answer = grace.post(f"/me/organization_invitations/{id}/accept")
        assert answer.status_code == expected
    revoked = ada.post(f"/organizations/{acme}/invitations/{id}/revoke")
    assert error_of(revoked)[:2] == (400, "invitation_already_accepted")


def test_duplicate_invitations_are_rejected(ada: Browser, acme: str) -> None:
    invite(ada, acme, GRACE, "linus@example.com")
    answer = ada.post(
        f"/organizations/{acme}/invitations", email_address="GRACE@example.com", role="org:member"
    )
    assert error_of(answer)[:2] == (400, "duplicate_record")
    (error,) = answer.get_json()["errors"]
    assert error["meta"]["email_addresses"] == [GRACE]


def test_members_cannot_be_invited(ada: Browser, grace: Browser, acme: str) -> None:
    join(ada, acme, grace)
    answer = ada.post(f"/organizations/{acme}/invitations", email_address=GRACE, role="org:member")
    assert error_of(answer)[:2] == (400, "already_a_member_in_organization")
    assert GRACE in answer.get_json()["errors"][0]["long_message"]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"role": "org:member"}, 422, "form_param_nil"),
        ({"email_address": "nonsense", "role": "org:member"}, 422, "form_param_format_invalid"),
        ({"email_address": GRACE, "role": "org:owner"}, 404, "resource_not_found"),
        ({"email_address": GRACE}, 404, "resource_not_found"),
    ],
)
def test_invalid_values_are_rejected(
    ada: Browser, acme: str, form: dict[str, str], status: int, code: str
) -> None:
    for path in ("invitations", "invitations/bulk"):
        answer = ada.post(f"/organizations/{acme}/{path}", **form)
        assert error_of(answer)[:2] == (status, code)


def test_one_invalid_address_rejects_the_whole_request(
    clerk: LocalClerk, ada: Browser, acme: str
) -> None:
    query = {"__clerk_db_jwt": ada.dev_browser}
    form = {"email_address": [GRACE, "nonsense"], "role": "org:member"}
    path = f"/v1/organizations/{acme}/invitations/bulk"
    assert ada.http.post(path, query_string=query, data=form).status_code == 422
    assert statuses(ada, acme) == []
    assert clerk.store.find(Message, to=GRACE) == []


def test_pending_invitations_count_toward_the_limit(
    clerk: LocalClerk, ada: Browser, grace: Browser, acme: str
) -> None:
    organization = clerk.store.get(Organization, acme)
    assert organization is not None
    organization.max_allowed_memberships = 2
    clerk.store.put(organization)
    id = invite(ada, acme, GRACE)
    answer = ada.post(
        f"/organizations/{acme}/invitations", email_address="l@x.com", role="org:member"
    )
    assert error_of(answer)[:2] == (403, "organization_membership_quota_exceeded")
    assert grace.post(f"/me/organization_invitations/{id}/accept").status_code == 200


def test_another_organizations_invitation_cannot_be_revoked(
    ada: Browser, grace: Browser, acme: str
) -> None:
    id = invite(ada, acme, "linus@example.com")
    globex = create(grace, "Globex")
    answer = grace.post(f"/organizations/{globex}/invitations/{id}/revoke")
    assert error_of(answer)[:2] == (404, "organization_invitation_not_found")
    assert statuses(ada, acme, status="pending,accepted") == ["pending"]


def test_invitations_are_listed_by_status(ada: Browser, acme: str) -> None:
    id = invite(ada, acme, GRACE, "linus@example.com")
    ada.post(f"/organizations/{acme}/invitations/{id}/revoke")
    assert statuses(ada, acme, status="pending") == ["pending"]
    assert statuses(ada, acme, status="revoked") == ["revoked"]
    assert len(statuses(ada, acme)) == 2
