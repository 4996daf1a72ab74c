"""What is deleted with an account or an organization, and what stays."""

from __future__ import annotations

from typing import Any

from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import (
    ApiKey,
    EmailAddress,
    OrganizationInvitation,
    PaymentAttempt,
    Record,
    SignInToken,
    SubscriptionItem,
)
from clerk_emulator.testing import Backend, Browser, error_of

from .organizations import create, enable, person, user_id

PLANS = [
    {"slug": "pro", "name": "Pro", "amount": 2000},
    {"slug": "team", "name": "Team", "amount": 9000, "payer": "org"},
]
SETTINGS: dict[str, Any] = {
    "organizations": {"enabled": True},
    "billing": {"enabled": True, "plans": PLANS},
    "api_keys": {"user_enabled": True, "organization_enabled": True},
}


def made(backend: Backend, path: str, **body: Any) -> Any:
    answer = backend.send("POST", path, **body)
    assert answer.status_code in (200, 201), answer.text
    return answer.get_json()


def ticket_answer(emulator: Flask, ticket: str) -> tuple[int, str, str | None]:
    browser = Browser(emulator)
    return error_of(browser.post("/client/sign_ins", strategy="ticket", ticket=ticket))


def subscribe(browser: Browser, plan: str, **more: str) -> None:
    where = f"/organizations/{more['organization']}" if more else "/me"
    path = f"{where}/billing/checkouts"
    begun = browser.post(path, plan_id=plan, plan_period="month").get_json()["response"]
    assert browser.post(f"{path}/{begun['id']}/confirm", "PATCH").status_code == 200


def test_deleting_an_account_deletes_all_its_data(
    emulator: Flask, backend: Backend, clerk: LocalClerk
) -> None:
    clerk.source.replace(SETTINGS)
    ada, grace = person(emulator, "ada"), person(emulator, "grace")
    id = user_id(ada)
    for who in (ada, grace):
        made(backend, "/api_keys", name="CI", subject=user_id(who))
        made(backend, "/sign_in_tokens", user_id=user_id(who))
        subscribe(who, "cplan_user_pro")
        credit = {"amount": 5, "action": "increase", "idempotency_key": "a"}
        made(backend, f"/users/{user_id(who)}/billing/credits", **credit)
    backend.send("DELETE", f"/users/{id}")
    left = user_id(grace)
    assert [key.subject for key in clerk.store.find(ApiKey)] == [left]
    assert [token.user_id for token in clerk.store.find(SignInToken)] == [left]
    assert [item.payer_id for item in clerk.store.find(SubscriptionItem)] == [left]
    assert [payment.payer_id for payment in clerk.store.find(PaymentAttempt)] == [left]
    assert [record.owner_id for record in clerk.store.find(Record)] == [left]
    assert [email.user_id for email in clerk.store.find(EmailAddress)] == [left]


def test_a_sign_in_token_of_a_deleted_user_is_rejected(
    ada: Browser, emulator: Flask, backend: Backend
) -> None:
    token = made(backend, "/sign_in_tokens", user_id=user_id(ada))["token"]
    backend.send("DELETE", f"/users/{user_id(ada)}")
    assert ticket_answer(emulator, token)[:2] == (400, "ticket_invalid_code")


def test_an_actor_token_for_a_deleted_user_is_an_error(
    ada: Browser, emulator: Flask, backend: Backend
) -> None:
    actor = {"sub": "user_support"}
    token = made(backend, "/actor_tokens", user_id=user_id(ada), actor=actor)["token"]
    backend.send("DELETE", f"/users/{user_id(ada)}")
    assert ticket_answer(emulator, token)[:2] == (404, "actor_token_subject_not_found")


def test_actor_tokens_of_a_deleted_impersonator_are_revoked(
    ada: Browser, emulator: Flask, backend: Backend
) -> None:
    grace = person(emulator, "grace")
    actor = {"sub": user_id(grace)}
    token = made(backend, "/actor_tokens", user_id=user_id(ada), actor=actor)
    backend.send("DELETE", f"/users/{user_id(grace)}")
    assert ticket_answer(emulator, token["token"])[:2] == (400, "actor_token_revoked_code")
    again = backend.send("POST", f"/actor_tokens/{token['id']}/revoke")
    assert error_of(again)[1] == "actor_token_cannot_be_revoked_code"


def test_invitations_stay_after_their_sender_is_deleted(
    emulator: Flask, backend: Backend, clerk: LocalClerk
) -> None:
    enable(clerk)
    ada = person(emulator, "ada")
    path = f"/organizations/{create(ada)}/invitations"
    form = {"email_address": "grace@example.com", "role": "org:member"}
    made(backend, path, **form, inviter_user_id=user_id(ada))
    ada.post("/me", "DELETE")
    (invitation,) = clerk.store.find(OrganizationInvitation)
    assert (invitation.status, invitation.inviter_user_id) == ("pending", None)
    (shown,) = backend.get(path).get_json()["data"]
    assert shown["public_inviter_data"] is None


def test_deleting_an_organization_deletes_all_its_data(
    emulator: Flask, backend: Backend, clerk: LocalClerk
) -> None:
    clerk.source.replace(SETTINGS)
    ada = person(emulator, "ada")
    id = create(ada)
    made(backend, "/api_keys", name="CI", subject=id)
    subscribe(ada, "cplan_org_team", organization=id)
    connection = {"name": "SSO", "provider": "saml_okta", "domains": ["acme.example"]}
    sso = made(backend, "/enterprise_connections", **connection, organization_id=id)["id"]
    backend.send("DELETE", f"/organizations/{id}")
    for kind in (ApiKey, SubscriptionItem, PaymentAttempt):
        assert clerk.store.count(kind) == 0, kind
    assert backend.get(f"/enterprise_connections/{sso}").get_json()["organization_id"] is None
