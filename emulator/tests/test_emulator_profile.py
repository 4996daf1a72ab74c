"""The signed-in user's own account, as Clerk's profile component changes it."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import User
from clerk_emulator.second_factors import totp_code
from clerk_emulator.testing import PASSWORD, Backend, Browser, ManualClock, error_of


def test_the_name_can_be_changed(ada: Browser) -> None:
    ada.post("/me", "PATCH", first_name=" Ada ", last_name="Lovelace")
    user = ada.get("/me").get_json()["response"]
    assert (user["first_name"], user["last_name"]) == ("Ada", "Lovelace")


def test_the_password_can_be_changed(emulator: Flask, ada: Browser) -> None:
    new = "another horse 8"
    answer = ada.post("/me/change_password", current_password=PASSWORD, new_password=new)
    assert answer.status_code == 200
    assert Browser(emulator).sign_in("ada@example.com", new).status_code == 200


def test_the_current_password_must_be_right(ada: Browser) -> None:
    answer = ada.post("/me/change_password", current_password="no", new_password=PASSWORD)
    assert error_of(answer) == (422, "form_password_incorrect", "current_password")


def test_a_new_password_can_sign_other_browsers_out(emulator: Flask, ada: Browser) -> None:
    other = Browser(emulator)
    other.sign_in("ada@example.com")
    ada.post(
        "/me/change_password",
        current_password=PASSWORD,
        new_password="another horse 8",
        sign_out_of_other_sessions="true",
    )
    assert other.client()["sessions"] == []
    assert len(ada.client()["sessions"]) == 1


def test_other_browsers_are_listed_and_can_be_signed_out(emulator: Flask, ada: Browser) -> None:
    other = Browser(emulator)
    other.sign_in("ada@example.com")
    listed = ada.get("/me/sessions/active").get_json()
    assert {session["id"] for session in listed} == {other.session()["id"], ada.session()["id"]}
    ada.post(f"/me/sessions/{other.session()['id']}/revoke")
    assert other.client()["sessions"] == []


def test_a_second_address_becomes_primary_once_verified(ada: Browser) -> None:
    added = ada.post("/me/email_addresses/", email_address="ada2@example.com")
    id = added.get_json()["response"]["id"]
    early = ada.post("/me", "PATCH", primary_email_address_id=id)
    ada.post(f"/me/email_addresses/{id}/prepare_verification", strategy="email_code")
    ada.post(f"/me/email_addresses/{id}/attempt_verification", code="424242")
    late = ada.post("/me", "PATCH", primary_email_address_id=id)
    assert early.status_code == 404
    assert late.get_json()["response"]["primary_email_address_id"] == id


def test_the_primary_address_cannot_be_removed(ada: Browser) -> None:
    id = ada.session()["user"]["primary_email_address_id"]
    answer = ada.post(f"/me/email_addresses/{id}", "DELETE")
    assert error_of(answer)[:2] == (403, "last_identification_deletion_failed")


def test_metadata_is_merged(ada: Browser) -> None:
    for change in ({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": None}, "c": 3}):
        ada.post("/me/metadata", "PATCH", unsafe_metadata=json.dumps(change))
    expected = {"a": {"x": 1}, "b": 1, "c": 3}
    assert ada.session()["user"]["unsafe_metadata"] == expected


@pytest.mark.parametrize("kind", ["memberships", "invitations", "suggestions"])
def test_a_new_user_has_no_organization(ada: Browser, kind: str) -> None:
    answer = ada.get(f"/me/organization_{kind}", paginated="true")
    assert answer.get_json()["response"] == {"data": [], "total_count": 0}


def test_deletion_ends_sessions_and_frees_the_address(
    emulator: Flask, ada: Browser, backend: Backend
) -> None:
    user_id = ada.session()["user"]["id"]
    answer = ada.post("/me", "DELETE").get_json()
    assert answer["response"] == {"object": "user", "id": user_id, "deleted": True}
    assert answer["client"]["sessions"] == []
    assert backend.get(f"/users/{user_id}").status_code == 404
    assert Browser(emulator).sign_up("ada@example.com")["user"]["id"] != user_id


def test_a_signed_out_browser_sees_no_account(browser: Browser) -> None:
    assert error_of(browser.get("/me"))[:2] == (401, "authentication_invalid")


def test_every_user_has_a_picture(ada: Browser) -> None:
    url = ada.session()["user"]["image_url"]
    picture = ada.http.get(url)
    assert picture.mimetype == "image/svg+xml"
    assert ">A<" in picture.text


def test_account_deletion_can_be_disabled(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace({"actions": {"delete_self": False}})
    assert ada.session()["user"]["delete_self_enabled"] is False
    assert error_of(ada.post("/me", "DELETE"))[:2] == (403, "user_delete_self_not_enabled")


def test_a_password_can_be_removed_only_if_optional(clerk: LocalClerk, ada: Browser) -> None:
    needed = ada.post("/me/remove_password")
    clerk.source.replace({"attributes": {"password": {"required": False}}})
    wrong = ada.post("/me/remove_password", current_password="wrong")
    removed = ada.post("/me/remove_password", current_password=PASSWORD)
    assert error_of(needed)[:2] == (400, "password_required")
    assert error_of(wrong)[1] == "form_password_incorrect"
    assert removed.get_json()["response"]["password_enabled"] is False


def test_another_users_session_cannot_be_revoked(emulator: Flask, ada: Browser) -> None:
    bob = Browser(emulator)
    bob.sign_up("bob@example.com")
    answer = ada.post(f"/me/sessions/{bob.session()['id']}/revoke")
    assert answer.status_code == 404
    assert len(bob.client()["sessions"]) == 1


def test_a_required_name_cannot_be_removed(clerk: LocalClerk, ada: Browser) -> None:
    clerk.source.replace(
        {"attributes": {"first_name": {"required": True}, "last_name": {"enabled": False}}}
    )
    assert error_of(ada.post("/me", "PATCH", first_name=" "))[1] == "form_param_nil"
    assert error_of(ada.post("/me", "PATCH", last_name="L"))[1] == "form_param_unknown"


def test_a_new_password_must_differ_from_the_old_one(ada: Browser) -> None:
    answer = ada.post("/me/change_password", new_password=PASSWORD)
    assert error_of(answer) == (422, "form_new_password_matches_current", "new_password")


def test_a_compromised_password_is_changed_without_entering_it_again(
    clerk: LocalClerk, ada: Browser
) -> None:
    clerk.source.replace({"sessions": {"reverification": False}})
    user = clerk.store.get(User, ada.session()["user"]["id"])
    assert user is not None
    user.password_compromised = True
    clerk.store.put(user)
    assert ada.session()["tasks"] == [{"key": "reset-password"}]
    assert ada.post("/me/change_password", new_password="another horse 8").status_code == 200
    assert ada.session()["tasks"] is None
    assert ada.session()["status"] == "active"


def test_setting_up_a_second_factor_completes_the_task(
    clerk: LocalClerk, emulator: Flask, clock: ManualClock
) -> None:
    app = {"enabled": True, "used_for_second_factor": True}
    required = {"second_factor_required": True}
    clerk.source.replace({"attributes": {"authenticator_app": app}, "sign_in": required})
    browser = Browser(emulator)
    before = browser.sign_up("ada@example.com")
    secret = browser.post("/me/totp").get_json()["response"]["secret"]
    code = totp_code(secret, clock.now // 1000)
    browser.post("/me/totp/attempt_verification", code=code)
    assert (before["status"], before["tasks"]) == ("pending", [{"key": "setup-mfa"}])
    assert (browser.session()["status"], browser.session()["tasks"]) == ("active", None)


@pytest.mark.parametrize("kind", ["enterprise_connections", "biometric_credentials"])
def test_unsupported_lists_are_empty(ada: Browser, kind: str) -> None:
    assert ada.get(f"/me/{kind}").get_json()["response"] == []
