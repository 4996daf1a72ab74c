"""Passkeys: adding and removing them, signing in with them, and rejecting forgeries."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.cbor import CborError, read_cbor
from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Passkey, User
from clerk_emulator.testing import Backend, Browser, ManualClock, error_of

from .accounts import new_account
from .authenticator import PRESENT, VERIFIED, Authenticator, cbor, forged
from .hosted_forms import open_page, send

FAILED = (422, "passkey_authentication_failed", None)


@pytest.fixture(autouse=True)
def passkeys(clerk: LocalClerk) -> None:
    clerk.source.replace({"attributes": {"passkey": {"enabled": True}}})


def begin(browser: Browser) -> tuple[str, str]:
    """The path of a new passkey, and the nonce that the browser gets."""
    made = browser.post("/me/passkeys").get_json()["response"]
    return f"/me/passkeys/{made['id']}", made["verification"]["nonce"]


def register(browser: Browser, device: Authenticator, **attestation: Any) -> TestResponse:
    path, nonce = begin(browser)
    credential = device.create(nonce, **attestation)
    return hand_in(browser, path, credential)


def hand_in(browser: Browser, path: str, credential: str) -> TestResponse:
    path += "/attempt_verification"
    return browser.post(path, strategy="passkey", public_key_credential=credential)


def ask(browser: Browser) -> tuple[str, str]:
    """The path of a sign-in without an identifier, and the nonce that the browser gets."""
    made = browser.post("/client/sign_ins", strategy="passkey").get_json()["response"]
    assert made["status"] == "needs_first_factor"
    return f"/client/sign_ins/{made['id']}", made["first_factor_verification"]["nonce"]


def prove(browser: Browser, path: str, credential: str) -> TestResponse:
    path += "/attempt_first_factor"
    return browser.post(path, strategy="passkey", public_key_credential=credential)


@pytest.fixture
def device(ada: Browser) -> Authenticator:
    """Has Ada's passkey."""
    device = Authenticator(count=5)
    assert register(ada, device).status_code == 200
    device.count = 6
    return device


@pytest.fixture
def visitor(emulator: Flask) -> Browser:
    """Another browser, in which no user is signed in."""
    return Browser(emulator)


@pytest.mark.parametrize(
    "key",
    [None, ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)],
    ids=["ES256", "EdDSA", "RS256"],
)
def test_a_passkey_signs_its_owner_in(ada: Browser, visitor: Browser, key: Any) -> None:
    device = Authenticator(key) if key else Authenticator()
    assert register(ada, device).get_json()["response"]["verification"]["status"] == "verified"
    path, nonce = ask(visitor)
    shown = prove(visitor, path, device.get(nonce)).get_json()["response"]
    assert shown["status"] == "complete"
    assert visitor.session()["user"]["id"] == ada.session()["user"]["id"]
    assert visitor.session()["user"]["passkeys"][0]["last_used_at"]


def test_an_identified_account_is_offered_its_passkey(
    device: Authenticator, visitor: Browser
) -> None:
    made = visitor.post("/client/sign_ins", identifier="ada@example.com").get_json()["response"]
    assert {"strategy": "passkey"} in made["supported_first_factors"]
    path = f"/client/sign_ins/{made['id']}"
    asked = visitor.post(f"{path}/prepare_first_factor", strategy="passkey").get_json()["response"]
    nonce = asked["first_factor_verification"]["nonce"]
    assert len(json.loads(nonce)["allowCredentials"]) == 1
    shown = prove(visitor, path, device.get(nonce, user_handle=None)).get_json()["response"]
    assert shown["status"] == "complete"


def replaced(device: Authenticator, nonce: str, **changes: Any) -> str:
    return dataclasses.replace(device, **changes).get(nonce)


FOOLS: dict[str, Callable[[Authenticator, str], str]] = {
    "wrong challenge": lambda d, n: replaced(d, n, challenge="x" * 43),
    "wrong origin": lambda d, n: replaced(d, n, origin="https://evil.example"),
    "other port": lambda d, n: replaced(d, n, origin="http://localhost:1"),
    "wrong rp": lambda d, n: replaced(d, n, rp_id="evil.example"),
    "made, not used": lambda d, n: replaced(d, n, kind="webauthn.create"),
    "another key": lambda d, n: replaced(d, n, key=Authenticator().key),
    "a key of another kind": lambda d, n: replaced(d, n, key=ed25519.Ed25519PrivateKey.generate()),
    "counter stands still": lambda d, n: replaced(d, n, count=5),
    "counter goes back": lambda d, n: replaced(d, n, count=0),
    "user not present": lambda d, n: replaced(d, n, flags=VERIFIED),
    "user not verified": lambda d, n: replaced(d, n, flags=PRESENT),
    "a key that is not there": lambda d, n: replaced(d, n, flags=PRESENT | VERIFIED | 0x40),
    "extensions that are not there": lambda d, n: replaced(d, n, flags=PRESENT | VERIFIED | 0x80),
    "another user's handle": lambda d, n: replaced(d, n, user_handle="dXNlcl94"),
    "no handle": lambda d, n: d.get(n, user_handle=None),
    "forged signature": lambda d, n: forged(d.get(n), signature=b"0" * 70),
    "no signature": lambda d, n: forged(d.get(n), signature=b""),
    "cut off": lambda d, n: forged(d.get(n), authenticatorData=b"0" * 36),
    "no client data": lambda d, n: forged(d.get(n), clientDataJSON=b"[]"),
    "deep client data": lambda d, n: forged(d.get(n), clientDataJSON=b"[" * 50_000),
    "no JSON": lambda _d, _n: "{",
    "no credential": lambda _d, _n: "[]",
    "padded": lambda d, n: d.get(n).replace('"signature": "', '"signature": "='),
}


@pytest.mark.parametrize("fool", FOOLS.values(), ids=FOOLS.keys())
def test_forged_assertions_are_rejected(
    device: Authenticator, visitor: Browser, fool: Callable[[Authenticator, str], str]
) -> None:
    path, nonce = ask(visitor)
    assert error_of(prove(visitor, path, fool(device, nonce))) == FAILED
    assert visitor.client()["sessions"] == []
    # The challenge is used up, also for the right answer.
    assert error_of(prove(visitor, path, device.get(nonce)))[1] == "verification_expired"


def test_an_unregistered_passkey_is_rejected(visitor: Browser, ada: Browser) -> None:
    path, nonce = ask(visitor)
    handle = "dXNlcl94"
    answered = prove(visitor, path, Authenticator(user_handle=handle).get(nonce))
    assert error_of(answered)[1] == "passkey_not_registered"


def test_an_assertion_cannot_be_replayed(
    device: Authenticator, visitor: Browser, emulator: Flask
) -> None:
    path, nonce = ask(visitor)
    answer = device.get(nonce)
    assert prove(visitor, path, answer).status_code == 200
    thief = Browser(emulator)
    assert error_of(prove(thief, path, answer))[1] == "resource_not_found"
    assert error_of(prove(thief, ask(thief)[0], answer)) == FAILED
    assert thief.client()["sessions"] == []


def test_a_challenge_expires(device: Authenticator, visitor: Browser, clock: ManualClock) -> None:
    path, nonce = ask(visitor)
    clock.forward(seconds=600)
    assert error_of(prove(visitor, path, device.get(nonce)))[1] == "verification_expired"


def test_another_users_passkey_is_rejected(
    device: Authenticator, emulator: Flask, visitor: Browser
) -> None:
    eve, hers = Browser(emulator), Authenticator()
    new_account(emulator, eve, "eve@example.com")
    assert register(eve, hers).status_code == 200
    made = visitor.post("/client/sign_ins", identifier="ada@example.com").get_json()["response"]
    path = f"/client/sign_ins/{made['id']}"
    asked = visitor.post(f"{path}/prepare_first_factor", strategy="passkey").get_json()["response"]
    answer = hers.get(asked["first_factor_verification"]["nonce"])
    assert error_of(prove(visitor, path, answer))[1] == "passkey_not_registered"
    mine = f"/me/passkeys/{eve.session()['user']['passkeys'][0]['id']}"
    ada_tries = Browser(emulator)
    new_account(emulator, ada_tries, "bob@example.com")
    for method in ("GET", "PATCH", "DELETE"):
        found = ada_tries.get(mine) if method == "GET" else ada_tries.post(mine, method, name="x")
        assert error_of(found)[:2] == (404, "resource_not_found")


@pytest.mark.parametrize(
    ("changes", "attestation"),
    [
        ({"challenge": "x" * 43}, {}),
        ({"origin": "https://evil.example"}, {}),
        ({"rp_id": "evil.example"}, {}),
        ({"kind": "webauthn.get"}, {}),
        ({"flags": VERIFIED}, {}),
        ({"flags": PRESENT}, {}),
        ({"id": b""}, {}),
        ({"id": b"x" * 1024}, {}),
        ({"key": rsa.generate_private_key(65537, 1024)}, {}),  # noqa: S505
        ({}, {"more": 1}),
        ({}, {"fmt": 1}),
        ({}, {"authData": b"x" * 37}),
    ],
)
def test_forged_credentials_are_rejected(
    ada: Browser, changes: dict[str, Any], attestation: dict[str, Any]
) -> None:
    device = Authenticator(**changes)
    assert error_of(register(ada, device, **attestation))[1] == "passkey_registration_failed"
    assert ada.session()["user"]["passkeys"] == []


def test_a_credential_is_registered_once(
    device: Authenticator, emulator: Flask, ada: Browser
) -> None:
    eve = Browser(emulator)
    new_account(emulator, eve, "eve@example.com")
    again = Authenticator(id=device.id)
    assert error_of(register(eve, again))[1] == "passkey_already_exists"
    assert error_of(register(ada, again))[1] == "passkey_already_exists"


def test_other_attestation_statements_are_ignored(ada: Browser) -> None:
    made = register(ada, Authenticator(), fmt="packed", attStmt={"alg": -7, "sig": b"x"})
    assert made.status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x18\x01",
        b"\x19\x00\xff",
        b"\x58",
        b"\x42x",
        b"\x61\xff",
        b"\x9f\xff",
        b"\xc0\x00",
        b"\xf9\x00\x00",
        b"\xf7",
        b"\xf8\x14",
        b"\x00\x00",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xa2\x01\x01\x01\x02",
        b"\xa1\x41x\x01",
        b"\xa1\xf5\x01",
        b"\x81" * 2000 + b"\x00",
        b"\x59\xff\xff" + b"x" * 65535,
    ],
)
def test_malformed_cbor_is_refused(data: bytes) -> None:
    with pytest.raises(CborError):
        read_cbor(data)


def test_cbor_is_decoded() -> None:
    value = {1: -7, -257: b"x" * 300, "fmt": "none", "a": {}}
    assert read_cbor(cbor(value)) == value
    assert read_cbor(b"\x83\xf4\xf5\xf6") == [False, True, None]


def test_a_passkey_is_renamed_and_removed(
    device: Authenticator, ada: Browser, visitor: Browser
) -> None:
    path = f"/me/passkeys/{ada.session()['user']['passkeys'][0]['id']}"
    assert error_of(ada.post(path, "PATCH", name=" "))[1:] == ("form_param_nil", "name")
    assert ada.post(path, "PATCH", name="Phone").get_json()["response"]["name"] == "Phone"
    assert [key["name"] for key in ada.get("/me/passkeys").get_json()["response"]] == ["Phone"]
    assert ada.post(path, "DELETE").get_json()["response"]["deleted"]
    assert ada.session()["user"]["passkeys"] == []
    sign_in, nonce = ask(visitor)
    answered = prove(visitor, sign_in, device.get(nonce))
    assert error_of(answered)[1] == "passkey_not_registered"


def test_the_backend_api_shows_and_removes_passkeys(
    device: Authenticator, ada: Browser, backend: Backend, emulator: Flask
) -> None:
    user = backend.get(f"/users/{ada.session()['user']['id']}").get_json()
    (shown,) = user["passkeys"]
    assert shown["verification"]["object"] == "verification_passkey"
    new_account(emulator, other := Browser(emulator), "eve@example.com")
    foreign = f"/users/{other.session()['user']['id']}/passkeys/{shown['id']}"
    assert backend.send("DELETE", foreign).status_code == 404
    gone = backend.send("DELETE", f"/users/{user['id']}/passkeys/{shown['id']}").get_json()
    assert gone == {"object": "passkey", "id": shown["id"], "deleted": True}


def test_passkeys_are_deleted_with_their_account(
    device: Authenticator, ada: Browser, clerk: LocalClerk
) -> None:
    assert ada.post("/me", "DELETE").status_code == 200
    assert clerk.store.find(Passkey) == []


def test_a_passkey_reverifies_a_session(
    device: Authenticator, ada: Browser, clock: ManualClock
) -> None:
    clock.forward(seconds=600)
    assert error_of(ada.post("/me/passkeys"))[:2] == (403, "session_reverification_required")
    path = f"/client/sessions/{ada.session()['id']}/verify"
    started = ada.post(path, level="first_factor").get_json()["response"]
    assert {"strategy": "passkey"} in started["supported_first_factors"]
    asked = ada.post(f"{path}/prepare_first_factor", strategy="passkey").get_json()["response"]
    nonce = asked["first_factor_verification"]["nonce"]
    form = {"strategy": "passkey", "public_key_credential": device.get(nonce)}
    done = ada.post(f"{path}/attempt_first_factor", **form).get_json()["response"]
    assert done["status"] == "complete"
    assert ada.post("/me/passkeys").status_code == 200


def test_an_account_has_ten_passkeys_at_most(ada: Browser) -> None:
    for _ in range(10):
        assert register(ada, Authenticator()).status_code == 200
    assert error_of(ada.post("/me/passkeys"))[:2] == (403, "passkey_quota_exceeded")


def test_passkeys_are_unavailable_while_disabled(
    device: Authenticator, ada: Browser, visitor: Browser, clerk: LocalClerk
) -> None:
    path, nonce = ask(visitor)
    clerk.source.replace({})
    assert error_of(prove(visitor, path, device.get(nonce)))[1] == "feature_not_enabled"
    assert error_of(ada.post("/me/passkeys"))[1] == "feature_not_enabled"
    begun = visitor.post("/client/sign_ins", strategy="passkey")
    assert error_of(begun)[1] == "feature_not_enabled"
    settings = visitor.get("/environment").get_json()["user_settings"]["passkey_settings"]
    assert settings == {"allow_autofill": False, "show_sign_in_button": False}


def test_enumeration_protection_shows_no_passkey(
    device: Authenticator, visitor: Browser, clerk: LocalClerk
) -> None:
    protected = {"sign_in": {"enumeration_protection": True}}
    clerk.source.replace({"attributes": {"passkey": {"enabled": True}}} | protected)
    made = visitor.post("/client/sign_ins", identifier="ada@example.com").get_json()["response"]
    assert {"strategy": "passkey"} not in made["supported_first_factors"]
    path = f"/client/sign_ins/{made['id']}/prepare_first_factor"
    answered = visitor.post(path, strategy="passkey")
    assert error_of(answered)[1] == "strategy_for_user_invalid"


def test_a_page_without_javascript_says_if_only_a_passkey_works(
    emulator: Flask, clerk: LocalClerk, device: Authenticator
) -> None:
    email = {"used_for_first_factor": False, "first_factors": []}
    tables = {
        "passkey": {"enabled": True},
        "username": {"enabled": True, "used_for_first_factor": True},
    }
    clerk.source.replace({"attributes": tables | {"email_address": email}})
    user = clerk.store.find(User)[0]
    user.password_hash, user.username = None, "ada"
    clerk.store.put(user)
    plain = emulator.test_client()
    page = open_page(plain, "/sign-in")
    answer = send(plain, page, "/sign-in", identifier="ada")
    page = open_page(plain, answer.location) if answer.location else answer
    assert "This page offers no way to continue." in page.text
