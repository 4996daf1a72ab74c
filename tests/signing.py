"""Make keys and tokens like Clerk's, genuine and forged."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HOST = "quick-fox-7.clerk.accounts.dev"
LIVE_HOST = "clerk.example.com"
KID = "ins_test"
USER = "user_alice"

SECRET_KEY = secrets.token_hex()
WEBHOOK_SECRET = secrets.token_bytes(24)
WEBHOOK_SIGNING_SECRET = f"whsec_{base64.b64encode(WEBHOOK_SECRET).decode()}"
"""The same in the form of ``CLERK_WEBHOOK_SIGNING_SECRET``."""


def publishable_key(host: str, kind: str = "test") -> str:
    """Make a publishable key for the host of a Frontend API."""
    return f"pk_{kind}_{base64.b64encode(f'{host}$'.encode()).decode()}"


def generate_key() -> rsa.RSAPrivateKey:
    """Generate a private key like that of a Clerk instance."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encode_part(value: object) -> str:
    """Encode one part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Signer:
    """The signing key of a Clerk instance."""

    host: str = HOST
    key: rsa.RSAPrivateKey = field(default_factory=generate_key)
    kid: str = KID

    @property
    def pem(self) -> str:
        """The public key in PEM form, for ``CLERK_JWT_KEY``."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(encoding, form).decode()

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key as a JWKS document, as the Backend API returns it."""
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def claims(self, *, at: int | None = None, **changes: Any) -> dict[str, Any]:
        """The claims of a session token.

        :param at: when it was issued, as Unix time in seconds; by default now.
        :param changes: claims to add or replace; None leaves one out.
        """
        now = int(time.time()) if at is None else at
        claims = {
            "sub": USER,
            "sid": "sess_1",
            "iss": f"https://{self.host}",
            "azp": "http://localhost",
            "iat": now,
            "nbf": now - 10,
            "exp": now + 60,
            "v": 2,
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A session token, valid for a minute unless the changes say otherwise."""
        headers = {"kid": self.kid, **(header or {})}
        return jwt.encode(self.claims(**changes), self.key, algorithm="RS256", headers=headers)

    def expired(self) -> str:
        """A session token that expired a minute ago."""
        now = int(time.time())
        return self.token(iat=now - 120, nbf=now - 130, exp=now - 60)

    def handshake(self, directives: list[str], **header: Any) -> str:
        """A handshake payload."""
        return self._sign({"handshake": directives}, header)

    def payload(self, directives: list[str], **claims: Any) -> str:
        """A handshake payload with more claims than usual, such as ``exp``."""
        return self._sign({"handshake": directives, **claims}, {})

    def _sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        # Not jwt.encode(), which accepts only valid claims.
        headers = {"typ": "JWT", "alg": "RS256", "kid": self.kid, **header}
        signed = f"{encode_part(headers)}.{encode_part(claims)}"
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
