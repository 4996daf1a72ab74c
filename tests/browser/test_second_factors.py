"""Second factors, new devices, and reverification."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import components
from tests.browser.components import CODE, PASSWORD
from tests.browser.custom_flows import sign_in, signed_in_as
from tests.browser.test_profile import AUTHENTICATOR, BACKUP_CODES, authenticator_code

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.local_clerk import LocalClerk
    from tests.browser.visitor import Visitor

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SMS = {"enabled": True, "used_for_second_factor": True, "second_factors": ["phone_code"]}
EMAIL = {"used_for_second_factor": True, "second_factors": ["email_code"]}
TRUST = {"client_trust": True}


def twice(clerk: LocalClerk, **more: Any) -> dict[str, Any]:
    """Apply these settings, and create a user with an authenticator app and a backup code."""
    clerk.switch(attributes={"authenticator_app": AUTHENTICATOR, "backup_code": BACKUP_CODES}, **more)
    return clerk.create_user(totp_secret=SECRET, backup_codes=["abcdefgh"])


def sign_in_at_once(page: Page, email: str) -> None:
    """Sign in as a password manager does: fill in the identifier and the hidden password together."""
    page.locator("input[name=identifier]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD, force=True)
    components.proceed(page)


def test_the_code_of_an_authenticator_app(visitor: Visitor, clerk: LocalClerk) -> None:
    user = twice(clerk)
    visitor.go("/login")
    page = visitor.page
    components.sign_in(page, user["email"])
    page.wait_for_url(lambda url: "/factor-two" in url)
    components.enter_code(page, authenticator_code(SECRET))
    visitor.arrive("/dashboard")
    components.wait_for_user_button(page)
    assert page.evaluate("Clerk.session.factorVerificationAge") == [0, 0]


def test_a_code_by_sms(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"phone_number": SMS})
    user = clerk.create_user(phone_number=[f"+1415555{time.time_ns() % 10_000:04}"])
    number = user["phone_numbers"][0]["id"]
    clerk.backend("PATCH", f"/phone_numbers/{number}", reserved_for_second_factor=True)
    visitor.go("/login")
    components.sign_in(visitor.page, user["email"])
    visitor.page.wait_for_url(lambda url: "/factor-two" in url)
    components.enter_code(visitor.page)
    visitor.arrive("/dashboard")


def test_a_code_by_email(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(attributes={"email_address": EMAIL})
    user = clerk.create_user()
    visitor.go("/login")
    components.sign_in(visitor.page, user["email"])
    visitor.page.wait_for_url(lambda url: "/factor-two" in url)
    visitor.picture("code by email")
    components.enter_code(visitor.page)
    visitor.arrive("/dashboard")


@pytest.mark.parametrize("way", ["verifyTOTP", "verifyBackupCode"])
def test_a_second_factor_in_a_custom_flow(visitor: Visitor, clerk: LocalClerk, way: str) -> None:
    user = twice(clerk)
    visitor.show("Nothing")
    flow = sign_in(visitor.page)
    assert flow.call("password", identifier=user["email"], password=PASSWORD) is None
    assert flow.status == "needs_second_factor"
    visitor.expect_error(422, "/attempt_second_factor")
    assert flow.call(f"mfa.{way}", code="000000") == "form_code_incorrect"
    code = authenticator_code(SECRET) if way == "verifyTOTP" else "abcdefgh"
    assert flow.call(f"mfa.{way}", code=code) is None
    flow.finish()
    assert signed_in_as(visitor.page) == user["id"]


def test_a_new_device_confirms_the_email_address_once(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_in=TRUST)
    user = clerk.create_user()
    visitor.go("/login")
    page = visitor.page
    components.sign_in(page, user["email"])
    page.wait_for_url(lambda url: "/login/client-trust" in url)
    expect(page.get_by_text("You're signing in from a new device.")).to_be_visible()
    expect(page.get_by_role("link", name="Use another method")).to_have_count(0)
    visitor.picture("new device")
    assert page.evaluate("Clerk.user") is None
    components.enter_code(page)
    visitor.arrive("/dashboard")

    components.sign_out(page)
    visitor.arrive("/")
    visitor.go("/login")
    sign_in_at_once(page, user["email"])
    visitor.arrive("/dashboard")


def test_a_new_device_in_a_custom_flow(visitor: Visitor, clerk: LocalClerk) -> None:
    clerk.switch(sign_in=TRUST)
    user = clerk.create_user()
    visitor.show("Nothing")
    flow = sign_in(visitor.page)
    assert flow.call("password", identifier=user["email"], password=PASSWORD) is None
    assert flow.status == "needs_client_trust"
    assert flow.read("it.supportedSecondFactors.map(factor => factor.strategy)") == ["email_code"]
    assert flow.call("mfa.sendEmailCode") is None
    visitor.expect_error(422, "/attempt_second_factor")
    assert flow.call("mfa.verifyEmailCode", code="000000") == "form_code_incorrect"
    assert flow.call("mfa.verifyEmailCode", code=CODE) is None
    flow.finish()
    assert signed_in_as(visitor.page) == user["id"]


def test_a_new_device_confirms_by_an_email_link(visitor: Visitor, clerk: LocalClerk) -> None:
    links = {"first_factors": [], "verifications": ["email_link"]}
    clerk.switch(sign_in=TRUST, attributes={"email_address": links})
    user = clerk.create_user()
    visitor.go("/login")
    components.sign_in(visitor.page, user["email"])
    visitor.page.wait_for_url(lambda url: "/login/client-trust" in url)
    visitor.page.get_by_text("Didn't receive a link?").wait_for()
    visitor.follow(clerk.last_link(user["email"]))
    visitor.arrive("/dashboard")


def minutes_since_first_factor(authorization: str) -> int:
    """Return the age of the first factor in minutes, from the token of a request. It isn't verified here."""
    claims = authorization.split(".")[1]
    ages = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["fva"]
    return int(ages[0])


# Like the hook useReverification: the app's server refuses, Clerk.js verifies the user, the call is repeated.
REVERIFIED = """async () => {
  const call = async () => {
    const token = await Clerk.session.getToken({ skipCache: true });
    return (await fetch("/transfer", { headers: { authorization: `Bearer ${token}` } })).json();
  };
  const refusal = (await call()).clerk_error;
  const { level } = refusal.metadata.reverification;
  await new Promise((resolve, reject) => Clerk.__internal_openReverification(
    { level, afterVerification: resolve, afterVerificationCancelled: reject }));
  return [refusal.reason, await call()];
}"""


def test_a_refused_call_is_repeated_after_reverification(visitor: Visitor, clerk: LocalClerk) -> None:
    user = clerk.create_user()
    visitor.enter(user)
    clerk.ask("POST", "/emulator/clock", {"advance_seconds": 1200})
    page = visitor.page
    visitor.show("Nothing")

    def answer(route: Any) -> None:
        level = {"level": "second_factor", "afterMinutes": 10}
        fresh = minutes_since_first_factor(route.request.headers["authorization"]) < 10
        refusal = {
            "type": "forbidden",
            "reason": "reverification-error",
            "metadata": {"reverification": level},
        }
        route.fulfill(
            status=200 if fresh else 403, json={"done": True} if fresh else {"clerk_error": refusal}
        )

    page.route("**/transfer", answer)
    visitor.expect_error(403, "/transfer")
    page.evaluate(f"({REVERIFIED})().then(found => window.outcome = found); null")
    components.fill_password(page)
    page.wait_for_function("() => window.outcome")
    assert page.evaluate("window.outcome") == ["reverification-error", {"done": True}]
