"""The emulator's own pages: their contents, actions, and protection."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Event, Message, Session, User
from clerk_emulator.settings.source import SettingsSource
from clerk_emulator.testing import Browser
from clerk_emulator.verifications import send_message

ORIGIN = "http://localhost:5001"
PAGES = (
    "/",
    *(
        f"/dashboard/{name}"
        for name in ("users", "sessions", "organizations", "inbox", "webhooks", "features")
    ),
)


class Visitor:
    """Loads pages of the dashboard, and sends their forms."""

    def __init__(self, emulator: Flask) -> None:
        self.http = emulator.test_client()
        self.headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}

    def text(self, path: str) -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def token(self) -> str:
        found = re.search(r'name="csrf_token" value="(\w+)"', self.text("/"))
        assert found is not None
        return found[1]

    def post(self, path: str, **form: str) -> TestResponse:
        data = {"csrf_token": self.token()} | form
        return self.http.post(path, data=data, headers=self.headers)


@pytest.fixture
def visitor(emulator: Flask) -> Visitor:
    return Visitor(emulator)


def user_of(clerk: LocalClerk) -> User:
    (user,) = clerk.store.find(User)
    return user


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_the_emulator_and_runs_no_foreign_script(
    visitor: Visitor, ada: Browser, path: str
) -> None:
    answer = visitor.http.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "Local Clerk" in answer.text
    assert "script-src 'self';" in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=", answer.text)


def test_users_are_found_by_address_name_and_id(
    visitor: Visitor, browser: Browser, emulator: Flask, clerk: LocalClerk
) -> None:
    browser.sign_up("ada@example.com")
    Browser(emulator).sign_up("grace@example.com")
    assert "grace@example.com" in visitor.text("/dashboard/users")
    found = visitor.text("/dashboard/users?query=ADA@")
    assert "ada@example.com" in found
    assert "grace@example.com" not in found
    assert "No users match <x>" in visitor.text("/dashboard/users?query=<x>")


def test_user_input_is_escaped(visitor: Visitor, ada: Browser) -> None:
    ada.post("/me", "PATCH", first_name="<script>alert(1)</script>")
    pages = [visitor.http.get(path).text for path in PAGES]
    assert not any("<script>alert" in page for page in pages)


def test_sign_in_as_redirects_to_the_app_with_the_dev_browser_token(
    visitor: Visitor, ada: Browser, clerk: LocalClerk, emulator: Flask
) -> None:
    user = user_of(clerk)
    answer = visitor.post(f"/dashboard/users/{user.id}/sign-in")
    target = urlsplit(answer.headers["Location"])
    (token,) = parse_qs(target.query)["__clerk_db_jwt"]
    assert target.netloc == "localhost:5000"
    other = Browser(emulator)
    other.dev_browser = token
    assert other.session()["user"]["id"] == user.id
    assert token != ada.dev_browser


def test_sign_in_as_opens_the_apps_page_for_signed_in_users(
    visitor: Visitor, ada: Browser, clerk: LocalClerk
) -> None:
    url = "http://localhost:5000/crm/"
    clerk.config = replace(clerk.config, app_url=url, after_sign_in_path="/dashboard?tab=1")
    answer = visitor.post(f"/dashboard/users/{user_of(clerk).id}/sign-in")
    assert answer.location.startswith("http://localhost:5000/crm/dashboard?tab=1&__clerk_db_jwt=")


def test_counts_agree_with_their_nouns(visitor: Visitor, ada: Browser, emulator: Flask) -> None:
    numbers = re.findall(r"<strong>(\d+)</strong>([\w ]+)", visitor.text("/"))
    assert ("1", "user") in numbers
    assert ("0", "organizations") in numbers
    Browser(emulator).sign_up("grace@example.com")
    assert ("2", "users") in re.findall(r"<strong>(\d+)</strong>([\w ]+)", visitor.text("/"))


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_pages_have_an_icon(visitor: Visitor, path: str) -> None:
    found = re.search(r'rel="icon" href="([^"]+)"', visitor.text(path))
    assert found
    answer = visitor.http.get(urlsplit(found[1]).path)
    assert answer.mimetype == "image/svg+xml"


def test_a_banned_user_is_signed_out_and_cannot_be_signed_in_as(
    visitor: Visitor, ada: Browser, clerk: LocalClerk
) -> None:
    path = f"/dashboard/users/{user_of(clerk).id}"
    visitor.post(f"{path}/ban")
    assert ada.client()["sessions"] == []
    assert visitor.post(f"{path}/sign-in").status_code == 403
    assert "banned" in visitor.text(path)
    visitor.post(f"{path}/unban")
    assert visitor.post(f"{path}/sign-in").status_code == 303


def test_a_deleted_user_is_gone(visitor: Visitor, ada: Browser, clerk: LocalClerk) -> None:
    visitor.post(f"/dashboard/users/{user_of(clerk).id}/delete")
    assert clerk.store.count(User) == 0


def test_a_revoked_session_ends(visitor: Visitor, ada: Browser, clerk: LocalClerk) -> None:
    (session,) = clerk.store.find(Session)
    visitor.post(f"/dashboard/sessions/{session.id}/revoke")
    assert ada.client()["sessions"] == []
    assert "revoked" in visitor.text("/dashboard/sessions")


def test_the_inbox_shows_codes_and_only_links_that_lead_to_the_web(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    send_message(clerk, "ada@example.com", "Sign in", "Here.", code="424242")
    send_message(clerk, "ada@example.com", "Join", "Here.", link="http://localhost:5001/join")
    send_message(clerk, "+15555550100", "", "Bad", link="javascript:alert(1)")
    text = visitor.text("/dashboard/inbox")
    assert text.index("Join") < text.index("Sign in")
    assert 'href="http://localhost:5001/join"' in text
    assert "javascript:" not in text
    assert "Sign in" not in visitor.text("/dashboard/inbox?to=%2B1555")
    visitor.post("/dashboard/inbox/empty")
    assert clerk.store.count(Message) == 0


def test_webhooks_are_shown_and_sent_again(
    visitor: Visitor, ada: Browser, clerk: LocalClerk
) -> None:
    event = clerk.store.find(Event)[0]
    event.status = "delivered"
    event.log = [{"at": clerk.now, "status": 418, "answer": "<b>no</b>"}]
    clerk.store.put(event)
    assert "418" in visitor.text("/dashboard/webhooks")
    assert "<b>no" not in visitor.http.get(f"/dashboard/webhooks/{event.id}").text
    visitor.post(f"/dashboard/webhooks/{event.id}/again")
    assert clerk.store.get(Event, event.id).status == "pending"  # type: ignore[union-attr]
    visitor.post("/dashboard/webhooks/pause")
    assert clerk.settings.webhooks.paused
    visitor.post("/dashboard/webhooks/resume")
    assert not clerk.settings.webhooks.paused
    visitor.post("/dashboard/webhooks/shuffled")
    times = [event.next_attempt_at for event in clerk.store.find(Event)]
    assert times == sorted(times, reverse=True)


def test_features_are_changed_and_reset(visitor: Visitor, clerk: LocalClerk) -> None:
    form = {"sign_up.mode": "waitlist", "password.min_length": "10"}
    visitor.post("/dashboard/features/sign_up", **form)
    visitor.post("/dashboard/features/social", provider="google")
    assert clerk.source.switched() == {
        "sign_up": {"mode": "waitlist"},
        "password": {"min_length": 10},
        "social": {"google": {"enabled": True}},
    }
    visitor.post("/dashboard/features/reset")
    assert clerk.settings.sign_up.mode == "public"


def test_saving_an_unchanged_form_changes_nothing(visitor: Visitor, clerk: LocalClerk) -> None:
    text = visitor.text("/dashboard/features")
    for found in re.finditer(r"/dashboard/features/(\w+)\".*?</form>", text, re.DOTALL):
        body, group = found[0], found[1]
        form: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", body):
            name = re.search(r'name="([^"]+)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            if name and ("checkbox" not in tag or " checked" in tag):
                form.setdefault(name[1], []).append(value[1] if value else "on")
        for name, value in re.findall(
            r'<select[^>]*name="([^"]+)".*?selected>(\w+)<', body, re.DOTALL
        ):
            form[name] = [value]
        answer = visitor.http.post(
            f"/dashboard/features/{group}", data=form, headers=visitor.headers
        )
        assert answer.status_code == 303
    assert clerk.source.switched() == {}


def test_an_invalid_settings_file_changes_nothing_and_shows_its_error(
    visitor: Visitor, clerk: LocalClerk, tmp_path: Path
) -> None:
    path = tmp_path / "clerk_emulator.toml"
    path.write_text('[sign_up]\nmode = "waitlist"\n')
    clerk.source = SettingsSource(clerk.store, path)
    for broken in ("[sign_up", '[sign_up]\nmode = "closed"\n'):
        path.write_text(broken)
        assert clerk.settings.sign_up.mode == "waitlist"
        assert "clerk_emulator.toml can't be read" in visitor.text("/dashboard/features") or (
            "mode is 'closed'" in visitor.text("/dashboard/features")
        )
    path.write_text('[sign_up]\nmode = "restricted"\n')
    assert clerk.settings.sign_up.mode == "restricted"
    assert "stay in effect" not in visitor.text("/dashboard/features")


def test_an_invalid_feature_shows_an_error(visitor: Visitor, clerk: LocalClerk) -> None:
    form = {"sign_up.mode": "closed", "password.min_length": "many"}
    answer = visitor.post("/dashboard/features/sign_up", **form)
    assert answer.status_code == 422
    assert "expected" in answer.text
    assert clerk.source.switched() == {}


def test_resetting_asks_first(visitor: Visitor, ada: Browser, clerk: LocalClerk) -> None:
    assert visitor.post("/dashboard/reset").status_code == 422
    assert clerk.store.count(User) == 1
    visitor.post("/dashboard/reset", sure="on")
    assert clerk.store.count(User) == 0


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({"Origin": "https://evil.example"}, True, 400),
        ({"Origin": "http://localhost:5000"}, True, 403),
        ({"Origin": "null"}, True, 400),
        ({}, True, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, True, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"}, True, 403),
        ({"Origin": ORIGIN}, False, 403),
    ],
)
def test_other_sites_cannot_submit_our_forms(
    visitor: Visitor,
    ada: Browser,
    clerk: LocalClerk,
    headers: dict[str, str],
    token: bool,
    status: int,
) -> None:
    form = {"sure": "on", "csrf_token": visitor.token() if token else "x" * 64}
    answer = visitor.http.post("/dashboard/reset", data=form, headers=headers)
    assert answer.status_code == status
    assert clerk.store.count(User) == 1


def test_a_form_token_works_only_in_its_browser(
    visitor: Visitor, emulator: Flask, ada: Browser, clerk: LocalClerk
) -> None:
    form = {"sure": "on", "csrf_token": visitor.token()}
    stranger = Visitor(emulator)
    stranger.token()
    answers = [
        client.post("/dashboard/reset", data=form, headers=visitor.headers)
        for client in (stranger.http, emulator.test_client())
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert clerk.store.count(User) == 1


@pytest.mark.parametrize("path", PAGES)
def test_it_cannot_be_reached_through_the_app_or_a_foreign_host_name(
    visitor: Visitor, path: str
) -> None:
    proxied = {"Clerk-Proxy-Url": "http://localhost:5000/__clerk"}
    assert visitor.http.get(path, headers=proxied).status_code == 404
    assert visitor.http.get(path, headers={"Host": "evil.example"}).status_code == 403
