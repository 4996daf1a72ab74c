"""Shared by the tests of organizations: an instance with organizations, and their members."""

from __future__ import annotations

from typing import Any

from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.testing import Browser

from .accounts import new_account

Json = dict[str, Any]


def enable(clerk: LocalClerk, **more: Any) -> None:
    """Enable organizations, with further settings."""
    clerk.source.replace({"organizations": {"enabled": True} | more})


def person(emulator: Flask, name: str, domain: str = "example.com") -> Browser:
    """A browser in which a new user is signed in."""
    browser = Browser(emulator)
    new_account(emulator, browser, f"{name}@{domain}")
    return browser


def user_id(browser: Browser) -> str:
    """The ID of the user who is signed in."""
    id: str = browser.session()["user"]["id"]
    return id


def create(browser: Browser, name: str = "Acme", **more: str) -> str:
    """Create an organization; return its ID."""
    answer = browser.post("/organizations", name=name, **more)
    assert answer.status_code == 200, answer.text
    id: str = answer.get_json()["response"]["id"]
    return id


def join(admin: Browser, organization: str, other: Browser, role: str = "org:member") -> None:
    """Add the other browser's user to an organization."""
    path = f"/organizations/{organization}/memberships"
    answer = admin.post(path, user_id=user_id(other), role=role)
    assert answer.status_code == 200, answer.text


def switch(browser: Browser, organization: str) -> Any:
    """Make an organization the active one."""
    path = f"/client/sessions/{browser.session()['id']}/touch"
    return browser.post(path, active_organization_id=organization)


def data(answer: Any) -> list[Json]:
    """The objects on a page of a list."""
    assert answer.status_code == 200, answer.text
    page: list[Json] = answer.get_json()["response"]["data"]
    return page
