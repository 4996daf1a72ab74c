"""A form in a tab that slept for longer than its session token lives."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Request

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

TEXT = "what the person typed"
CLERK_IS_READY = "() => Boolean(window.Clerk?.session)"


def open_form(visitor: Visitor, clerk: LocalClerk) -> list[str]:
    """Sign in, open the form and fill it in; return a list that gets the URL of every POST to the app."""
    visitor.enter(clerk.create_user())
    visitor.go("/note")
    visitor.page.wait_for_function(CLERK_IS_READY)
    visitor.page.locator("textarea").fill(TEXT)
    return record_posts(visitor)


def let_the_token_expire(visitor: Visitor, clerk: LocalClerk) -> None:
    """Replace the browser's token with one that Clerk issued two minutes ago."""
    context = visitor.page.context
    cookies = [cookie for cookie in context.cookies(visitor.site) if cookie["name"].startswith("__session")]
    payload = cookies[0]["value"].split(".")[1]
    session_id = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"]
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": -120})
    expired = clerk.backend("POST", f"/sessions/{session_id}/tokens")["jwt"]
    clerk.ask("DELETE", "/emulator/clock")
    renewed: list[Any] = [{**cookie, "value": expired} for cookie in cookies]
    context.add_cookies(renewed)


@pytest.mark.parametrize("way", ["click", "double click", "Enter", "requestSubmit"])
def test_clerk_js_renews_the_token_before_the_form_is_sent(
    visitor: Visitor, clerk: LocalClerk, way: str
) -> None:
    posts = open_form(visitor, clerk)
    let_the_token_expire(visitor, clerk)
    page, button = visitor.page, visitor.page.get_by_role("button", name="Two")
    if way == "click":
        button.click()
    elif way == "double click":
        button.dblclick()
    elif way == "Enter":
        page.locator("input[name=requestSubmit]").press("Enter")
    else:
        page.evaluate("HTMLFormElement.prototype.requestSubmit.call(document.querySelector('#note'))")
    button_sent = {"Enter": ", go=one", "requestSubmit": ""}.get(way, ", go=two")
    expect(page.locator("output")).to_have_text(f"text={TEXT}, requestSubmit=, method=get{button_sent}")
    assert posts == [f"{visitor.site}/note"]


def test_listeners_of_the_page_run_once_and_may_stop_the_form(visitor: Visitor, clerk: LocalClerk) -> None:
    posts = open_form(visitor, clerk)
    visitor.page.evaluate(
        """() => {
          window.heard = [];
          document.querySelector("#note").addEventListener("submit", (event) => {
            event.preventDefault();
            heard.push(event.submitter.value);
          });
        }"""
    )
    for count in (1, 2):
        visitor.page.get_by_role("button", name="Two").click()
        visitor.page.wait_for_function("count => heard.length === count", arg=count)
    assert visitor.page.evaluate("heard") == ["two", "two"]
    assert posts == []


def test_a_form_that_lacks_a_field_is_not_sent(visitor: Visitor, clerk: LocalClerk) -> None:
    posts = open_form(visitor, clerk)
    visitor.page.locator("textarea").fill("")
    visitor.page.get_by_role("button", name="Two").click()
    visitor.page.locator("textarea").fill(TEXT)
    visitor.page.get_by_role("button", name="Two").click()
    expect(visitor.page.locator("output")).to_contain_text(TEXT)
    assert len(posts) == 1


def test_forms_to_other_sites_get_no_token(visitor: Visitor, clerk: LocalClerk) -> None:
    open_form(visitor, clerk)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.evaluate(
        """() => {
          const form = document.querySelector("#note");
          form.addEventListener("submit", (event) => event.preventDefault());
          for (const [name, value] of [["formaction", "https://other.example/"], ["formmethod", "get"]]) {
            const button = form.querySelector("[value=two]");
            button.setAttribute(name, value);
            button.click();
            button.removeAttribute(name);
          }
        }"""
    )
    assert not [url for url in asked if "/tokens" in url]


def test_without_an_answer_from_clerk_the_form_is_sent_anyway(visitor: Visitor, clerk: LocalClerk) -> None:
    posts = open_form(visitor, clerk)
    let_the_token_expire(visitor, clerk)
    visitor.page.route("**/tokens**", lambda route: None)  # never answered
    visitor.expect_error(400, "/login?interrupted=1")
    visitor.page.get_by_role("button", name="Two").click()
    expect(visitor.page.locator("main")).to_contain_text("Nothing was saved")
    assert len(posts) == 1
    send_again(visitor, posts)


@pytest.mark.parametrize("javascript", [False, True], ids=["without JavaScript", "without Clerk.js"])
def test_without_clerk_js_the_page_explains_and_back_restores_the_form(
    visit: Callable[..., Visitor], clerk: LocalClerk, javascript: bool
) -> None:
    visitor = visit(javascript=javascript)
    visitor.page.route("**/npm/@clerk/**", lambda route: route.fulfill(body=""))
    visitor.enter(clerk.create_user())
    visitor.go("/note")
    visitor.page.locator("textarea").fill(TEXT)
    posts = record_posts(visitor)
    let_the_token_expire(visitor, clerk)
    visitor.expect_error(400, "/login?interrupted=1")
    visitor.page.get_by_role("button", name="Two").click()
    expect(visitor.page.locator("main")).to_contain_text("Nothing was saved")
    assert len(posts) == 1
    send_again(visitor, posts)
    visitor.problems[:] = [said for said in visitor.problems if "Clerk.js did not start" not in said]


def record_posts(visitor: Visitor) -> list[str]:
    """The URLs of the forms that the page sends from now on; Clerk.js sends some of its own."""
    posts: list[str] = []

    def record(request: Request) -> None:
        if request.method == "POST" and "/__clerk/" not in request.url:
            posts.append(request.url)

    visitor.page.on("request", record)
    return posts


def send_again(visitor: Visitor, posts: list[str]) -> None:
    """Go back to the form, and send it."""
    visitor.page.go_back()
    expect(visitor.page.locator("textarea")).to_have_value(TEXT)
    visitor.page.unroute_all()
    visitor.page.get_by_role("button", name="Two").click()
    expect(visitor.page.locator("output")).to_contain_text(TEXT)
    assert len(posts) == 2


@pytest.mark.parametrize("javascript", [True, False])
def test_a_sleeping_tab_signs_out(visit: Callable[..., Visitor], clerk: LocalClerk, javascript: bool) -> None:
    visitor = visit(javascript=javascript)
    visitor.enter(clerk.create_user())
    visitor.go("/dashboard")
    let_the_token_expire(visitor, clerk)
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.arrive("/")
    visitor.go("/dashboard")
    visitor.arrive("/login")
