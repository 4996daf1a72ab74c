"""Passkeys: adding them to an account, and proving with one who somebody is."""

from __future__ import annotations

import json
import secrets
from typing import Any

from .clerk import LocalClerk, authorized_party
from .cose import ALGORITHMS
from .errors import ClerkError, unsupported_strategy
from .resources import EmailAddress, Passkey, User, Verification, new_id
from .sign_in_factors import user_passkeys
from .urls import host_of, origin_aliases
from .users import save_user
from .verifications import begin_verification, finish_verification
from .webauthn import (
    Expected,
    WebAuthnError,
    check_assertion,
    check_registration,
    read_assertion,
    to_base64url,
)

STRATEGY = "passkey"
MAX_PASSKEYS = 10
TIMEOUT_MS = 5 * 60_000
"""How long the browser's dialog stays open."""


def check_passkeys_enabled(clerk: LocalClerk) -> None:
    """Refuse passkeys where the instance has none.

    :raises ClerkError: 403 ``feature_not_enabled``.
    """
    if not clerk.settings.attributes.passkey.enabled:
        raise ClerkError("feature_not_enabled", "Passkeys are not enabled for this instance.", 403)


def begin_passkey(clerk: LocalClerk, user: User) -> Passkey:
    """Ask the browser for a new passkey, in place of one that never came.

    :raises ClerkError: ``passkey_quota_exceeded``.
    """
    for unfinished in clerk.store.find(Passkey, user_id=user.id, verified=False):
        clerk.store.delete(unfinished)
    if len(user_passkeys(clerk, user.id)) >= MAX_PASSKEYS:
        message = f"An account has at most {MAX_PASSKEYS} passkeys. Remove one first."
        raise ClerkError("passkey_quota_exceeded", message, 403)
    now = clerk.now
    passkey = Passkey(new_id("idn"), now, now, user.id)
    asked = _ask(clerk, passkey.id, _creation_options(clerk, user))
    passkey.verification_id = asked.id
    clerk.store.put(passkey)
    return passkey


def finish_passkey(clerk: LocalClerk, user: User, passkey: Passkey, credential: str) -> None:
    """Take the new passkey that a browser has made.

    :param credential: JSON, as Clerk.js sends it.
    :raises ClerkError: if it does not answer what was asked, or is known already.
    """
    asked = _use_up(clerk, passkey.verification_id, passkey.id)
    try:
        made = check_registration(credential, _expected(clerk, asked))
    except WebAuthnError as error:
        raise _refused("passkey_registration_failed", str(error)) from None
    if clerk.store.first(Passkey, credential_id=made.credential_id) is not None:
        raise _refused("passkey_already_exists", "This passkey is already registered.")
    passkey.credential_id, passkey.public_key = made.credential_id, made.public_key
    passkey.sign_count, passkey.verified = made.sign_count, True
    passkey.updated_at = clerk.now
    clerk.store.put(passkey)
    finish_verification(clerk, asked)
    save_user(clerk, user)


def rename_passkey(clerk: LocalClerk, user: User, passkey: Passkey, name: str) -> None:
    """Call a passkey something else."""
    passkey.name, passkey.updated_at = name, clerk.now
    clerk.store.put(passkey)
    save_user(clerk, user)


def remove_passkey(clerk: LocalClerk, user: User, passkey: Passkey) -> None:
    """Forget a passkey: it signs nobody in any more."""
    clerk.store.delete(passkey)
    if passkey.verified:
        save_user(clerk, user)


def ask_for_passkey(clerk: LocalClerk, target: str, user: User | None) -> Verification:
    """Ask the browser to prove that a passkey's owner is there.

    :param target: id of the sign-in or session that it is for.
    :param user: None: whoever has a passkey in this browser.
    """
    known = user_passkeys(clerk, user.id) if user else []
    options = {
        "rpId": _rp_id(),
        "allowCredentials": _descriptors(known),
        "userVerification": "required",
    }
    return _ask(clerk, target, options)


def check_passkey(
    clerk: LocalClerk,
    verification_id: str | None,
    target: str,
    user_id: str | None,
    credential: str,
) -> str:
    """Check what a browser answers to :func:`ask_for_passkey`.

    :param user_id: whose passkey it must be; None: anybody's.
    :returns: id of the account.
    :raises ClerkError: if it does not answer what was asked, or is somebody else's.
    """
    check_passkeys_enabled(clerk)
    asked = _use_up(clerk, verification_id, target)
    try:
        assertion = read_assertion(credential)
        passkey = clerk.store.first(Passkey, credential_id=assertion.credential_id, verified=True)
        if passkey is None or user_id not in (None, passkey.user_id):
            raise _refused("passkey_not_registered", "This passkey is not registered.")
        # WebAuthn, section 7.2, step 6: who was not named before is named by the handle.
        owner = passkey.user_id.encode()
        if assertion.user_handle != owner and (user_id is None or assertion.user_handle):
            raise WebAuthnError("The passkey belongs to another user.")
        expected = _expected(clerk, asked)
        count = check_assertion(assertion, expected, passkey.public_key, passkey.sign_count)
    except WebAuthnError as error:
        raise _refused("passkey_authentication_failed", str(error)) from None
    passkey.sign_count, passkey.last_used_at = count, clerk.now
    clerk.store.put(passkey)
    finish_verification(clerk, asked)
    return passkey.user_id


def _creation_options(clerk: LocalClerk, user: User) -> dict[str, Any]:
    """WebAuthn, section 5.4. The account's id is the handle: it says nothing about the person."""
    email = clerk.store.get(EmailAddress, user.primary_email_address_id)
    known_as = email.email_address if email else user.username or user.id
    return {
        "rp": {"id": _rp_id(), "name": clerk.settings.application.name or clerk.config.name},
        "user": {
            "id": to_base64url(user.id.encode()),
            "name": known_as,
            "displayName": user.name or known_as,
        },
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "excludeCredentials": _descriptors(user_passkeys(clerk, user.id)),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def _descriptors(passkeys: list[Passkey]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": passkey.credential_id} for passkey in passkeys]


def _ask(clerk: LocalClerk, target: str, options: dict[str, Any]) -> Verification:
    """A challenge of 32 random bytes (WebAuthn, section 13.4.3)."""
    verification = begin_verification(clerk, STRATEGY, target)
    challenge = to_base64url(secrets.token_bytes(32))
    verification.nonce = json.dumps(options | {"challenge": challenge, "timeout": TIMEOUT_MS})
    clerk.store.put(verification)
    return verification


def _use_up(clerk: LocalClerk, verification_id: str | None, target: str) -> Verification:
    """The challenge that is being answered. It takes one answer, right or wrong."""
    asked = clerk.store.get(Verification, verification_id)
    if asked is None or asked.strategy != STRATEGY or asked.target != target:
        raise unsupported_strategy()
    if asked.status != "unverified" or asked.expire_at <= clerk.now:
        message = "This verification has ended. You need to start again."
        raise ClerkError("verification_expired", message, 400)
    asked.status, asked.attempts = "failed", 1
    clerk.store.put(asked)
    return asked


def _expected(clerk: LocalClerk, asked: Verification) -> Expected:
    """Pages of the app and our own, on the host that was asked for."""
    options = json.loads(asked.nonce)
    rp_id = options.get("rpId") or options["rp"]["id"]
    ours = origin_aliases(clerk.config.app_url) | origin_aliases(clerk.config.own_url)
    return Expected(options["challenge"], rp_id, {url for url in ours if host_of(url) == rp_id})


def _rp_id() -> str:
    """The host under which the app is being used."""
    return host_of(authorized_party())


def _refused(code: str, message: str) -> ClerkError:
    return ClerkError(code, message, keeps_changes=True)
