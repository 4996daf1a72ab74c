"""Logs never contain whole nonces, tokens, or handshake payloads."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from app import create_app
from app.clerk.log_redaction import LOGGERS
from tests.app_fixtures import BROWSER, keys_of
from tests.protocol.faulty_server import FaultyServer, Reply, as_json, faulty_server
from tests.signing import Signer

NONCE = "nonce-0123456789-abcdefghij"


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A Backend API with faults."""
    with faulty_server() as server:
        yield server


@pytest.mark.parametrize("live", [False, True], ids=["development", "production"])
def test_a_storm_of_failing_handshakes_logs_no_secret(
    environ: dict[str, str],
    signer: Signer,
    live_signer: Signer,
    forger: Signer,
    faulty: FaultyServer,
    caplog: pytest.LogCaptureFixture,
    live: bool,
) -> None:
    ours = live_signer if live else signer
    echo = {
        "errors": [{"code": "resource_not_found", "message": f"no {NONCE}", "long_message": f"no {NONCE}"}]
    }
    app = create_app(environ | keys_of(ours) | {"CLERK_API_URL": faulty.url})
    secrets = [
        NONCE,
        ours.payload([f"__session={forger.token()}; Path=/"]),
        forger.payload(["a=b"]),
        ours.payload(["a=b"], exp=1),
        ours.token(),
        ours.expired(),
        f"ak_{NONCE}",
    ]
    caplog.set_level(logging.DEBUG)
    for reply in (
        Reply(hang_up=True),
        Reply(status=503),
        as_json(echo, 404),
        as_json(["x"]),
        Reply(missing=5),
    ):
        faulty.otherwise = reply
        for secret in secrets:
            client = app.test_client()
            client.set_cookie("__client_uat", "1")
            client.set_cookie("__clerk_db_jwt", "dvb_1")
            for name in ("__clerk_handshake", "__clerk_handshake_nonce"):
                client.get(f"/?{name}={secret}", headers=BROWSER)
                client.get("/", headers=BROWSER | {"Cookie": f"{name}={secret}; __client_uat=1"})
            client.get("/", headers=BROWSER | {"Cookie": f"__session={secret}; __client_uat=1"})
            client.get("/api/me", headers={"Authorization": f"Bearer {secret}"})
    assert faulty.count("/v1/clients/handshake_payload") > 5
    assert "handshake_payload?nonce=…" in caplog.text  # what urllib3 logs
    for secret in secrets:
        for part in (secret, secret.split(".")[-1], secret[:30]):
            assert len(part) < 20 or part not in caplog.text


@pytest.mark.parametrize("name", LOGGERS)
def test_secrets_in_the_urls_of_servers_and_clients_are_replaced(
    app: object, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger(name)
    logger.warning('"GET /a?b=1&__clerk_handshake=%s&c=2 HTTP/1.1" 200 %d', "aaa.bbb.ccc", 5)
    logger.warning("%(r)s", {"r": "/?__clerk_handshake_nonce=ddd#x /?nonce=eee /?__clerk_db_jwt=fff"})
    assert '"GET /a?b=1&__clerk_handshake=…&c=2 HTTP/1.1" 200 5' in caplog.text
    assert "/?__clerk_handshake_nonce=…#x /?nonce=… /?__clerk_db_jwt=…" in caplog.text
    logger.warning("announce=1 and %s")  # not formatted without arguments
    assert "announce=1 and %s" in caplog.text
