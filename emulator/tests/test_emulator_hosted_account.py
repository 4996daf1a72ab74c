"""The hosted page of an account: its picture, second factors, and links to addresses."""

from __future__ import annotations

import base64
import re
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import EmailAddress, Message, PhoneNumber, User
from clerk_emulator.second_factors import totp_code
from clerk_emulator.testing import Browser, ManualClock
from clerk_emulator.users import CODE

from .hosted_forms import HEADERS, at, follow, open_page, send, sign_up

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
ALL = {
    "authenticator_app": {
        "enabled": True,
        "used_for_second_factor": True,
        "second_factors": ["totp"],
    },
    "backup_code": {
        "enabled": True,
        "used_for_second_factor": True,
        "second_factors": ["backup_code"],
    },
    "phone_number": {
        "enabled": True,
        "used_for_second_factor": True,
        "second_factors": ["phone_code"],
        "verifications": ["phone_code"],
    },
}


@pytest.fixture
def visitor(browser: Browser) -> FlaskClient:
    """Grace's browser, without Clerk.js."""
    sign_up(browser.http)
    return browser.http


def act(visitor: FlaskClient, action: str, **form: str) -> TestResponse:
    return follow(visitor, send(visitor, open_page(visitor, "/user"), action, **form))


def grace(clerk: LocalClerk) -> User:
    user = clerk.store.first(User)
    assert user is not None
    return user


def upload(visitor: FlaskClient, content: bytes, token: str | None = None) -> TestResponse:
    """Send the form for the picture."""
    found = re.search(r'csrf_token" value="(\w+)"', open_page(visitor, "/user").text)
    data = {"csrf_token": token or (found[1] if found else ""), "file": (BytesIO(content), "x")}
    return follow(visitor, visitor.post("/user/picture", data=data, headers=HEADERS))


def test_a_picture_is_uploaded_shown_and_removed(visitor: FlaskClient, clerk: LocalClerk) -> None:
    page = upload(visitor, PNG)
    assert 'role="status"' in page.text
    picture = grace(clerk).picture_id
    assert picture is not None
    shown = re.search(r'<img src="[^"]*(/avatars/\w+)"', page.text)
    assert shown is not None
    assert visitor.get(shown[1]).data == PNG
    assert "img-src 'self'" in page.headers["Content-Security-Policy"]
    act(visitor, "/user/picture/remove")
    assert grace(clerk).picture_id is None


@pytest.mark.parametrize("content", [b"", b"<svg></svg>", b"\x89PNG\r\n\x1a\n" + b"x" * 10_000_001])
def test_an_invalid_picture_is_reported_next_to_the_field(
    visitor: FlaskClient, clerk: LocalClerk, content: bytes
) -> None:
    assert 'id="file-error"' in upload(visitor, content).text
    assert grace(clerk).picture_id is None


def test_other_sites_cannot_upload_a_picture(visitor: FlaskClient, clerk: LocalClerk) -> None:
    assert upload(visitor, PNG, token="0" * 64).status_code == 403
    assert grace(clerk).picture_id is None


def test_an_authenticator_app_is_set_up_and_removed(
    visitor: FlaskClient, clerk: LocalClerk, clock: ManualClock
) -> None:
    clerk.source.replace({"attributes": ALL})
    page = act(visitor, "/user/totp")
    page = send(visitor, page, "/user/totp/verify", code="000000")
    assert 'id="code-error"' in page.text
    secret = grace(clerk).totp_secret
    assert secret is not None
    assert secret in page.text
    code = totp_code(secret, clock() // 1000)
    page = follow(visitor, send(visitor, page, "/user/totp/verify", code=code))
    codes = grace(clerk).backup_codes
    assert len(codes) == 10
    assert all(code in page.text for code in codes)
    renewed = act(visitor, "/user/backup-codes")
    assert grace(clerk).backup_codes[0] in renewed.text
    assert not set(codes) & set(grace(clerk).backup_codes)
    act(visitor, "/user/totp/remove")
    assert not grace(clerk).totp_verified


def test_numbers_become_second_factors(visitor: FlaskClient, clerk: LocalClerk) -> None:
    clerk.source.replace({"attributes": ALL})
    for number in ("+12015550101", "+12015550102"):
        page = act(visitor, "/user/phone_numbers", phone_number=number)
        page = follow(visitor, send(visitor, page, at(page), code=CODE))
        assert at(page) == "/user"
    first, second = clerk.store.find(PhoneNumber)
    codes = act(visitor, f"/user/second-factors/{first.id}/use").text
    assert grace(clerk).backup_codes[0] in codes
    act(visitor, f"/user/second-factors/{second.id}/use")
    act(visitor, f"/user/second-factors/{second.id}/prefer")
    chosen = clerk.store.first(PhoneNumber, default_second_factor=True)
    assert chosen is not None
    assert chosen.id == second.id
    for phone in (first, second):
        act(visitor, f"/user/second-factors/{phone.id}/stop")
    assert grace(clerk).mfa_enabled_at is None


def test_numbers_of_other_users_cannot_become_second_factors(
    visitor: FlaskClient, emulator: Flask, clerk: LocalClerk
) -> None:
    clerk.source.replace({"attributes": ALL})
    page = act(visitor, "/user/phone_numbers", phone_number="+12015550101")
    follow(visitor, send(visitor, page, at(page), code=CODE))
    (phone,) = clerk.store.find(PhoneNumber)
    eve = emulator.test_client()
    sign_up(eve, "eve@example.com")
    token = re.search(r'csrf_token" value="(\w+)"', open_page(eve, "/user").text)
    assert token is not None
    for action in ("use", "prefer", "stop"):
        path = f"/user/second-factors/{phone.id}/{action}"
        page = eve.post(path, data={"csrf_token": token[1]}, headers=HEADERS)
        assert "was not found" in page.text
    assert clerk.store.find(PhoneNumber) == [phone]


def test_without_second_factors_the_page_offers_none(visitor: FlaskClient) -> None:
    assert "Two-step" not in open_page(visitor, "/user").text


def test_an_address_is_verified_by_the_link_that_was_sent(
    visitor: FlaskClient, clerk: LocalClerk
) -> None:
    clerk.source.replace({"attributes": {"email_address": {"verifications": ["email_link"]}}})
    page = act(visitor, "/user/email_addresses", email_address="second@example.com")
    assert "send a link" in page.text
    waiting = at(page)
    (message,) = clerk.store.find(Message, to="second@example.com")
    assert message.link is not None
    follow(visitor, visitor.get(message.link.partition("/__clerk")[2], headers=HEADERS))
    assert at(follow(visitor, open_page(visitor, waiting))) == "/user"
    added = clerk.store.first(EmailAddress, email_address="second@example.com")
    assert added is not None
    assert added.verified
