"""The instance's signing key, and what it signs. RS256 throughout, as at Clerk."""

from __future__ import annotations

import json
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .store import Store

SESSION_CLASS = "cl_B7d4PD111AAA"
TEMPLATE_CLASS = "cl_B7d4PD222AAA"
MACHINE_CLASS = "cl_B7d4PD333AAA"


class TokenSigner:
    """Signs with the RSA 2048 key in the state file, which the first start makes.

    :param store: where the private key is kept, so that tokens survive a restart.
    :param instance_id: becomes the ``kid``.
    :param issuer: becomes ``iss``.
    """

    def __init__(self, store: Store, instance_id: str, issuer: str) -> None:
        self._key = _load_or_create_key(store)
        self._kid = instance_id
        self._issuer = issuer

    def jwks(self) -> dict[str, Any]:
        """The public key, as ``/.well-known/jwks.json`` and ``/v1/jwks`` publish it."""
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        key = {"use": "sig", "kty": "RSA", "kid": self._kid, "alg": "RS256"}
        return {"keys": [key | {"n": public["n"], "e": public["e"]}]}

    def sign_session_token(self, claims: dict[str, Any]) -> str:
        """A token of the class that apps accept as a session."""
        return self._sign(claims, {"cat": SESSION_CLASS})

    def sign_template_token(self, claims: dict[str, Any]) -> str:
        """A custom token. Its class keeps it from passing for a session token."""
        return self._sign(claims, {"cat": TEMPLATE_CLASS})

    def sign_machine_token(self, claims: dict[str, Any]) -> str:
        """A machine-to-machine token."""
        return self._sign(claims, {"cat": MACHINE_CLASS})

    def machine_claims(self, token: str) -> dict[str, Any] | None:
        """What a machine-to-machine token of ours says, however old; None for anything else."""
        return self._claims(token, MACHINE_CLASS, "sub")

    def handshake_token(self, directives: list[str]) -> str:
        """The signed ``__clerk_handshake`` payload: a list of Set-Cookie strings."""
        return self._sign({"handshake": directives}, {})

    def session_of(self, token: str, now_ms: int) -> str | None:
        """The id of the session that a token speaks for; None if it is not ours or is over."""
        claims = self._claims(token, SESSION_CLASS, "sid")
        return str(claims["sid"]) if claims and claims["exp"] * 1000 > now_ms else None

    def _claims(self, token: str, wanted_class: str, named: str) -> dict[str, Any] | None:
        """What a token of ours says, however old; None for another class, or one without a name."""
        try:
            parts = jwt.decode_complete(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                issuer=self._issuer,
                options={
                    "require": ["exp", named],
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            return None
        claims: dict[str, Any] = parts["payload"]
        return claims if parts["header"].get("cat") == wanted_class else None

    def _sign(self, claims: dict[str, Any], headers: dict[str, Any]) -> str:
        headers = {"kid": self._kid, "typ": "JWT"} | headers
        return jwt.encode(claims, self._key, algorithm="RS256", headers=headers)


def _load_or_create_key(store: Store) -> rsa.RSAPrivateKey:
    pem = store.setting("signing_key")
    if pem is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        store.set_setting("signing_key", _as_pem(key))
        return key
    # We wrote this key ourselves: checking it again would double the time to start.
    loaded = serialization.load_pem_private_key(
        pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
    )
    return cast(rsa.RSAPrivateKey, loaded)


def _as_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
