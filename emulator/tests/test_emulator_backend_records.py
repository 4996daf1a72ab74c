"""Records that the Backend API only stores, such as connections; sign-ups and codes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event, Message
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

from .organizations import enable, user_id

Json = dict[str, Any]
CODE = "424242"
ACME = {"name": "Acme SSO", "provider": "saml_okta", "domains": ["Acme.example"]}


def send(backend: Backend, method: str, path: str, **body: Any) -> Json:
    answer = backend.send(method, path, **body)
    assert answer.status_code in (200, 201), answer.text
    found: Json = answer.get_json()
    return found


@pytest.mark.parametrize("path", ["/enterprise_connections", "/saml_connections"])
def test_connections_are_stored(backend: Backend, path: str) -> None:
    made = send(backend, "POST", path, **ACME, saml={"idp_entity_id": "urn:acme"})
    assert (made["active"], made["domains"]) == (False, ["acme.example"])
    saml = made.get("saml_connection") or made
    assert saml["idp_entity_id"] == "urn:acme"
    changed = send(backend, "PATCH", f"{path}/{made['id']}", active=True, name="Acme")
    assert (changed["active"], changed["name"]) == (True, "Acme")
    assert backend.get(path).get_json()["total_count"] == 1
    assert backend.get(path, active="false").get_json()["data"] == []
    assert backend.get(f"{path}/{made['id']}").get_json() == changed
    assert error_of(backend.send("POST", path, **ACME))[2] == "domains"
    assert send(backend, "DELETE", f"{path}/{made['id']}")["deleted"] is True
    assert error_of(backend.get(f"{path}/{made['id']}"))[:2] == (404, "resource_not_found")


def test_an_oidc_connection_does_not_show_its_secret(backend: Backend) -> None:
    oidc = {"client_id": "abc", "client_secret": "s3cret", "auth_url": "https://idp.example/a"}
    body = {"name": "Acme", "provider": "oidc_custom", "domains": ["acme.example"], "oidc": oidc}
    made = send(backend, "POST", "/enterprise_connections", **body)
    assert made["saml_connection"] is None
    assert made["oauth_config"]["client_id"] == "abc"
    assert "s3cret" not in str(made)


def test_a_connection_has_one_kind(backend: Backend) -> None:
    made = send(backend, "POST", "/enterprise_connections", **ACME)
    assert backend.get(f"/saml_connections/{made['id']}").status_code == 404
    assert backend.send("DELETE", f"/scim_directories/{made['id']}").status_code == 404


WRONG_CONNECTIONS: list[tuple[Json, str]] = [
    ({}, "name"),
    ({"name": "x"}, "provider"),
    ({"name": "x", "provider": "saml_okta"}, "domains"),
    (ACME | {"domains": "acme.example"}, "domains"),
    (ACME | {"active": "yes"}, "active"),
    (ACME | {"saml": "yes"}, "saml"),
]


@pytest.mark.parametrize(("body", "param"), WRONG_CONNECTIONS)
def test_an_invalid_connection_is_rejected(backend: Backend, body: Json, param: str) -> None:
    answer = backend.send("POST", "/enterprise_connections", **body)
    assert error_of(answer)[0::2] == (422, param)


def test_directories_and_their_mappings(backend: Backend, clerk: LocalClerk) -> None:
    enable(clerk)
    connection = send(backend, "POST", "/enterprise_connections", **ACME)["id"]
    body = {"enterprise_connection_id": connection, "provider": "okta"}
    made = send(backend, "POST", "/scim_directories", **body)
    path = f"/scim_directories/{made['id']}"
    key = made.pop("api_key")
    assert backend.get(path).get_json() == made
    assert send(backend, "POST", f"{path}/rotate_api_key")["api_key"] != key
    mapping = {"scim_group_id": "g1", "role_id": "org:admin"}
    first = send(backend, "POST", f"{path}/group_role_mappings", **mapping)
    assert (first["precedence"], first["role"]["key"]) == (1, "org:admin")
    others = [{"scim_group_id": "g2", "role_id": "org:member"}]
    replaced = send(backend, "PUT", f"{path}/group_role_mappings", mappings=others)
    assert [one["scim_group_id"] for one in replaced["data"]] == ["g2"]
    unknown = backend.send("POST", f"{path}/group_role_mappings", scim_group_id="g", role_id="x")
    assert unknown.status_code == 404
    one = f"{path}/group_role_mappings/{replaced['data'][0]['id']}"
    assert send(backend, "DELETE", one)["deleted"] is True
    assert send(backend, "DELETE", path)["deleted"] is True
    assert backend.send("DELETE", path).status_code == 404


def test_a_directory_needs_a_connection(backend: Backend) -> None:
    body = {"enterprise_connection_id": "entconn_nope", "provider": "okta"}
    assert backend.send("POST", "/scim_directories", **body).status_code == 404


def test_templates_can_be_changed_and_reverted(backend: Backend) -> None:
    path = "/templates/email/verification_code"
    before = backend.get(path).get_json()
    assert (before["can_revert"], before["required_variables"]) == (False, ["otp_code"])
    body = {"subject": "Code", "body": "Here: {{otp_code}} for {{app.name}}"}
    assert send(backend, "PUT", path, **body)["can_revert"] is True
    shown = send(backend, "POST", f"{path}/preview")
    assert (shown["subject"], shown["body"]) == ("Code", "Here: 424242 for Acme")
    missing = backend.send("PUT", path, body="no code")
    assert error_of(missing) == (422, "required_variable_missing", "body")
    assert send(backend, "POST", f"{path}/revert") == before


def test_custom_templates(backend: Backend) -> None:
    path = "/templates/email/newsletter"
    assert backend.get(path).status_code == 404
    send(backend, "PUT", path, name="Newsletter", body="News")
    slugs = [one["slug"] for one in backend.get("/templates/email", limit=50).get_json()]
    assert slugs[-1] == "newsletter"
    assert error_of(backend.send("POST", f"{path}/revert"))[1] == "template_revert_error"
    assert backend.get("/templates/fax").status_code == 404


def test_the_app_can_deliver_messages_itself(
    backend: Backend, browser: Browser, clerk: LocalClerk
) -> None:
    path = "/templates/email/verification_code/toggle_delivery"
    assert send(backend, "POST", path, delivered_by_clerk=False)["delivered_by_clerk"] is False
    begun = browser.begin_sign_up("ada@example.com")["id"]
    browser.post(f"/client/sign_ups/{begun}/prepare_verification", strategy="email_code")
    assert '"delivered_by_clerk": false' in clerk.store.find(Event)[-1].body


def test_a_sign_up_gets_an_external_id(backend: Backend, browser: Browser) -> None:
    id = browser.begin_sign_up("ada@example.com")["id"]
    shown = send(backend, "PATCH", f"/sign_ups/{id}", external_id="crm-1", custom_action=True)
    assert (shown["object"], shown["external_id"]) == ("sign_up_attempt", "crm-1")
    assert (shown["custom_action"], shown["password_enabled"]) == (True, True)
    path = f"/client/sign_ups/{id}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    browser.post(f"{path}/attempt_verification", strategy="email_code", code=CODE)
    assert browser.session()["user"]["external_id"] == "crm-1"
    assert backend.get(f"/sign_ups/{id}").get_json()["status"] == "complete"
    late = backend.send("PATCH", f"/sign_ups/{id}", external_id="crm-2")
    assert error_of(late)[:2] == (403, "sign_up_cannot_be_updated")


def test_an_external_id_is_unique(backend: Backend, emulator: Flask) -> None:
    send(backend, "POST", "/users", email_address=["b@example.com"], external_id="crm-1")
    id = Browser(emulator).begin_sign_up("ada@example.com")["id"]
    taken = backend.send("PATCH", f"/sign_ups/{id}", external_id="crm-1")
    assert error_of(taken) == (422, "form_identifier_exists", "external_id")
    assert backend.get("/sign_ups/sua_nope").status_code == 404


def test_the_server_sends_and_checks_a_code(
    ada: Browser, backend: Backend, clerk: LocalClerk
) -> None:
    address = ada.session()["user"]["email_addresses"][0]
    other = {"user_id": user_id(ada), "email_address": "second@example.com"}
    second = send(backend, "POST", "/email_addresses", **other)
    path = f"/email_addresses/{second['id']}"
    sent = send(backend, "POST", f"{path}/prepare_verification")
    assert (sent["status"], sent["strategy"]) == ("unverified", "email_code")
    assert clerk.store.find(Message)[-1].to == "second@example.com"
    wrong = send(
        backend, "POST", f"{path}/attempt_verification", verification_id=sent["id"], code="000000"
    )
    assert (wrong["status"], wrong["attempts"]) == ("unverified", 1)
    foreign = backend.send(
        "POST",
        f"/email_addresses/{address['id']}/attempt_verification",
        verification_id=sent["id"],
        code=CODE,
    )
    assert foreign.status_code == 404
    form = {"verification_id": sent["id"], "code": CODE}
    right = send(backend, "POST", f"{path}/attempt_verification", **form)
    assert right["status"] == "verified"
    assert backend.get(path).get_json()["verification"]["status"] == "verified"
    again = backend.send("POST", f"{path}/attempt_verification", **form)
    assert error_of(again)[:2] == (400, "verification_already_verified")


def test_the_status_tells_an_expired_code_from_a_wrong_one(
    ada: Browser, backend: Backend, clock: ManualClock
) -> None:
    path = f"/email_addresses/{ada.session()['user']['email_addresses'][0]['id']}"
    sent = send(backend, "POST", f"{path}/prepare_verification")
    form = {"verification_id": sent["id"], "code": "000000"}
    answers = [send(backend, "POST", f"{path}/attempt_verification", **form) for _ in range(6)]
    assert [answer["status"] for answer in answers][-2:] == ["failed", "failed"]
    form["code"] = CODE
    assert send(backend, "POST", f"{path}/attempt_verification", **form)["status"] == "failed"
    late = send(backend, "POST", f"{path}/prepare_verification")
    clock.forward(seconds=601)
    form = {"verification_id": late["id"], "code": CODE}
    assert send(backend, "POST", f"{path}/attempt_verification", **form)["status"] == "expired"


@pytest.mark.parametrize(
    ("status", "signs_in"), [("verified", True), ("reserved", True), ("unverified", False)]
)
def test_an_address_can_replace_all_others(
    ada: Browser, backend: Backend, emulator: Flask, status: str, signs_in: bool
) -> None:
    body = {"email_address": "new@example.com", "identification_status": status}
    shown = send(backend, "PUT", f"/users/{user_id(ada)}/email_address", **body)
    assert shown["reserved"] is (status == "reserved")
    user = backend.get(f"/users/{user_id(ada)}").get_json()
    assert [email["id"] for email in user["email_addresses"]] == [shown["id"]]
    assert user["primary_email_address_id"] == shown["id"]
    assert (Browser(emulator).sign_in("new@example.com").status_code == 200) is signs_in
    assert Browser(emulator).sign_in("ada@example.com").status_code == 422


def test_a_number_can_replace_all_others(ada: Browser, backend: Backend) -> None:
    path = f"/users/{user_id(ada)}/phone_number"
    send(backend, "PUT", path, phone_number="+15555550100")
    shown = send(backend, "PUT", path, phone_number="+15555550101")
    user = backend.get(f"/users/{user_id(ada)}").get_json()
    assert [phone["id"] for phone in user["phone_numbers"]] == [shown["id"]]


def test_an_agent_works_for_a_user_once(ada: Browser, backend: Backend, emulator: Flask) -> None:
    body = {
        "on_behalf_of": {"user_id": user_id(ada)},
        "permissions": "*",
        "agent_name": "tidy",
        "task_description": "Tidy up",
        "redirect_url": "http://localhost:5000/",
    }
    task = send(backend, "POST", "/agents/tasks", **body)
    again = send(backend, "POST", "/agents/tasks", **body)
    assert (task["agent_id"], task["task_id"] != again["task_id"]) == (again["agent_id"], True)
    other = Browser(emulator)
    ticket = task["url"].partition("ticket=")[2]
    other.post("/client/sign_ins", strategy="ticket", ticket=ticket)
    session = other.session()
    assert session["user"]["id"] == user_id(ada)
    assert session["actor"] == {"sub": task["agent_id"], "type": "agent"}
    assert session["expire_at"] - session["created_at"] == 1800_000
    used = backend.send("POST", f"/agents/tasks/{task['task_id']}/revoke")
    assert used.status_code == 400
    send(backend, "POST", f"/agents/tasks/{again['task_id']}/revoke")
    ticket = again["url"].partition("ticket=")[2]
    revoked = Browser(emulator).post("/client/sign_ins", strategy="ticket", ticket=ticket)
    assert revoked.status_code == 400


@pytest.mark.parametrize("who", [{}, {"user_id": "user_nope"}, {"identifier": "x@example.com"}])
def test_an_agent_needs_a_user(backend: Backend, who: Json) -> None:
    more = {"permissions": "*", "agent_name": "x", "task_description": "x", "redirect_url": "x"}
    assert backend.send("POST", "/agents/tasks", on_behalf_of=who, **more).status_code in (404, 422)


def test_the_svix_url_is_the_dashboard(backend: Backend) -> None:
    assert send(backend, "POST", "/webhooks/svix_url")["svix_url"].endswith("/dashboard/webhooks")
    assert backend.send("DELETE", "/webhooks/svix").status_code == 204
    assert error_of(backend.send("POST", "/webhooks/svix_url"))[1] == "svix_app_missing"
    assert "svix_url" in send(backend, "POST", "/webhooks/svix")


def test_settings_of_the_instance_are_stored(backend: Backend) -> None:
    path = "/instance/communication"
    assert backend.get(path).get_json()["blocked_country_codes"] == []
    assert send(backend, "PATCH", path, blocked_country_codes=["XX"]) == {
        "object": "instance_communication",
        "blocked_country_codes": ["XX"],
    }
    protect = send(backend, "PATCH", "/instance/protect", rules_enabled=True)
    assert (protect["rules_enabled"], protect["specter_enabled"]) == (True, False)
    wrong = backend.send("PATCH", "/instance/protect", rules_enabled="yes")
    assert error_of(wrong)[2] == "rules_enabled"


def test_production_features_are_rejected(backend: Backend) -> None:
    body = {"home_url": "https://acme.example"}
    for method, path in (("POST", "/instance/change_domain"), ("PUT", "/beta_features/domain")):
        assert error_of(backend.send(method, path, **body))[1] == "domain_update_forbidden"


def test_a_proxy_is_checked(backend: Backend) -> None:
    domain = backend.get("/domains").get_json()["data"][0]["id"]
    body = {"domain_id": domain, "proxy_url": "https://acme.example/__clerk"}
    assert send(backend, "POST", "/proxy_checks", **body)["successful"] is True
    assert backend.send("POST", "/proxy_checks", **body | {"domain_id": "x"}).status_code == 404


def test_users_have_no_trusted_devices_and_unknown_credentials_get_a_404(
    ada: Browser, backend: Backend
) -> None:
    path = f"/users/{user_id(ada)}"
    assert backend.get(f"{path}/trusted_devices").get_json() == {"data": [], "total_count": 0}
    for kind in ("trusted_devices", "passkeys", "web3_wallets"):
        assert backend.send("DELETE", f"{path}/{kind}/x").status_code == 404


def test_these_endpoints_need_the_secret_key(browser: Browser) -> None:
    for path in ("enterprise_connections", "scim_directories", "templates/email", "sign_ups/x"):
        assert browser.http.get(f"/api/v1/{path}").status_code == 401


PRO = {"slug": "pro", "name": "Pro", "amount": 2000}
TEAM = {"slug": "team", "name": "Team", "amount": 9000, "payer": "org"}


def test_plans_and_their_subscribers(ada: Browser, backend: Backend, clerk: LocalClerk) -> None:
    assert error_of(backend.get("/billing/plans"))[1] == "billing_not_enabled"
    clerk.source.replace({"billing": {"enabled": True, "plans": [PRO, TEAM]}})
    plans = backend.get("/billing/plans", payer_type="user").get_json()
    assert [plan["slug"] for plan in plans["data"]] == ["pro"]
    begun = ada.post("/me/billing/checkouts", plan_id="cplan_user_pro", plan_period="month")
    ada.post(f"/me/billing/checkouts/{begun.get_json()['response']['id']}/confirm", "PATCH")
    (item,) = backend.get("/billing/subscription_items").get_json()["data"]
    assert (item["plan_id"], item["payer"]["user_id"]) == ("cplan_user_pro", user_id(ada))
    assert backend.get("/billing/subscription_items", payer_type="org").get_json()["data"] == []
    path = f"/users/{user_id(ada)}/billing/subscription"
    assert backend.get(path).get_json()["subscription_items"][0]["id"] == item["id"]
    one = f"/billing/subscription_items/{item['id']}"
    assert send(backend, "DELETE", one)["canceled_at"] is not None
    assert send(backend, "DELETE", f"{one}?end_now=true")["status"] == "ended"
    assert backend.send("DELETE", one).status_code == 404
    assert backend.get("/users/user_nope/billing/subscription").status_code == 404


def test_credit_is_added_and_removed_once(
    ada: Browser, backend: Backend, clerk: LocalClerk
) -> None:
    clerk.source.replace({"billing": {"enabled": True, "plans": [PRO]}})
    path = f"/users/{user_id(ada)}/billing/credits"
    body = {"amount": 500, "action": "increase", "idempotency_key": "a"}
    first = send(backend, "POST", path, **body)
    assert send(backend, "POST", path, **body) == first
    assert backend.get(path).get_json()["balance"]["amount"] == 500
    less = {"amount": 501, "action": "decrease", "idempotency_key": "b"}
    assert backend.send("POST", path, **less).status_code == 422
    send(backend, "POST", path, **less | {"amount": 200})
    assert backend.get(path).get_json()["balance"]["amount"] == 300
    assert error_of(backend.send("POST", path, amount=1))[2] == "action"
