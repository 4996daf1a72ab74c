"""Custom tokens."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import Organization, OrganizationMembership, User
from clerk_emulator.testing import Browser, error_of


def token(browser: Browser, clerk: LocalClerk, claims: Any, **settings: Any) -> str:
    template = {"claims": claims, "lifetime_seconds": 90}
    clerk.source.replace({"jwt_templates": {"supabase": template}} | settings)
    path = f"/client/sessions/{browser.session()['id']}/tokens/supabase"
    answer = browser.post(path)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["jwt"]  # type: ignore[no-any-return]


def decoded(browser: Browser, clerk: LocalClerk, claims: Any, **settings: Any) -> dict[str, Any]:
    text = token(browser, clerk, claims, **settings)
    return jwt.decode(text, options={"verify_signature": False, "verify_aud": False})


@pytest.fixture
def known(ada: Browser, clerk: LocalClerk) -> Browser:
    user = clerk.store.get(User, ada.session()["user"]["id"])
    assert user is not None
    user.first_name, user.last_name = "Ada", "Lovelace"
    user.public_metadata = {"plan": {"level": 3, "name": "gold"}, "none": None}
    clerk.store.put(user)
    return ada


SHORTCODES: list[tuple[Any, Any]] = [
    ("{{user.primary_email_address}}", "ada@example.com"),
    ("{{ user.first_name }}", "Ada"),
    ("{{user.full_name}} <{{user.primary_email_address}}>", "Ada Lovelace <ada@example.com>"),
    ("{{user.email_verified}}", True),
    ("{{user.public_metadata.plan}}", {"level": 3, "name": "gold"}),
    ("{{user.public_metadata.plan.level}}", 3),
    ("level {{user.public_metadata.plan.level}}", "level 3"),
    ("{{user.public_metadata.plan.level.more}}", None),
    ("{{user.public_metadata.missing}}", None),
    ("-{{user.public_metadata.missing}}-", "--"),
    ("{{user.public_metadata.missing || 'free'}}", "free"),
    ("{{user.public_metadata.none || user.username || 7}}", 7),
    ("{{user.first_name || 'nobody'}}", "Ada"),
    ("{{user.password_hash}}", None),
    ("{{user.private_metadata}}", None),
    ("{{org.slug}}", None),
    ("{{org.slug || 'personal'}}", "personal"),
    ("{{user.__class__}}", None),
    ("{{}}", None),
    ("plain", "plain"),
    (7, 7),
    (["{{user.first_name}}", {"deep": "{{user.last_name}}"}], ["Ada", {"deep": "Lovelace"}]),
]


@pytest.mark.parametrize(("value", "expected"), SHORTCODES)
def test_shortcodes_are_filled_in(
    known: Browser, clerk: LocalClerk, value: Any, expected: Any
) -> None:
    assert decoded(known, clerk, {"value": value})["value"] == expected


def test_the_active_organization_can_be_named(known: Browser, clerk: LocalClerk) -> None:
    session = known.session()
    user_id = session["user"]["id"]
    clerk.store.put(Organization("org_1", 1, 1, "Acme", "acme"))
    clerk.store.put(OrganizationMembership("mem_1", 1, 1, "org_1", user_id, "org:admin"))
    enabled = {"organizations": {"enabled": True}}
    clerk.source.replace(enabled)
    known.post(f"/client/sessions/{session['id']}/touch", active_organization_id="org_1")
    wanted = {"slug": "{{org.slug}}", "role": "{{org.role}}", "all": "{{user.organizations}}"}
    found = decoded(known, clerk, wanted, **enabled)
    assert (found["slug"], found["role"]) == ("acme", "org:admin")
    assert found["all"] == {"org_1": "org:admin"}


def test_standard_claims_cannot_be_overridden(known: Browser, clerk: LocalClerk) -> None:
    forged = {"sub": "user_admin", "iss": "https://evil.example", "exp": 9, "aud": "supabase"}
    found = decoded(known, clerk, forged)
    assert found["sub"] == known.session()["user"]["id"]
    assert found["iss"] == clerk.config.issuer
    assert found["exp"] - found["iat"] == 90
    assert found["aud"] == "supabase"


def test_it_is_never_accepted_as_a_session_token(known: Browser, clerk: LocalClerk) -> None:
    text = token(known, clerk, {"sid": "sess_1", "sts": "active", "v": 2})
    assert jwt.get_unverified_header(text)["cat"] == "cl_B7d4PD222AAA"


def test_an_unknown_template_is_not_found(known: Browser) -> None:
    answer = known.post(f"/client/sessions/{known.session()['id']}/tokens/supabase")
    assert error_of(answer)[:2] == (404, "resource_not_found")
