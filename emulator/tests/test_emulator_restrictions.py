"""Who can sign up: allowlist, blocklist, subaddresses, disposable addresses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import PASSWORD, Backend, Browser, error_of

REFUSED = (403, "not_allowed_access")


def restrict(clerk: LocalClerk, *names: str, **more: Any) -> None:
    clerk.source.replace({"restrictions": dict.fromkeys(names, True)} | more)


def listed(backend: Backend, name: str, *identifiers: str) -> None:
    for identifier in identifiers:
        answer = backend.send("POST", f"/{name}_identifiers", identifier=identifier)
        assert answer.status_code == 200, answer.text


def sign_up(emulator: Flask, address: str) -> Any:
    form = {"email_address": address, "password": PASSWORD}
    return Browser(emulator).post("/client/sign_ups", **form)


def is_refused(answer: Any) -> bool:
    return answer.status_code == 403 and error_of(answer)[:2] == REFUSED


BLOCKED = [
    ("eve@example.com", "eve@example.com", True),
    ("Eve@Example.com", "eve@example.com", True),
    ("eve@example.com", "eve+1@example.com", True),
    ("eve@example.com", "eve=1@example.com", True),
    ("eve@example.com", "eve#1@example.com", True),
    ("eve@example.com", "eves@example.com", False),
    ("*@example.com", "anybody@example.com", True),
    ("*@example.com", "anybody@sub.example.com", False),
    ("*@example.com", "anybody@notexample.com", False),
    ("*@example.com", "anybody@example.com.au", False),
    ("*@*.example.com", "anybody@sub.example.com", True),
    ("*@*.example.com", "anybody@a.b.example.com", True),
    ("*@*.example.com", "anybody@example.com", False),
    ("*@*.example.com", "anybody@sub.notexample.com", False),
]


@pytest.mark.parametrize(("entry", "address", "refused"), BLOCKED)
def test_a_blocked_address_cannot_sign_up(
    emulator: Flask, clerk: LocalClerk, backend: Backend, entry: str, address: str, refused: bool
) -> None:
    restrict(clerk, "blocklist")
    listed(backend, "blocklist", entry)
    assert is_refused(sign_up(emulator, address)) is refused


def test_the_error_names_the_rejected_address(
    emulator: Flask, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "blocklist")
    listed(backend, "blocklist", "eve@example.com")
    (error,) = sign_up(emulator, "eve@example.com").get_json()["errors"]
    assert error["meta"] == {"identifiers": ["eve@example.com"]}
    assert error["message"] == "eve@example.com is not allowed to access this application."


def test_a_disabled_list_has_no_effect(
    emulator: Flask, clerk: LocalClerk, backend: Backend
) -> None:
    listed(backend, "blocklist", "eve@example.com")
    listed(backend, "allowlist", "ada@example.com")
    assert sign_up(emulator, "eve@example.com").status_code == 200


ALLOWED = [
    ("ada@example.com", "ada@example.com", True),
    ("ada@example.com", "ada+1@example.com", False),
    ("ada@example.com", "eve@example.com", False),
    ("*@example.com", "eve@example.com", True),
    ("*@example.com", "eve@other.example", False),
]


@pytest.mark.parametrize(("entry", "address", "welcome"), ALLOWED)
def test_only_allowed_addresses_can_sign_up(
    emulator: Flask, clerk: LocalClerk, backend: Backend, entry: str, address: str, welcome: bool
) -> None:
    restrict(clerk, "allowlist")
    listed(backend, "allowlist", entry)
    assert is_refused(sign_up(emulator, address)) is not welcome


def test_an_empty_allowlist_rejects_everyone(emulator: Flask, clerk: LocalClerk) -> None:
    restrict(clerk, "allowlist")
    assert is_refused(sign_up(emulator, "ada@example.com"))


def test_the_allowlist_takes_precedence(
    emulator: Flask, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "allowlist", "blocklist")
    listed(backend, "allowlist", "ada@example.com")
    listed(backend, "blocklist", "*@example.com")
    assert sign_up(emulator, "ada@example.com").status_code == 200
    assert is_refused(sign_up(emulator, "eve@example.com"))


def test_changing_the_address_during_sign_up_does_not_help(
    browser: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "blocklist")
    listed(backend, "blocklist", "eve@example.com")
    path = f"/client/sign_ups/{browser.begin_sign_up('ada@example.com')['id']}"
    assert is_refused(browser.post(path, "PATCH", email_address="eve@example.com"))


def test_an_address_blocked_during_sign_up_gets_no_account(
    browser: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    path = f"/client/sign_ups/{browser.begin_sign_up('eve@example.com')['id']}"
    browser.post(f"{path}/prepare_verification", strategy="email_code")
    restrict(clerk, "blocklist")
    listed(backend, "blocklist", "eve@example.com")
    code = {"strategy": "email_code", "code": "424242"}
    assert is_refused(browser.post(f"{path}/attempt_verification", **code))
    assert backend.get("/users/count").get_json()["total_count"] == 0


def test_an_invitation_does_not_get_around_the_lists(
    browser: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "allowlist")
    invited = backend.send("POST", "/invitations", email_address="eve@example.com").get_json()
    ticket = invited["url"].partition("ticket=")[2]
    assert is_refused(browser.post("/client/sign_ups", ticket=ticket, password=PASSWORD))


def test_a_blocked_address_cannot_sign_in_either(
    ada: Browser, emulator: Flask, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "blocklist")
    listed(backend, "blocklist", "*@example.com")
    assert is_refused(Browser(emulator).sign_in("ada@example.com"))
    clerk.source.switch({"restrictions": {"allowlist_blocklist_disabled_on_sign_in": True}})
    assert Browser(emulator).sign_in("ada@example.com").status_code == 200


def test_a_blocked_address_cannot_be_added(
    ada: Browser, clerk: LocalClerk, backend: Backend
) -> None:
    restrict(clerk, "allowlist", sessions={"reverification": False})
    listed(backend, "allowlist", "*@example.com")
    assert is_refused(ada.post("/me/email_addresses", email_address="eve@other.example"))
    assert ada.post("/me/email_addresses", email_address="a@example.com").status_code == 200


@pytest.mark.parametrize("address", ["a+b@example.com", "a=b@example.com", "a#b@example.com"])
def test_subaddresses_can_be_blocked(
    ada: Browser, emulator: Flask, clerk: LocalClerk, address: str
) -> None:
    assert sign_up(emulator, address).status_code == 200
    restrict(clerk, "block_email_subaddresses", sessions={"reverification": False})
    assert error_of(sign_up(emulator, address)) == (*REFUSED, "email_address")
    assert is_refused(ada.post("/me/email_addresses", email_address=address))


def test_dots_do_not_make_another_gmail_address(emulator: Flask, clerk: LocalClerk) -> None:
    Browser(emulator).sign_up("jsmith@gmail.com")
    assert sign_up(emulator, "j.smith@gmail.com").status_code == 200
    restrict(clerk, "block_email_subaddresses")
    assert is_refused(sign_up(emulator, "j.smith@gmail.com"))
    assert is_refused(sign_up(emulator, "js.mith@googlemail.com"))
    assert sign_up(emulator, "j.smithe@gmail.com").status_code == 200


def test_an_existing_user_with_a_subaddress_can_sign_in(emulator: Flask, clerk: LocalClerk) -> None:
    Browser(emulator).sign_up("a+b@example.com")
    restrict(clerk, "block_email_subaddresses", "block_disposable_email_domains")
    assert Browser(emulator).sign_in("a+b@example.com").status_code == 200


@pytest.mark.parametrize("address", ["x@mailinator.com", "x@mx.mailinator.com", "x@yopmail.com"])
def test_disposable_addresses_can_be_blocked(
    emulator: Flask, clerk: LocalClerk, address: str
) -> None:
    assert sign_up(emulator, address).status_code == 200
    restrict(clerk, "block_disposable_email_domains")
    assert is_refused(sign_up(emulator, address))
    assert sign_up(emulator, "x@notmailinator.com").status_code == 200
