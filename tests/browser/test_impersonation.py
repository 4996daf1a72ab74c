"""A member of staff sees the app as one of its users does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser import components

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.local_clerk import LocalClerk


def actor_token(clerk: LocalClerk, user: dict[str, Any], actor: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = clerk.backend(
        "POST", "/actor_tokens", user_id=user["id"], actor={"sub": actor["id"]}, expires_in_seconds=120
    )
    return made


def test_a_ticket_impersonates_until_the_banner_ends_it(visitor: Visitor, clerk: LocalClerk) -> None:
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


def test_the_link_of_a_token_takes_the_place_of_who_was_signed_in(
    visitor: Visitor, clerk: LocalClerk
) -> None:
    ada, support = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Sue")
    visitor.enter(support)
    visitor.go("/")
    visitor.page.goto(actor_token(clerk, ada, support)["url"])
    visitor.picture("link")
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.arrive("/")
    visitor.show("Nothing")
    assert visitor.page.evaluate("[Clerk.user.id, Clerk.session.actor.sub]") == [ada["id"], support["id"]]


def test_beside_other_accounts_the_ticket_is_taken_at_once(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sessions={"multi_session": True})
    ada, support = clerk.create_user(first_name="Ada"), clerk.create_user(first_name="Sue")
    visitor.enter(ada)
    token = actor_token(clerk, ada, support)
    visitor.go(f"/_component/SignIn?__clerk_ticket={quote(token['token'])}")
    visitor.arrive("/dashboard")
    components.wait_for_user_button(visitor.page)
    assert visitor.page.evaluate("[Clerk.user.id, Clerk.session.actor.sub]") == [ada["id"], support["id"]]
