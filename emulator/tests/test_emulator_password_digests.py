"""Password hashes imported from other systems, checked with hashes that those systems made."""

# ruff: noqa: S324 - other systems have used such hashes

from __future__ import annotations

import base64
import hashlib

import bcrypt
import pytest
from flask import Flask

from clerk_emulator.clerk import LocalClerk
from clerk_emulator.errors import ClerkError
from clerk_emulator.password_digests import HASHERS, imported_hash, is_password
from clerk_emulator.testing import Backend, Browser, error_of

FIREBASE = (
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "42xEC+ixf3L2lw==",
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    "Bw==",
    "8",
    "14",
)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pbkdf2(name: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac(name, b"password", salt, 1000, 32)


def symfony(password: bytes, salt: bytes, rounds: int) -> str:
    salted = password + b"{" + salt + b"}"
    found = hashlib.sha512(salted).digest()
    for _ in range(1, rounds):
        found = hashlib.sha512(found + salted).digest()
    return b64(found)


SSHA = "{SSHA}" + b64(hashlib.new("sha1", b"password" + b"salt").digest() + b"salt")
ARGON = "m=65536,t=2,p=1$c29tZXNhbHQ$"
DIGESTS = [
    ("md5", "5f4dcc3b5aa765d61d8327deb882cf99", "password"),
    ("sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "test"),
    ("md5_salted", "s$" + hashlib.new("md5", b"spassword").hexdigest(), "password"),
    ("sha256_salted", "s$" + hashlib.sha256(b"spassword").hexdigest(), "password"),
    ("sha256_salted", "s$" + hashlib.sha256(b"passwords").hexdigest(), "password"),
    ("ldap_ssha", SSHA, "password"),
    ("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345"),
    ("scrypt_firebase", "$".join(FIREBASE), "user1password"),
    (
        "scrypt_werkzeug",
        "scrypt:16:8:1$salt$"
        + hashlib.scrypt(b"password", salt=b"salt", n=16, r=8, p=1, dklen=64).hex(),
        "password",
    ),
    (
        "argon2i",
        f"$argon2i$v=19${ARGON}wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "password",
    ),
    (
        "argon2id",
        f"$argon2id$v=19${ARGON}CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "password",
    ),
    (
        "pbkdf2_sha256",
        f"pbkdf2_sha256$1000${b64(b'salt')}${b64(pbkdf2('sha256', b'salt'))}",
        "password",
    ),
    (
        "pbkdf2_sha256_django",
        f"pbkdf2_sha256$1000$salt${b64(pbkdf2('sha256', b'salt'))}",
        "password",
    ),
    ("pbkdf2_sha1", f"pbkdf2_sha1$1000$salt${pbkdf2('sha1', b'salt').hex()}", "password"),
    (
        "pbkdf2_sha1",
        f"pbkdf2_sha1$1000$00ff${pbkdf2('sha1', bytes([0, 255])).hex()}$32",
        "password",
    ),
    ("pbkdf2_sha512", f"pbkdf2_sha512$1000$00ff${pbkdf2('sha512', b'00ff').hex()}", "password"),
    (
        "pbkdf2_sha512_hex",
        f"pbkdf2_sha512_hex$1000$00ff${pbkdf2('sha512', bytes([0, 255])).hex()}",
        "password",
    ),
    ("sha512_symfony", f"sha512_symfony$50$salt${symfony(b'password', b'salt', 50)}", "password"),
]
BCRYPT = [
    ("bcrypt", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("bcrypt", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("bcrypt_peppered", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW$*U", "U"),
]


@pytest.mark.parametrize(("hasher", "digest", "password"), DIGESTS)
def test_an_imported_password_is_verified(hasher: str, digest: str, password: str) -> None:
    kept = imported_hash(digest, hasher)
    assert is_password(kept, password)
    assert not is_password(kept, password + "x")
    assert not is_password(kept, "")


@pytest.mark.parametrize(("hasher", "digest", "password"), BCRYPT)
def test_an_imported_bcrypt_password_is_verified(hasher: str, digest: str, password: str) -> None:
    kept = imported_hash(digest, hasher)
    assert is_password(kept, password)
    assert not is_password(kept, "x" + password)


def test_djangos_bcrypt_hashes_first() -> None:
    hashed = hashlib.sha256(b"password").hexdigest().encode()
    made = bcrypt.hashpw(hashed, bcrypt.gensalt(4))
    kept = imported_hash(f"bcrypt_sha256${made.decode()}", "bcrypt_sha256_django")
    assert is_password(kept, "password")
    assert not is_password(kept, "passwort")


def test_bcrypt_ignores_what_follows_the_first_72_bytes() -> None:
    kept = imported_hash(bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode(), "bcrypt")
    assert is_password(kept, "x" * 72)
    assert is_password(kept, "x" * 100)
    assert not is_password(kept, "x" * 71)


MALFORMED = [
    (hasher, digest)
    for hasher in HASHERS
    for digest in ("", "x", "$", "$$$", "$$$$", "$$$$$", "a$b$c$d", "pbkdf2_sha256$0$c2FsdA$eA==")
] + [
    ("bcrypt", "$2b$05$" + "\u00fc" * 53),
    ("bcrypt", "$2b$05$" + "!" * 53),
    ("bcrypt", "$2b$99$" + "C" * 53),
    ("bcrypt", "$3b$05$" + "C" * 53),
]


@pytest.mark.parametrize(("hasher", "digest"), MALFORMED)
def test_a_malformed_digest_is_refused(hasher: str, digest: str) -> None:
    with pytest.raises(ClerkError) as error:
        imported_hash(digest, hasher)
    assert error.value.code == "form_password_digest_invalid_code"
    assert error.value.param == "password_digest"


EXPENSIVE = [
    ("pbkdf2_sha256", f"pbkdf2_sha256$99999999${b64(b'salt')}${b64(b'x')}"),
    ("scrypt_werkzeug", "scrypt:1073741824:8:1$salt$00"),
    ("argon2id", "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$eHh4eA"),
    ("scrypt_firebase", "$".join((*FIREBASE[:5], "30"))),
]


@pytest.mark.parametrize(("hasher", "digest"), EXPENSIVE)
def test_a_digest_that_takes_too_long_is_rejected(hasher: str, digest: str) -> None:
    with pytest.raises(ClerkError):
        imported_hash(digest, hasher)


@pytest.mark.parametrize("hasher", ["awscognito", "md5_phpass", "rot13", ""])
def test_an_unknown_hasher_is_rejected_with_a_list_of_known_ones(hasher: str) -> None:
    with pytest.raises(ClerkError, match="one of argon2i, ") as error:
        imported_hash("x", hasher)
    assert error.value.param == "password_hasher"


def test_an_imported_user_signs_in(backend: Backend, emulator: Flask) -> None:
    body = {"password_digest": "5f4dcc3b5aa765d61d8327deb882cf99", "password_hasher": "md5"}
    answer = backend.send("POST", "/users", email_address=["ada@example.com"], **body)
    assert answer.get_json()["password_enabled"] is True
    wrong = Browser(emulator).sign_in("ada@example.com", "passwort")
    assert error_of(wrong)[1] == "form_password_incorrect"
    assert Browser(emulator).sign_in("ada@example.com", "password").status_code == 200


def test_an_imported_password_can_be_replaced(
    backend: Backend, emulator: Flask, clerk: LocalClerk
) -> None:
    body = {"password_digest": "5f4dcc3b5aa765d61d8327deb882cf99", "password_hasher": "md5"}
    backend.send("POST", "/users", email_address=["ada@example.com"], **body)
    browser = Browser(emulator)
    browser.sign_in("ada@example.com", "password")
    same = browser.post("/me/change_password", new_password="password")
    assert error_of(same)[1] == "form_new_password_matches_current"
    assert browser.post("/me/change_password", new_password="another 9").status_code == 200
    assert Browser(emulator).sign_in("ada@example.com", "another 9").status_code == 200
