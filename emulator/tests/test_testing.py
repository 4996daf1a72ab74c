"""What tests of an app do with a local Clerk: ``RunningClerk`` and ``running_clerk``."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, request

from clerk_emulator.errors import ClerkError
from clerk_emulator.testing import RunningClerk, User, running_clerk, serving


class Receiver(Flask):
    """An app that keeps the types of the webhook events it gets."""

    def __init__(self) -> None:
        super().__init__(__name__)
        self.received: list[str] = []
        self.status = 204
        self.add_url_rule("/webhooks/clerk", view_func=self._receive, methods=["POST"])

    def _receive(self) -> tuple[str, int]:
        if self.status == 204:
            self.received.append(request.get_json()["type"])
        return "", self.status


@pytest.fixture
def clerk(tmp_path: Path, empty_state: Path) -> Iterator[RunningClerk]:
    shutil.copy(empty_state, tmp_path / empty_state.name)
    with running_clerk(tmp_path) as clerk:
        yield clerk


@pytest.fixture
def ada(clerk: RunningClerk) -> User:
    return clerk.create_user("ada@example.com", first_name="Ada")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_users_are_listed_oldest_first(clerk: RunningClerk) -> None:
    assert clerk.users() == []
    made = [clerk.create_user(f"{name}@example.com") for name in ("ada", "bob")]
    assert [user.id for user in clerk.users()] == [user.id for user in made]


def test_updating_a_user_returns_the_user_with_the_changes(clerk: RunningClerk, ada: User) -> None:
    changed = clerk.update_user(ada, last_name="Lovelace", public_metadata={"plan": "pro"})
    assert (changed.first_name, changed.last_name) == ("Ada", "Lovelace")
    assert clerk.users() == [changed]
    assert clerk.webhooks[-1]["type"] == "user.updated"


def test_deleting_a_user_ends_their_sessions_and_memberships(
    clerk: RunningClerk, ada: User
) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    clerk.session_token(ada, acme)
    clerk.delete_user(ada)
    assert not clerk.users()
    assert not clerk.sessions(ada)
    assert not clerk.memberships(organization=acme)
    assert "user.deleted" in [event["type"] for event in clerk.webhooks]


def test_organizations_are_listed_oldest_first(clerk: RunningClerk) -> None:
    made = [clerk.create_organization(name) for name in ("Acme", "Globex")]
    assert clerk.organizations() == made


def test_updating_and_deleting_an_organization(clerk: RunningClerk, ada: User) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    assert clerk.update_organization(acme, name="Acme Rockets").name == "Acme Rockets"
    clerk.delete_organization(acme)
    assert not clerk.organizations()
    assert not clerk.memberships()


def test_memberships_of_an_organization_of_a_user_of_both(clerk: RunningClerk, ada: User) -> None:
    bob = clerk.create_user("bob@example.com")
    acme, globex = clerk.create_organization("Acme"), clerk.create_organization("Globex")
    first = clerk.add_member(acme, ada, "org:admin")
    second = clerk.add_member(acme, bob)
    third = clerk.add_member(globex, ada)
    assert clerk.memberships() == [first, second, third]
    assert clerk.memberships(organization=acme) == [first, second]
    assert clerk.memberships(user=ada) == [first, third]
    assert clerk.memberships(organization=acme, user=ada) == [first]
    assert (first.role, second.role) == ("org:admin", "org:member")


def test_changing_a_role_and_removing_a_member(clerk: RunningClerk, ada: User) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    bob = clerk.create_user("bob@example.com", organization=acme)
    clerk.change_role(acme, bob, "org:admin")
    assert clerk.memberships(user=bob)[0].role == "org:admin"
    clerk.remove_member(acme, bob)
    assert clerk.memberships(user=bob) == []
    assert clerk.webhooks[-1]["type"] == "organizationMembership.deleted"


def test_clerks_rules_hold_for_changes_too(clerk: RunningClerk, ada: User) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    with pytest.raises(RuntimeError, match="answered 4"):
        clerk.change_role(acme, ada, "org:unknown")
    with pytest.raises(ClerkError):
        clerk.add_member(acme, ada)
    clerk.delete_user(ada)
    with pytest.raises(RuntimeError, match="404"):
        clerk.update_user(ada, first_name="Eve")
    with pytest.raises(RuntimeError, match="404"):
        clerk.remove_member(acme, ada)


def test_sessions_of_a_user_until_they_are_revoked(clerk: RunningClerk, ada: User) -> None:
    acme = clerk.create_organization("Acme", created_by=ada)
    browser = Flask(__name__).test_client()
    session = clerk.sign_in(browser, ada, acme)
    assert browser.get_cookie("__session") is not None
    assert [(found.id, found.last_active_organization_id) for found in clerk.sessions(ada)] == [
        (session.id, acme.id)
    ]
    clerk.revoke_session(session)
    assert clerk.sessions(ada) == []


def test_time_that_is_skipped_ends_sessions(clerk: RunningClerk, ada: User) -> None:
    clerk.session_token(ada)
    assert clerk.sessions(ada)
    clerk.advance(8 * 24 * 3600)
    assert clerk.sessions(ada) == []


def test_webhooks_reach_a_test_client_in_order(clerk: RunningClerk, ada: User) -> None:
    app = Receiver()
    clerk.deliver_webhooks(app.test_client())
    clerk.deliver_webhooks(app.test_client())
    assert app.received == [event["type"] for event in clerk.webhooks] == ["user.created"]


def test_a_webhook_that_the_app_does_not_accept_is_an_error(clerk: RunningClerk, ada: User) -> None:
    app = Receiver()
    app.status = 400
    with pytest.raises(RuntimeError, match="/webhooks/clerk answered 400"):
        clerk.deliver_webhooks(app.test_client())


def test_an_app_that_is_served_gets_webhooks_by_itself(clerk: RunningClerk) -> None:
    app = Receiver()
    with clerk.serve(app) as url:
        assert requests.post(f"{url}/webhooks/clerk", json={"type": "mine"}, timeout=5).ok
        clerk.create_user()
        wait_for(lambda: "user.created" in app.received)


def test_settings_are_changed_for_a_test(clerk: RunningClerk) -> None:
    assert clerk.settings(sign_up={"mode": "restricted"}).sign_up.mode == "restricted"


def test_a_local_clerk_runs_at_a_port_and_sends_webhooks_to_an_app(
    tmp_path: Path, unused_port: int
) -> None:
    app = Receiver()
    with serving(app) as app_port:
        app_url = f"http://localhost:{app_port}"
        with running_clerk(tmp_path, port=unused_port, app_url=app_url) as clerk:
            assert clerk.url == f"http://127.0.0.1:{unused_port}"
            user = clerk.create_user()
            headers = {"Authorization": f"Bearer {clerk.environ['CLERK_SECRET_KEY']}"}
            found: Any = requests.get(f"{clerk.api_url}/v1/users", headers=headers, timeout=5)
            assert [one["id"] for one in found.json()] == [user.id]
            wait_for(lambda: "user.created" in app.received)
        with pytest.raises(requests.ConnectionError):
            requests.get(clerk.url, timeout=5)
