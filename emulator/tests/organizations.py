"""What the tests of organizations share: an instance that has them, and people in them."""

from __future__ import annotations

from typing import Any

from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Browser

from .accounts import new_account

Json = dict[str, Any]


def enable(clerk: LocalClerk, **more: Any) -> None:
    """Switch organizations on, with these settings beside."""
    clerk.source.replace({"organizations": {"enabled": True} | more})


def person(emulator: Flask, name: str, domain: str = "example.com") -> Browser:
    """A browser in which somebody has just signed up."""
    browser = Browser(emulator)
    new_account(emulator, browser, f"{name}@{domain}")
    return browser


def user_id(browser: Browser) -> str:
    """Who is signed in there."""
    id: str = browser.session()["user"]["id"]
    return id


def create(browser: Browser, name: str = "Acme", **more: str) -> str:
    """Make an organization; returns its id."""
    answer = browser.post("/organizations", name=name, **more)
    assert answer.status_code == 200, answer.text
    id: str = answer.get_json()["response"]["id"]
    return id


def join(admin: Browser, organization: str, other: Browser, role: str = "org:member") -> None:
    """Let somebody in."""
    path = f"/organizations/{organization}/memberships"
    answer = admin.post(path, user_id=user_id(other), role=role)
    assert answer.status_code == 200, answer.text


def switch(browser: Browser, organization: str) -> Any:
    """Make an organization the active one."""
    path = f"/client/sessions/{browser.session()['id']}/touch"
    return browser.post(path, active_organization_id=organization)


def data(answer: Any) -> list[Json]:
    """The page of a list."""
    assert answer.status_code == 200, answer.text
    page: list[Json] = answer.get_json()["response"]["data"]
    return page
