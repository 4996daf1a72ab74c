"""What a passkey proves: the relying party's checks of W3C WebAuthn Level 2.

Nothing here stores or sends anything. Attestation statements are not looked at, whatever their
format: like a site that asks for ``none``, we do not care who made an authenticator (section 7.1,
steps 19 to 21, where self and no attestation are acceptable).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .cbor import CborError, read_cbor, read_first
from .cose import CoseError, is_signed, read_public_key

MAX_TEXT = 128 * 1024
MAX_ID_BYTES = 1023
"""Of a credential id (section 7.1, with section 4's definition)."""
USER_PRESENT, USER_VERIFIED, ATTESTED, EXTENDED = 0x01, 0x04, 0x40, 0x80


class WebAuthnError(ValueError):
    """A credential that proves nothing. The message says which check failed."""


@dataclass(frozen=True)
class Expected:
    """What the browser was asked.

    :param challenge: base64url, as it was sent.
    :param rp_id: the host that passkeys belong to.
    :param origins: the pages that may ask.
    """

    challenge: str
    rp_id: str
    origins: Collection[str]


@dataclass(frozen=True)
class Registered:
    """A new credential: id and COSE key are base64url."""

    credential_id: str
    public_key: str
    sign_count: int


@dataclass(frozen=True)
class Assertion:
    """What a browser sends to sign in, decoded but not checked yet."""

    credential_id: str
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


@dataclass(frozen=True)
class _AuthenticatorData:
    sign_count: int
    credential_id: bytes
    public_key: bytes


def to_base64url(data: bytes) -> str:
    """Without padding, as browsers and Clerk.js have it (section 3)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: Any) -> bytes:
    """The bytes, of the one way to write them.

    :raises WebAuthnError: for anything else.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise WebAuthnError("A field is missing or too long.")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise WebAuthnError("A field is not base64url.") from None
    if to_base64url(data) != text:
        raise WebAuthnError("A field is not base64url.")
    return data


def check_registration(credential: str, expected: Expected) -> Registered:
    """A new credential (section 7.1).

    :param credential: JSON as Clerk.js sends it.
    :raises WebAuthnError: if a check fails.
    """
    id, response = _credential(credential)
    client_data = from_base64url(response.get("clientDataJSON"))
    _check_client_data(client_data, "webauthn.create", expected)
    attestation = _cbor(from_base64url(response.get("attestationObject")))
    match attestation:
        case {"fmt": str(), "attStmt": dict(), "authData": bytes(data)} if len(attestation) == 3:
            found = _authenticator_data(data, expected, attested=True)
        case _:
            raise WebAuthnError("The attestation object is malformed.")
    if found.credential_id != id:
        raise WebAuthnError("The credential has two different IDs.")
    try:
        read_public_key(found.public_key)
    except CoseError as error:
        raise WebAuthnError(str(error)) from None
    return Registered(to_base64url(id), to_base64url(found.public_key), found.sign_count)


def read_assertion(credential: str) -> Assertion:
    """What was sent, so that its credential can be looked up (section 7.2, steps 5 to 8).

    :raises WebAuthnError: if it is malformed.
    """
    id, response = _credential(credential)
    handle = response.get("userHandle")
    return Assertion(
        to_base64url(id),
        from_base64url(response.get("clientDataJSON")),
        from_base64url(response.get("authenticatorData")),
        from_base64url(response.get("signature")),
        None if handle is None else from_base64url(handle),
    )


def check_assertion(
    assertion: Assertion, expected: Expected, public_key: str, sign_count: int
) -> int:
    """Whether the owner of a known credential is there (section 7.2, steps 11 to 21).

    :param public_key: as :func:`check_registration` gave it.
    :param sign_count: the counter that was seen last.
    :returns: the counter now.
    :raises WebAuthnError: if a check fails.
    """
    _check_client_data(assertion.client_data, "webauthn.get", expected)
    found = _authenticator_data(assertion.authenticator_data, expected, attested=False)
    signed = assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest()
    key = read_public_key(from_base64url(public_key))
    if not is_signed(key, assertion.signature, signed):
        raise WebAuthnError("The signature is wrong.")
    if (found.sign_count or sign_count) and found.sign_count <= sign_count:
        raise WebAuthnError("The counter did not increase: the authenticator may have been cloned.")
    return found.sign_count


def _credential(text: str) -> tuple[bytes, dict[str, Any]]:
    """Id and response of a ``PublicKeyCredential`` (section 5.1)."""
    match _json(text):
        case {"type": "public-key", "id": id, "rawId": raw, "response": dict(response)}:
            found = from_base64url(raw)
            if id == raw and 0 < len(found) <= MAX_ID_BYTES:
                return found, response
    raise WebAuthnError("This is not a public key credential.")


def _json(text: str | bytes) -> Any:
    if len(text) > MAX_TEXT:
        raise WebAuthnError("The JSON is too long.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise WebAuthnError("The JSON is malformed.") from None


def _cbor(data: bytes) -> Any:
    try:
        return read_cbor(data)
    except CborError as error:
        raise WebAuthnError(f"The CBOR is malformed: {error}.") from None


def _check_client_data(raw: bytes, kind: str, expected: Expected) -> None:
    """Kind, challenge and origin (section 5.8.1). Frames of other sites may not ask."""
    data = _json(raw)
    if not isinstance(data, dict) or data.get("type") != kind:
        raise WebAuthnError(f"The client data is not of {kind}.")
    challenge = data.get("challenge")
    if not isinstance(challenge, str) or not hmac.compare_digest(
        challenge.encode("utf-8", "replace"), expected.challenge.encode()
    ):
        raise WebAuthnError("This is the answer to another challenge.")
    if data.get("origin") not in tuple(expected.origins) or data.get("crossOrigin", False):
        raise WebAuthnError("This comes from another origin.")


def _authenticator_data(data: bytes, expected: Expected, *, attested: bool) -> _AuthenticatorData:
    """Whose, who was there, and perhaps a new key (section 6.1).

    We ask for user verification, since a passkey replaces a password, so it has to have been.
    """
    if len(data) < 37:
        raise WebAuthnError("The authenticator data is truncated.")
    wanted = hashlib.sha256(expected.rp_id.encode()).digest()
    if not hmac.compare_digest(data[:32], wanted):
        raise WebAuthnError("This passkey is for another site.")
    flags, sign_count, rest = data[32], int.from_bytes(data[33:37]), data[37:]
    if not flags & USER_PRESENT or not flags & USER_VERIFIED:
        raise WebAuthnError("The user was not present or not verified.")
    if bool(flags & ATTESTED) != attested:
        raise WebAuthnError("The authenticator data contains an unexpected key, or lacks one.")
    id, key = b"", b""
    if attested:
        id, key, rest = _attested(rest)
    if bool(flags & EXTENDED) != bool(rest) or (rest and not isinstance(_cbor(rest), dict)):
        raise WebAuthnError("The authenticator data has unexpected bytes at its end.")
    return _AuthenticatorData(sign_count, id, key)


def _attested(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Credential id, COSE key and the rest (section 6.5.1): 16 bytes name the model first."""
    size = int.from_bytes(data[16:18])
    id, rest = data[18 : 18 + size], data[18 + size :]
    try:
        _, length = read_first(rest)
    except CborError as error:
        raise WebAuthnError(f"The public key is malformed: {error}.") from None
    return id, rest[:length], rest[length:]
