"""Custom forms to sign up and sign in, on the part of Clerk.js that its hooks use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.browser.components import CODE, PASSWORD, consent
from tests.browser.custom_flows import sign_in, sign_up, signed_in_as

if TYPE_CHECKING:
    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

PHONE = {"enabled": True, "used_for_first_factor": True, "first_factors": ["phone_code"]}
LINK = {"first_factors": ["email_link"], "verifications": ["email_link"]}


def phone_number() -> str:
    return f"+1415555{time.time_ns() % 10_000:04}"


@pytest.mark.parametrize("way", ["password", "emailCode", "phoneCode"])
def test_sign_in_with_an_identifier_then_a_factor(visitor: Visitor, clerk: LocalClerk, way: str) -> None:
    clerk.switch(attributes={"phone_number": PHONE})
    user = clerk.create_user(phone_number=[phone_number()])
    visitor.show("Nothing")
    flow = sign_in(visitor.page)
    assert flow.call("create", identifier=user["email"]) is None
    assert flow.status == "needs_first_factor"
    if way == "password":
        visitor.expect_error(422, "/sign_ins")
        assert flow.call("password", password="not my password") == "form_password_incorrect"
        assert flow.call("password", password=PASSWORD) is None
    else:
        assert flow.call(f"{way}.sendCode") is None
        visitor.expect_error(422, "/attempt_first_factor")
        assert flow.call(f"{way}.verifyCode", code="000000") == "form_code_incorrect"
        assert flow.call(f"{way}.verifyCode", code=CODE) is None
    assert flow.status == "complete"
    flow.finish()
    assert signed_in_as(visitor.page) == user["id"]


def test_sign_up_with_a_password_and_a_code(visitor: Visitor, clerk: LocalClerk) -> None:
    visitor.show("Nothing")
    flow = sign_up(visitor.page)
    assert flow.call("password", emailAddress=visitor.email, password=PASSWORD) is None
    assert flow.read("[it.status, it.unverifiedFields]") == ["missing_requirements", ["email_address"]]
    assert flow.call("verifications.sendEmailCode") is None
    visitor.expect_error(422, "/attempt_verification")
    assert flow.call("verifications.verifyEmailCode", code="000000") == "form_code_incorrect"
    assert flow.call("verifications.verifyEmailCode", code=CODE) is None
    assert flow.status == "complete"
    flow.finish()
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert signed_in_as(visitor.page) == user["id"]


def test_a_forgotten_password_is_reset(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    visitor.show("Nothing")
    flow = sign_in(visitor.page)
    flow.call("create", identifier=user["email"])
    assert flow.call("resetPasswordEmailCode.sendCode") is None
    assert flow.call("resetPasswordEmailCode.verifyCode", code=CODE) is None
    assert flow.status == "needs_new_password"
    assert flow.call("resetPasswordEmailCode.submitPassword", password="quite another password") is None
    flow.finish()
    assert signed_in_as(visitor.page) == user["id"]


def test_a_new_user_moves_from_sign_in_to_sign_up_after_the_code(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"password": {"required": False}})
    visitor.show("Nothing")
    came, stays = sign_in(visitor.page), sign_up(visitor.page)
    assert came.call("create", identifier=visitor.email, signUpIfMissing=True) is None
    assert came.call("emailCode.sendCode") is None
    visitor.expect_error(422, "/attempt_first_factor")
    assert came.call("emailCode.verifyCode", code=CODE) == "sign_up_if_missing_transfer"
    assert came.read("it.isTransferable")
    assert stays.call("create", transfer=True) is None
    assert stays.status == "complete"
    stays.finish()
    [user] = clerk.backend("GET", f"/users?email_address={visitor.email}")
    assert signed_in_as(visitor.page) == user["id"]


def test_a_ticket_signs_in(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    token = clerk.backend("POST", "/sign_in_tokens", user_id=user["id"])
    visitor.show("Nothing")
    flow = sign_in(visitor.page)
    assert flow.call("ticket", ticket=token["token"]) is None
    flow.finish()
    assert signed_in_as(visitor.page) == user["id"]


def test_an_abandoned_social_login_can_be_started_again(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(social={"google": {"enabled": True}})
    visitor.show("Nothing")
    page, flow = visitor.page, sign_in(visitor.page)
    ways = {
        "strategy": "oauth_google",
        "redirectUrl": "/dashboard",
        "redirectCallbackUrl": "/login#/sso-callback",
    }
    page.route("**/oauth/google**", lambda route: route.abort("aborted"), times=1)
    for _ in range(2):  # the first time, the browser doesn't reach the provider
        with page.expect_request(lambda asked: "/client/sign_ins?" in asked.url):
            flow.call("sso", **ways)
    consent(page, "Ada King", visitor.email)
    visitor.arrive("/dashboard")
