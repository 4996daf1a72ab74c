"""Several instances in one emulator: none can access another's data."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
from flask import Flask

from clerk_emulator import EmulatorConfig, RefusalError, create_emulator
from clerk_emulator.clerk import open_clerk
from clerk_emulator.instances import read_instances
from clerk_emulator.testing import Backend, example_config

B_KEY = "pk_test_" + base64.b64encode(b"local-b-1.clerk.accounts.dev$").decode()
B_SECRET = "sk_test_other"
B = f"/instances/{B_KEY}"


@pytest.fixture(scope="module")
def other_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state file with a key of its own, which takes a while to generate."""
    config = example_config(tmp_path_factory.mktemp("other"))
    open_clerk(config).store.close()
    return config.state


@pytest.fixture
def two(config: EmulatorConfig, tmp_path: Path, other_state: Path) -> Flask:
    other = example_config(
        tmp_path, publishable_key=B_KEY, secret_key=B_SECRET, state=tmp_path / "b", name="Bee"
    )
    shutil.copy(other_state, other.state)
    return create_emulator(config, others=[other])


@pytest.fixture
def a(two: Flask, config: EmulatorConfig) -> Backend:
    return Backend(two, config.secret_key)


@pytest.fixture
def b(two: Flask) -> Backend:
    return Backend(two, B_SECRET)


def test_the_secret_key_selects_the_instance(a: Backend, b: Backend) -> None:
    user = a.send(
        "POST", "/users", email_address=["ada@example.com"], password="analytical 1"
    ).get_json()
    assert a.get("/users/count").get_json()["total_count"] == 1
    assert b.get("/users/count").get_json()["total_count"] == 0
    assert b.get(f"/users/{user['id']}").status_code == 404
    assert (
        a.get("/jwks").get_json()["keys"][0]["kid"] != b.get("/jwks").get_json()["keys"][0]["kid"]
    )


@pytest.mark.parametrize("path", ["/api/v1/users", "/emulator/inbox", "/emulator/settings"])
def test_a_secret_key_is_rejected_at_another_instances_path(
    two: Flask, config: EmulatorConfig, path: str
) -> None:
    http = two.test_client()
    mine, foreign = (
        http.get(B + path, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (B_SECRET, config.secret_key)
    )
    assert (mine, foreign) == (200, 401)
    wrong = {"Authorization": "Bearer sk_test_nobody", "Clerk-Secret-Key": B_SECRET}
    assert http.get(path, headers=wrong).status_code == 401


def test_browsers_select_the_instance_by_proxy_or_path(two: Flask) -> None:
    http = two.test_client()
    proxied = http.post("/v1/dev_browser", headers={"Clerk-Secret-Key": B_SECRET}).get_json()["id"]
    by_path = http.post(f"{B}/v1/dev_browser").get_json()["id"]
    for token in (proxied, by_path):
        query = {"__clerk_db_jwt": token}
        assert http.get(f"{B}/v1/client", query_string=query).status_code == 200
        assert http.get("/v1/client", query_string=query).status_code == 401


def test_links_on_pages_stay_below_the_same_path(two: Flask) -> None:
    http = two.test_client()
    text = http.get(f"{B}/sign-in").text
    assert "Bee" in text
    assert f"http://127.0.0.1:5001{B}/sign-in" in text
    dashboard = http.get(f"{B}/").text
    assert f'href="{B}/dashboard/users"' in dashboard
    assert http.get("/").text.count("local-b-1.clerk.accounts.dev") == 1
    assert http.get("/instances/pk_test_unknown/").status_code == 404


FILE = f"""
[[instances]]
publishable_key = "{B_KEY}"
secret_key = "sk_test_b"
app_url = "http://localhost:5100"
name = "Bee"
settings = "b.toml"
"""


def test_instances_are_described_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "instances.toml"
    path.write_text(FILE)
    (config,) = read_instances(path, {"assets": tmp_path / "assets"})
    assert (config.name, config.settings) == ("Bee", tmp_path / "b.toml")
    assert config.state == tmp_path / ".clerk-emulator" / f"{B_KEY}.sqlite3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[instances", "can't be read"),
        ("", r"has no \[\[instances\]\]"),
        ("instances = [1]", r"instances\[1\] is not a table"),
        ("[[instances]]\nname = 'X'", "publishable_key is missing"),
        (FILE.replace("name", "nmae"), "nmae is unknown"),
        (FILE.replace("sk_test_b", "sk_live_b"), "production key"),
        (FILE + FILE, "the same publishable_key"),
    ],
)
def test_an_invalid_file_is_rejected(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "instances.toml"
    path.write_text(text)
    with pytest.raises(RefusalError, match=problem):
        read_instances(path, {"assets": tmp_path / "assets"})


def test_only_the_first_start_loads_the_seeds(config: EmulatorConfig, tmp_path: Path) -> None:
    seeds = tmp_path / "clerk_seeds.toml"
    seeds.write_text('[[users]]\nemail_address = "ada@example.com"\n')
    config = example_config(tmp_path, seeds=seeds)
    for _ in range(2):
        backend = Backend(create_emulator(config), config.secret_key)
        assert backend.get("/users/count").get_json()["total_count"] == 1
        seeds.write_text('[[users]]\nemail_address = "grace@example.com"\n')


def test_broken_seeds_are_refused(config: EmulatorConfig, tmp_path: Path) -> None:
    seeds = tmp_path / "clerk_seeds.toml"
    seeds.write_text('[[users]]\nemail_address = "ada"\n')
    with pytest.raises(RefusalError, match=r"users\[1\] \(ada\)"):
        create_emulator(example_config(tmp_path, seeds=seeds))
