"""Public keys of authenticators, as COSE has them (RFC 9052, RFC 9053; WebAuthn, section 5.8.5)."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from .cbor import CborError, read_cbor

ES256, EDDSA, RS256 = -7, -8, -257
ALGORITHMS = (ES256, EDDSA, RS256)
"""In the order in which authenticators should choose."""

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class CoseError(ValueError):
    """A key that is malformed, weak, or of a kind that nobody asked for."""


def read_public_key(encoded: bytes) -> PublicKey:
    """The key that these bytes encode, with exactly the members that its kind has.

    :raises CoseError: for every other key.
    """
    try:
        members = read_cbor(encoded)
        if not isinstance(members, dict):
            raise CoseError("not a map")
        return _public_key(members)
    except (CborError, ValueError) as error:
        raise CoseError(f"The public key is not supported: {error}.") from None


def is_signed(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether the owner of the key signed ``data``."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _public_key(members: dict[Any, Any]) -> PublicKey:
    match members:
        case {1: 2, 3: -7, -1: 1, -2: bytes(x), -3: bytes(y)} if _sizes(members, 5, x, y):
            point = ec.EllipticCurvePublicNumbers(
                int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()
            )
            return point.public_key()
        case {1: 1, 3: -8, -1: 6, -2: bytes(x)} if _sizes(members, 4, x):
            return ed25519.Ed25519PublicKey.from_public_bytes(x)
        case {1: 3, 3: -257, -1: bytes(n), -2: b"\x01\x00\x01"} if len(members) == 4:
            if not 256 <= len(n) <= 512 or n[0] < 128:
                raise CoseError("an RSA key has 2048 to 4096 bits")
            return rsa.RSAPublicNumbers(65537, int.from_bytes(n)).public_key()
    raise CoseError("neither ES256 nor EdDSA nor RS256")


def _sizes(members: dict[Any, Any], count: int, *coordinates: bytes) -> bool:
    return len(members) == count and all(len(part) == 32 for part in coordinates)
