"""Test users from a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.resources import (
    EmailAddress,
    Event,
    Invitation,
    Organization,
    OrganizationInvitation,
    OrganizationMembership,
    PhoneNumber,
    User,
)
from clerk_emulator.seeds import SeedsError, load_seeds, read_seeds
from clerk_emulator.testing import Browser

CAST = """
[[users]]
email_address = "ada@example.com"
email_addresses = ["ada@work.example"]
phone_numbers = ["+1 555 555 0100"]
password = "analytical engine"
username = "ada1815"
first_name = "Ada"
public_metadata = { plan = "pro" }

[[users]]
email_address = "grace@example.com"
banned = true

[[organizations]]
name = "Engines"
slug = "engines"
created_by = "ada@example.com"

[[organizations.members]]
email_address = "grace@example.com"
role = "org:member"

[[organizations.invitations]]
email_address = "alan@example.com"

[[invitations]]
email_address = "edsger@example.com"
"""
KINDS = (
    User,
    EmailAddress,
    PhoneNumber,
    Organization,
    OrganizationMembership,
    OrganizationInvitation,
    Invitation,
)


@pytest.fixture(autouse=True)
def organizations(clerk: LocalClerk) -> None:
    clerk.source.replace({"organizations": {"enabled": True}})


def test_all_users_and_organizations_are_loaded(clerk: LocalClerk, browser: Browser) -> None:
    load_seeds(clerk, tomllib.loads(CAST))
    ada = clerk.store.first(User, username="ada1815")
    assert ada is not None
    assert (ada.first_name, ada.public_metadata) == ("Ada", {"plan": "pro"})
    roles = [membership.role for membership in clerk.store.find(OrganizationMembership)]
    assert roles == ["org:admin", "org:member"]
    assert [clerk.store.count(kind) for kind in KINDS] == [2, 3, 1, 1, 2, 1, 1]
    assert browser.sign_in("ada@example.com", "analytical engine").status_code == 200


def test_loading_them_again_changes_nothing(clerk: LocalClerk) -> None:
    load_seeds(clerk, tomllib.loads(CAST))
    before = [clerk.store.find(kind) for kind in (*KINDS, Event)]
    load_seeds(clerk, tomllib.loads(CAST))
    assert [clerk.store.find(kind) for kind in (*KINDS, Event)] == before


def test_loading_a_changed_file_updates_users(clerk: LocalClerk, browser: Browser) -> None:
    load_seeds(clerk, tomllib.loads(CAST))
    changed = CAST.replace("analytical engine", "difference engine").replace(
        "org:member", "org:admin"
    )
    load_seeds(clerk, tomllib.loads(changed))
    assert browser.sign_in("ada@example.com", "analytical engine").status_code == 422
    assert browser.sign_in("ada@example.com", "difference engine").status_code == 200
    roles = [membership.role for membership in clerk.store.find(OrganizationMembership)]
    assert roles == ["org:admin", "org:admin"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("users = 1", "The seeds: users is 1; expected a list"),
        ("people = []", "The seeds: people is not known"),
        ("users = [1]", "users[1]: is 1; expected a table"),
        ("[[users]]\nfirst_name = 'Ada'", "users[1]: email_address is missing"),
        ("[[users]]\nemail_address = 'ada'", "users[1] (ada), email_address: Enter a valid"),
        ("[[users]]\nemail_address = 'a@b.c'\nage = 36", "users[1]: age is not known"),
        ("[[users]]\nemail_address = 'a@b.c'\npassword = 'x'", "users[1] (a@b.c), password: "),
        ("[[users]]\nemail_address = 'a@b.c'\nbanned = 1", "users[1]: banned is 1; expected true"),
        ("[[users]]\nemail_address = 'a@b.c'\nphone_numbers = [1]", "expected a list of strings"),
        ("[[organizations]]\nname = 'X'", "organizations[1] (X): slug is missing"),
        ("[[organizations]]\nslug = 'A B'", "organizations[1] (A B), slug: "),
        (
            "[[organizations]]\nslug = 'x'\n[[organizations.members]]\nemail_address = 'no@b.c'",
            "organizations[1] (x): no user has the address no@b.c",
        ),
        (
            "[[organizations]]\nslug = 'x'\n[[organizations.members]]\nemail = 'no@b.c'",
            "organizations[1] (x): members[1]: email is not known",
        ),
    ],
)
def test_an_error_names_the_entry_and_loads_nothing(
    clerk: LocalClerk, text: str, problem: str
) -> None:
    good = {"email_address": "grace@example.com"}
    tables = tomllib.loads(text)
    if isinstance(tables.get("users"), list):
        tables["users"] = [*tables["users"], good]
    with pytest.raises(SeedsError) as error:
        load_seeds(clerk, tables)
    assert problem in str(error.value)
    assert clerk.store.count(User) == clerk.store.count(Organization) == 0


@pytest.mark.parametrize("content", [None, b"users = [", b"\xff"])
def test_an_error_in_a_file_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clerk_seeds.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SeedsError, match=r"The seeds file .*clerk_seeds\.toml can't be read"):
        read_seeds(path)
