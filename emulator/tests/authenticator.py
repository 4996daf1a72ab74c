"""A passkey authenticator in software: it creates what a browser would pass to Clerk.js."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from clerk_emulator.webauthn import from_base64url, to_base64url

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
ORIGIN = "http://localhost:5000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def cbor(value: Any) -> bytes:
    """Encode integers, bytes, text and maps."""
    match value:
        case int() if value < 0:
            return _head(1, -1 - value)
        case int():
            return _head(0, value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
    parts = [cbor(part) for pair in value.items() for part in pair]
    return _head(5, len(value)) + b"".join(parts)


def _head(kind: int, size: int) -> bytes:
    if size < 24:
        return bytes([kind << 5 | size])
    width = 1 if size < 256 else 2
    return bytes([kind << 5 | 23 + width]) + size.to_bytes(width)


def es256() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authenticator:
    """Holds one passkey. Its responses contain the values of its fields, even false ones."""

    key: Key = field(default_factory=es256)
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    count: int = 0
    rp_id: str = ""
    """Empty: the requested one."""
    challenge: str = ""
    """Empty: the requested one."""
    kind: str = ""
    user_handle: str = ""

    def create(self, nonce: str, **attestation: Any) -> str:
        """Create the passkey that a nonce requests."""
        asked = json.loads(nonce)
        self.user_handle = asked["user"]["id"]
        key = cbor(self.cose())
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + key
        data = self._data(asked["rp"]["id"], ATTESTED) + attested
        made = {"fmt": "none", "attStmt": {}, "authData": data} | attestation
        client_data = self._client_data("webauthn.create", asked["challenge"])
        return self._credential(clientDataJSON=client_data, attestationObject=cbor(made))

    def get(self, nonce: str, **changes: str | None) -> str:
        """Sign the challenge of a sign-in."""
        asked = json.loads(nonce)
        data = self._data(asked["rpId"])
        client_data = self._client_data("webauthn.get", asked["challenge"])
        signature = self._sign(data + hashlib.sha256(client_data).digest())
        parts = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        return self._credential(**parts, userHandle=changes.get("user_handle", self.user_handle))

    def cose(self) -> dict[int, Any]:
        """The public key."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            point = self.key.public_key().public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()}
        modulus = self.key.public_key().public_numbers().n
        return {1: 3, 3: -257, -1: modulus.to_bytes(self.key.key_size // 8), -2: b"\x01\x00\x01"}

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(SHA256()))
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        return self.key.sign(data, padding.PKCS1v15(), SHA256())

    def _data(self, rp_id: str, more: int = 0) -> bytes:
        host = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return host + bytes([self.flags | more]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": self.kind or kind, "challenge": self.challenge or challenge}
        return json.dumps(told | {"origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, **parts: bytes | str | None) -> str:
        response = {k: to_base64url(v) if isinstance(v, bytes) else v for k, v in parts.items()}
        id = to_base64url(self.id)
        credential = {"type": "public-key", "id": id, "rawId": id, "response": response}
        return json.dumps(credential)


def forged(credential: str, **parts: bytes) -> str:
    """The same credential with other bytes in its response."""
    changed: dict[str, Any] = json.loads(credential)
    for name, data in parts.items():
        assert from_base64url(changed["response"][name]) != data
        changed["response"][name] = to_base64url(data)
    return json.dumps(changed)
