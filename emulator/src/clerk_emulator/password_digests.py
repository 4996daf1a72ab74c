"""Password hashes from elsewhere, in the forms that Clerk takes over from other systems."""

# MD5 and SHA-1 are what other systems have used: here nothing is made with them.
# ruff: noqa: S324

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import Any

import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf import argon2
from werkzeug.security import check_password_hash

from .errors import ClerkError, invalid

Compute = Callable[[bytes], bytes]
Parsed = tuple[Compute, bytes]
"""How a password becomes a hash, and the hash that it must become."""

MARK = "imported:"
MAX_ITERATIONS = 10_000_000
MAX_MEMORY_KIB = 262_144
ARGON2 = {"argon2i": "Argon2i", "argon2id": "Argon2id"}
BCRYPT_BYTES = 72
"""bcrypt ignores the rest of a longer password; the library raises an error instead."""
ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def imported_hash(digest: str, hasher: str) -> str:
    """A password hash from elsewhere, as it is kept.

    :param hasher: Clerk's name for it.
    :raises ClerkError: ``form_param_value_invalid`` for a hasher that is not known here,
        ``form_password_digest_invalid_code`` for a malformed digest.
    """
    parse = HASHERS.get(hasher)
    if parse is None or not _is_available(hasher):
        known = [name for name in HASHERS if _is_available(name)]
        raise invalid(
            "password_hasher",
            f"one of {', '.join(known)}: the local Clerk cannot check passwords of "
            f"{hasher or 'no hasher'}",
        )
    try:
        parse(digest)
    except (ValueError, KeyError, IndexError):
        message = f"password_digest is not a digest of {hasher}."
        code = "form_password_digest_invalid_code"
        raise ClerkError(code, message, param="password_digest") from None
    return f"{MARK}{hasher}:{digest}"


def _is_available(hasher: str) -> bool:
    """Whether the installed cryptography package can compute it."""
    return hasher not in ARGON2 or hasattr(argon2, ARGON2[hasher])


def is_password(password_hash: str, password: str) -> bool:
    """Whether this password has that hash, wherever the hash comes from."""
    if not password_hash.startswith(MARK):
        return check_password_hash(password_hash, password)
    hasher, _, digest = password_hash.removeprefix(MARK).partition(":")
    compute, wanted = HASHERS[hasher](digest)
    return hmac.compare_digest(compute(password.encode()), wanted)


def _number(text: str, most: int = MAX_ITERATIONS) -> int:
    number = int(text)
    if not 1 <= number <= most:
        raise ValueError(text)
    return number


def _from_base64(text: str) -> bytes:
    """With or without padding."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _hex_of(text: str, length: int) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != length:
        raise ValueError(text)
    return raw


def _pbkdf2(name: str, salt: bytes, iterations: int, wanted: bytes) -> Parsed:
    if not wanted:
        raise ValueError(name)
    return lambda password: hashlib.pbkdf2_hmac(
        name, password, salt, iterations, len(wanted)
    ), wanted


def _pbkdf2_sha256(digest: str, *, encoded_salt: bool) -> Parsed:
    prefix, iterations, salt, hashed = digest.split("$")
    if prefix != "pbkdf2_sha256":
        raise ValueError(prefix)
    raw = _from_base64(salt) if encoded_salt else salt.encode()
    return _pbkdf2("sha256", raw, _number(iterations), _from_base64(hashed))


def _pbkdf2_sha1(digest: str) -> Parsed:
    prefix, iterations, salt, hashed, *length = digest.split("$")
    wanted = bytes.fromhex(hashed)
    if prefix != "pbkdf2_sha1" or len(length) > 1 or (length and int(length[0]) != len(wanted)):
        raise ValueError(digest)
    try:
        raw = bytes.fromhex(salt)
    except ValueError:
        raw = salt.encode()
    return _pbkdf2("sha1", raw, _number(iterations), wanted)


def _pbkdf2_sha512(digest: str, *, prefix: str) -> Parsed:
    found, iterations, salt, hashed = digest.split("$")
    if found != prefix:
        raise ValueError(found)
    raw = bytes.fromhex(salt) if prefix.endswith("_hex") else salt.encode()
    return _pbkdf2("sha512", raw, _number(iterations), bytes.fromhex(hashed))


def _plain(digest: str, *, name: str) -> Parsed:
    size = hashlib.new(name).digest_size
    return lambda password: hashlib.new(name, password).digest(), _hex_of(digest, size)


def _salted(digest: str, *, name: str) -> Parsed:
    salt, hashed = digest.split("$")
    wanted = _hex_of(hashed, hashlib.new(name).digest_size)
    raw = salt.encode()

    def compute(password: bytes) -> bytes:
        """Clerk does not say on which side the salt is: either will do."""
        behind = hashlib.new(name, password + raw).digest()
        return behind if behind == wanted else hashlib.new(name, raw + password).digest()

    return compute, wanted


def _ldap_ssha(digest: str) -> Parsed:
    raw = _from_base64(digest.removeprefix("{SSHA}"))
    wanted, salt = raw[:20], raw[20:]
    if not salt:
        raise ValueError(digest)
    return lambda password: hashlib.new("sha1", password + salt).digest(), wanted


def _symfony(digest: str) -> Parsed:
    prefix, iterations, salt, hashed = digest.split("$")
    rounds, wanted = _number(iterations), _from_base64(hashed)
    if prefix != "sha512_symfony" or len(wanted) != 64:
        raise ValueError(digest)

    def compute(password: bytes) -> bytes:
        salted = password + f"{{{salt}}}".encode() if salt else password
        found = hashlib.sha512(salted).digest()
        for _ in range(rounds - 1):
            found = hashlib.sha512(found + salted).digest()
        return found

    return compute, wanted


def _phpass(digest: str) -> Parsed:
    if len(digest) != 34 or digest[:3] not in ("$P$", "$H$"):
        raise ValueError(digest)
    rounds, salt = 1 << ITOA64.index(digest[3]), digest[4:12].encode()
    _number(str(rounds))

    def compute(password: bytes) -> bytes:
        found = hashlib.new("md5", salt + password).digest()
        for _ in range(rounds):
            found = hashlib.new("md5", found + password).digest()
        return _itoa64(found).encode()

    return compute, digest[12:].encode()


def _itoa64(raw: bytes) -> str:
    text = ""
    for start in range(0, len(raw), 3):
        part = raw[start : start + 3]
        value = int.from_bytes(part, "little")
        text += "".join(ITOA64[value >> shift & 63] for shift in (0, 6, 12, 18)[: len(part) + 1])
    return text


def _scrypt(salt: bytes, n: int, r: int, p: int, length: int) -> Compute:
    if n & (n - 1) or n * r > 8 * MAX_MEMORY_KIB or p > 16:
        raise ValueError(n)
    memory = 132 * n * r * p + MAX_MEMORY_KIB
    return lambda password: hashlib.scrypt(
        password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length
    )


def _scrypt_werkzeug(digest: str) -> Parsed:
    arguments, salt, hashed = digest.removeprefix("$").split("$")
    name, n, r, p = arguments.split(":")
    wanted = bytes.fromhex(hashed)
    if name != "scrypt":
        raise ValueError(name)
    compute = _scrypt(salt.encode(), _number(n), _number(r), _number(p), len(wanted))
    return compute, wanted


def _scrypt_firebase(digest: str) -> Parsed:
    hashed, salt, signer, separator, rounds, cost = digest.split("$")
    key = _from_base64(signer)
    salted = _from_base64(salt) + _from_base64(separator)
    derive = _scrypt(salted, 1 << _number(cost, 20), _number(rounds, 64), 1, 64)

    def compute(password: bytes) -> bytes:
        cipher = Cipher(algorithms.AES(derive(password)[:32]), modes.CTR(bytes(16)))
        return cipher.encryptor().update(key)

    return compute, _from_base64(hashed)


def _argon2(digest: str, *, name: str) -> Parsed:
    _, found, version, options, salt, hashed = digest.split("$")
    values = dict(option.split("=") for option in options.split(","))
    kind: Any = getattr(argon2, ARGON2[name])
    if found != name or version != "v=19":
        raise ValueError(digest)
    wanted, raw = _from_base64(hashed), _from_base64(salt)
    memory, lanes = _number(values["m"], MAX_MEMORY_KIB), _number(values["p"], 64)
    settings = {"iterations": _number(values["t"], 100), "lanes": lanes, "memory_cost": memory}
    make = partial(kind, salt=raw, length=len(wanted), **settings)
    make()  # says what is wrong with the settings
    return lambda password: make().derive(password), wanted


def _bcrypt(digest: str, prepare: Compute = bytes) -> Parsed:
    _, version, cost, rest = digest.split("$")
    if version not in ("2a", "2b", "2x", "2y") or len(cost) != 2 or len(rest) != 53:
        raise ValueError(digest)
    _number(cost, 16)
    bcrypt.hashpw(b"", f"${version}$04${rest[:22]}".encode("ascii"))  # raises for a bad salt
    wanted = digest.encode("ascii")

    def compute(password: bytes) -> bytes:
        return bcrypt.hashpw(prepare(password)[:BCRYPT_BYTES], wanted)

    return compute, wanted


def _bcrypt_django(digest: str) -> Parsed:
    prefix, rest = digest.split("$", 1)
    if prefix != "bcrypt_sha256":
        raise ValueError(prefix)
    return _bcrypt(rest, lambda password: hashlib.sha256(password).hexdigest().encode())


def _bcrypt_peppered(digest: str) -> Parsed:
    rest, _, pepper = digest.rpartition("$")
    return _bcrypt(rest, lambda password: password + pepper.encode())


HASHERS: dict[str, Callable[[str], Parsed]] = {
    "argon2i": partial(_argon2, name="argon2i"),
    "argon2id": partial(_argon2, name="argon2id"),
    "bcrypt": _bcrypt,
    "bcrypt_peppered": _bcrypt_peppered,
    "bcrypt_sha256_django": _bcrypt_django,
    "ldap_ssha": _ldap_ssha,
    "md5": partial(_plain, name="md5"),
    "md5_salted": partial(_salted, name="md5"),
    "pbkdf2_sha1": _pbkdf2_sha1,
    "pbkdf2_sha256": partial(_pbkdf2_sha256, encoded_salt=True),
    "pbkdf2_sha256_django": partial(_pbkdf2_sha256, encoded_salt=False),
    "pbkdf2_sha512": partial(_pbkdf2_sha512, prefix="pbkdf2_sha512"),
    "pbkdf2_sha512_hex": partial(_pbkdf2_sha512, prefix="pbkdf2_sha512_hex"),
    "phpass": _phpass,
    "scrypt_firebase": _scrypt_firebase,
    "scrypt_werkzeug": _scrypt_werkzeug,
    "sha256": partial(_plain, name="sha256"),
    "sha256_salted": partial(_salted, name="sha256"),
    "sha512_symfony": _symfony,
}
"""By Clerk's name: what takes a digest apart.

Not here: ``awscognito``, which asks Amazon, and ``md5_phpass``.
"""
