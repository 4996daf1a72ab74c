"""Impersonation: a support agent uses the app as one of its users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser import components, mounting

if TYPE_CHECKING:
    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor


def actor_token(clerk: LocalClerk, user: dict[str, Any], actor: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = clerk.backend(
        "POST", "/actor_tokens", user_id=user["id"], actor={"sub": actor["id"]}, expires_in_seconds=120
    )
    return made


def test_a_ticket_impersonates_until_sign_out_in_the_banner(visitor: Visitor, clerk: LocalClerk) -> None:
    ada, support = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Sue")
    token = actor_token(clerk, ada, support)
    visitor.go(f"/login?__clerk_ticket={quote(token['token'])}")
    visitor.arrive("/dashboard")
    page = visitor.page
    banner = page.locator(".cl-impersonationFab")
    expect(banner).to_contain_text("Sign out")
    visitor.picture("impersonated")
    assert page.evaluate("[Clerk.user.id, Clerk.session.actor.sub]") == [ada["id"], support["id"]]
    assert page.evaluate("Clerk.session.factorVerificationAge") == [-1, -1]
    banner.get_by_text("Sign out").click()
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/login")


def test_an_actor_token_link_replaces_the_signed_in_user(visitor: Visitor, clerk: LocalClerk) -> None:
    ada, support = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Sue")
    visitor.enter(support)
    visitor.go("/")
    visitor.page.goto(actor_token(clerk, ada, support)["url"])
    visitor.picture("link")
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.arrive("/")
    visitor.show("Nothing")
    assert visitor.page.evaluate("[Clerk.user.id, Clerk.session.actor.sub]") == [ada["id"], support["id"]]


def test_with_multiple_sessions_the_ticket_is_used_at_once(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    ada, support = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Sue")
    visitor.enter(ada)
    token = actor_token(clerk, ada, support)
    visitor.go(f"{mounting.address('SignIn')}&__clerk_ticket={quote(token['token'])}")
    visitor.arrive("/dashboard")
    components.wait_for_user_button(visitor.page)
    assert visitor.page.evaluate("[Clerk.user.id, Clerk.session.actor.sub]") == [ada["id"], support["id"]]
