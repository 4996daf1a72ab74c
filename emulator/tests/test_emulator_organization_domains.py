"""Email domains of organizations: verifying them, and how their users join."""

from __future__ import annotations

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Message
from clerk_emulator.testing import Browser, error_of

from .organizations import Json, create, data, enable, join, person


@pytest.fixture(autouse=True)
def domains(clerk: LocalClerk) -> None:
    enable(clerk, domains=True)


@pytest.fixture
def acme(ada: Browser) -> str:
    return create(ada)


@pytest.fixture
def grace(emulator: Flask) -> Browser:
    return person(emulator, "grace", "acme.com")


def claim(browser: Browser, organization: str, name: str = "acme.com") -> Json:
    answer = browser.post(f"/organizations/{organization}/domains", name=name)
    assert answer.status_code == 200, answer.text
    domain: Json = answer.get_json()["response"]
    return domain


def proved(browser: Browser, organization: str, mode: str) -> str:
    """The path of a verified domain with this enrollment mode."""
    path = f"/organizations/{organization}/domains/{claim(browser, organization)['id']}"
    address = "postmaster@acme.com"
    browser.post(f"{path}/prepare_affiliation_verification", affiliation_email_address=address)
    browser.post(f"{path}/attempt_affiliation_verification", code="424242")
    answer = browser.post(f"{path}/update_enrollment_mode", enrollment_mode=mode)
    assert answer.get_json()["response"]["affiliation_verification"]["status"] == "verified"
    return path


def test_a_code_verifies_the_domain(clerk: LocalClerk, ada: Browser, acme: str) -> None:
    domain = claim(ada, acme, " ACME.com ")
    assert (domain["name"], domain["verification"]) == ("acme.com", None)
    path = f"/organizations/{acme}/domains/{domain['id']}"
    prepared = ada.post(
        f"{path}/prepare_affiliation_verification", affiliation_email_address="it@acme.com"
    ).get_json()["response"]
    assert prepared["affiliation_verification"]["status"] == "unverified"
    (message,) = clerk.store.find(Message, to="it@acme.com")
    wrong = ada.post(f"{path}/attempt_affiliation_verification", code="000000")
    assert error_of(wrong)[:2] == (422, "form_code_incorrect")
    right = ada.post(f"{path}/attempt_affiliation_verification", code=message.code)
    assert right.get_json()["response"]["affiliation_verification"]["status"] == "verified"


def test_a_code_must_have_been_requested(ada: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/domains/{claim(ada, acme)['id']}"
    answer = ada.post(f"{path}/attempt_affiliation_verification", code="424242")
    assert error_of(answer)[:2] == (400, "verification_missing")


@pytest.mark.parametrize("address", ["it@acme.org", "it@mail.acme.com", "it@evilacme.com", ""])
def test_an_address_of_another_domain_is_rejected(ada: Browser, acme: str, address: str) -> None:
    path = f"/organizations/{acme}/domains/{claim(ada, acme)['id']}"
    answer = ada.post(f"{path}/prepare_affiliation_verification", affiliation_email_address=address)
    assert error_of(answer)[::2] == (422, "affiliation_email_address")


def test_the_creators_own_address_verifies_the_domain(ada: Browser, acme: str) -> None:
    domain = claim(ada, acme, "example.com")
    assert domain["affiliation_email_address"] == "ada@example.com"
    assert domain["verification"]["status"] == "verified"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "form_param_value_invalid"),
        ("localhost", "form_param_value_invalid"),
        ("a b.com", "form_param_value_invalid"),
        ("gmail.com", "organization_domain_common"),
        ("taken.com", "organization_domain_already_exists"),
    ],
)
def test_invalid_values_are_rejected(ada: Browser, acme: str, name: str, code: str) -> None:
    claim(ada, create(ada, "Other"), "taken.com")
    answer = ada.post(f"/organizations/{acme}/domains", name=name)
    assert error_of(answer) == (422, code, "name")


def test_domains_are_unavailable_while_disabled(clerk: LocalClerk, ada: Browser, acme: str) -> None:
    enable(clerk, domains=False)
    answer = ada.post(f"/organizations/{acme}/domains", name="acme.com")
    assert error_of(answer)[:2] == (403, "feature_not_enabled")


def test_only_enrollment_modes_of_the_instance_are_accepted(
    clerk: LocalClerk, ada: Browser, acme: str
) -> None:
    enable(clerk, domains=True, domain_enrollment_modes=["manual_invitation"])
    path = f"/organizations/{acme}/domains/{claim(ada, acme)['id']}"
    answer = ada.post(f"{path}/update_enrollment_mode", enrollment_mode="automatic_invitation")
    assert error_of(answer)[:2] == (403, "organization_domain_enrollment_mode_not_enabled")


def test_another_organizations_domain_cannot_be_accessed(
    ada: Browser, grace: Browser, acme: str
) -> None:
    id = claim(ada, acme)["id"]
    path = f"/organizations/{create(grace, 'Globex')}/domains/{id}"
    assert error_of(grace.get(path))[0] == 404
    assert error_of(grace.post(path, "DELETE"))[0] == 404
    assert error_of(grace.post(f"{path}/update_enrollment_mode"))[0] == 404
    assert [domain["id"] for domain in data(ada.get(f"/organizations/{acme}/domains"))] == [id]


def test_a_domain_can_be_deleted(ada: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/domains/{claim(ada, acme)['id']}"
    assert ada.post(path, "DELETE").get_json()["response"]["deleted"] is True
    assert data(ada.get(f"/organizations/{acme}/domains")) == []


def test_its_users_are_invited_automatically(ada: Browser, grace: Browser, acme: str) -> None:
    path = proved(ada, acme, "automatic_invitation")
    (invitation,) = data(grace.get("/me/organization_invitations"))
    assert ada.get(path).get_json()["response"]["total_pending_invitations"] == 1
    grace.post(f"/me/organization_invitations/{invitation['id']}/accept")
    (membership,) = grace.session()["user"]["organization_memberships"]
    assert membership["role"] == "org:member"


def test_later_users_are_invited_too(emulator: Flask, ada: Browser, acme: str) -> None:
    proved(ada, acme, "automatic_invitation")
    late = person(emulator, "late", "acme.com")
    assert len(data(late.get("/me/organization_invitations"))) == 1
    assert len(data(late.get("/me/organization_invitations"))) == 1


def test_users_of_other_domains_are_not_invited(emulator: Flask, ada: Browser, acme: str) -> None:
    proved(ada, acme, "automatic_invitation")
    other = person(emulator, "eve", "notacme.com")
    assert data(other.get("/me/organization_invitations")) == []


def test_an_unverified_domain_invites_no_users(ada: Browser, grace: Browser, acme: str) -> None:
    path = f"/organizations/{acme}/domains/{claim(ada, acme)['id']}"
    for mode in ("automatic_invitation", "automatic_suggestion"):
        ada.post(f"{path}/update_enrollment_mode", enrollment_mode=mode)
        assert data(grace.get("/me/organization_invitations")) == []
        assert data(grace.get("/me/organization_suggestions")) == []


def test_suggested_users_request_to_join_and_are_accepted(
    ada: Browser, grace: Browser, acme: str
) -> None:
    proved(ada, acme, "automatic_suggestion")
    (suggestion,) = data(grace.get("/me/organization_suggestions", status="pending,accepted"))
    assert (suggestion["status"], suggestion["public_organization_data"]["id"]) == ("pending", acme)
    accepted = grace.post(f"/me/organization_suggestions/{suggestion['id']}/accept")
    assert accepted.get_json()["response"]["status"] == "accepted"
    assert grace.session()["user"]["organization_memberships"] == []
    (asked,) = data(ada.get(f"/organizations/{acme}/membership_requests", status="pending"))
    assert asked["public_user_data"]["identifier"] == "grace@acme.com"
    path = f"/organizations/{acme}/membership_requests/{asked['id']}/accept"
    assert ada.post(path).get_json()["response"]["status"] == "accepted"
    assert len(grace.session()["user"]["organization_memberships"]) == 1
    assert data(grace.get("/me/organization_suggestions")) == []
    assert error_of(ada.post(path))[0] == 404


def test_a_rejected_user_cannot_request_again(ada: Browser, grace: Browser, acme: str) -> None:
    proved(ada, acme, "automatic_suggestion")
    (suggestion,) = data(grace.get("/me/organization_suggestions"))
    grace.post(f"/me/organization_suggestions/{suggestion['id']}/accept")
    (asked,) = data(ada.get(f"/organizations/{acme}/membership_requests"))
    ada.post(f"/organizations/{acme}/membership_requests/{asked['id']}/reject")
    assert data(grace.get("/me/organization_suggestions")) == []
    again = grace.post(f"/me/organization_suggestions/{suggestion['id']}/accept")
    assert error_of(again)[0] == 404


def test_suggestions_of_other_users_cannot_be_accepted(
    emulator: Flask, ada: Browser, grace: Browser, acme: str
) -> None:
    proved(ada, acme, "automatic_suggestion")
    (suggestion,) = data(grace.get("/me/organization_suggestions"))
    eve = person(emulator, "eve")
    answer = eve.post(f"/me/organization_suggestions/{suggestion['id']}/accept")
    assert error_of(answer)[:2] == (404, "resource_not_found")
    assert data(ada.get(f"/organizations/{acme}/membership_requests")) == []


def test_another_organizations_requests_cannot_be_accessed(
    emulator: Flask, ada: Browser, grace: Browser, acme: str
) -> None:
    proved(ada, acme, "automatic_suggestion")
    (suggestion,) = data(grace.get("/me/organization_suggestions"))
    grace.post(f"/me/organization_suggestions/{suggestion['id']}/accept")
    (asked,) = data(ada.get(f"/organizations/{acme}/membership_requests"))
    mine = create(grace, "Globex")
    answer = grace.post(f"/organizations/{mine}/membership_requests/{asked['id']}/accept")
    assert error_of(answer)[0] == 404


def test_members_need_no_suggestion(ada: Browser, grace: Browser, acme: str) -> None:
    join(ada, acme, grace)
    proved(ada, acme, "automatic_suggestion")
    assert data(grace.get("/me/organization_suggestions")) == []


def test_changing_the_mode_can_revoke_pending_invitations(
    ada: Browser, grace: Browser, acme: str
) -> None:
    path = proved(ada, acme, "automatic_invitation")
    ada.post(
        f"{path}/update_enrollment_mode", enrollment_mode="manual_invitation", delete_pending="true"
    )
    assert data(grace.get("/me/organization_invitations")) == []
