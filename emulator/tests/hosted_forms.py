"""Fill in the forms of hosted pages, as a browser without JavaScript does."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clerk_emulator.testing import PASSWORD
from clerk_emulator.users import CODE

BASE = "http://localhost:5000/__clerk"
PROXY = {"Clerk-Proxy-Url": BASE}
HEADERS = PROXY | {"Origin": "http://localhost:5000"}


def open_page(visitor: FlaskClient, path: str) -> TestResponse:
    return visitor.get(path.removeprefix(BASE), headers=PROXY)


def send(visitor: FlaskClient, page: TestResponse, action: str, **form: str) -> TestResponse:
    """Send the form on a page that goes to ``action``, with its hidden fields.

    :param action: path, without the query.
    """
    for found in re.finditer(r'<form method="post" action="([^"]+)"(.*?)</form>', page.text, re.S):
        target = unescape(found[1]).removeprefix(BASE)
        inside = found[2]
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside))
        if urlsplit(target).path == action and form.items() >= _choice(hidden, form).items():
            data = {name: unescape(value) for name, value in hidden.items()} | form
            return visitor.post(target, data=data, headers=HEADERS)
    raise AssertionError(f"no form for {action} in {page.text}")


def _choice(hidden: dict[str, str], form: dict[str, str]) -> dict[str, str]:
    """The text that distinguishes forms with the same action."""
    return {name: hidden[name] for name in ("strategy",) if name in hidden and name in form}


def follow(visitor: FlaskClient, answer: TestResponse) -> TestResponse:
    """Follow redirects as long as they lead to the emulator."""
    while answer.status_code == 303 and (answer.location or "").startswith(BASE):
        answer = open_page(visitor, answer.location or "")
    return answer


def at(answer: TestResponse) -> str:
    """The path of the page to which a response redirects."""
    return urlsplit(answer.location or "").path.removeprefix("/__clerk") or answer.request.path


def sign_up(visitor: FlaskClient, email: str = "grace@example.com") -> TestResponse:
    page = open_page(visitor, "/sign-up")
    page = follow(visitor, send(visitor, page, "/sign-up", email_address=email, password=PASSWORD))
    return follow(visitor, send(visitor, page, "/sign-up/verify", code=CODE))
