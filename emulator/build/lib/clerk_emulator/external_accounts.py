"""Accounts at social providers: whom a provider named, and whose account here that is."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError
from .resources import EmailAddress, ExternalAccount, PhoneNumber, User, new_id
from .settings import InstanceSettings

PREFIX = "oauth_"

PROVIDERS = {
    "github": "GitHub",
    "gitlab": "GitLab",
    "hubspot": "HubSpot",
    "huggingface": "Hugging Face",
    "line": "LINE",
    "linkedin": "LinkedIn",
    "linkedin_oidc": "LinkedIn",
    "tiktok": "TikTok",
    "x": "X / Twitter",
}
"""Names of providers that are not just the capitalized key."""

WITH_USERNAMES = ("github", "gitlab", "bitbucket", "discord", "twitch", "x", "huggingface")
"""Providers that tell a username, too."""

SCOPES = {"google": "email https://www.googleapis.com/auth/userinfo.email openid profile"}


@dataclass(frozen=True)
class Identity:
    """Whom a provider named, in the provider's words."""

    provider: str
    provider_user_id: str
    email_address: str
    email_verified: bool = True
    first_name: str = ""
    last_name: str = ""
    username: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def provider_name(settings: InstanceSettings, provider: str) -> str:
    """What people call the provider."""
    known = settings.social.get(provider)
    return (known.name if known else "") or PROVIDERS.get(provider, provider.title())


def identity_of(provider: str, email_address: str, name: str, *, email_verified: bool) -> Identity:
    """The identity that the provider has for this address: always the same one.

    :param email_address: normalized.
    :param name: first name, a blank, the rest.
    """
    digest = hashlib.sha256(f"{provider}:{email_address}".encode()).hexdigest()
    first, _, last = name.strip().partition(" ")
    username = email_address.partition("@")[0] if provider in WITH_USERNAMES else None
    return Identity(
        provider,
        str(int(digest[:16], 16)),
        email_address,
        email_verified,
        first[:100],
        last.strip()[:100],
        username,
    )


def connected_account(clerk: LocalClerk, identity: Identity) -> ExternalAccount | None:
    """The account of some user here that this identity has been connected to."""
    return clerk.store.first(
        ExternalAccount,
        provider=identity.provider,
        provider_user_id=identity.provider_user_id,
        verified=True,
    )


def connect(clerk: LocalClerk, user: User, identity: Identity, verification_id: str) -> None:
    """Remember that this identity is the user's. The app is told by whoever saves the user."""
    now = clerk.now
    account = ExternalAccount(
        new_id("eac"),
        now,
        now,
        user.id,
        identity.provider,
        identity.provider_user_id,
        new_id("idn"),
        verification_id=verification_id,
    )
    fill_in(clerk, account, identity)


def fill_in(clerk: LocalClerk, account: ExternalAccount, identity: Identity) -> None:
    """Take over what the provider tells, and link the user's address that is the same."""
    account.provider_user_id = identity.provider_user_id
    account.email_address = identity.email_address
    account.first_name, account.last_name = identity.first_name, identity.last_name
    account.username = identity.username
    account.approved_scopes = SCOPES.get(account.provider, "email profile")
    account.verified = True
    account.updated_at = clerk.now
    clerk.store.put(account)
    _unlink(clerk, account)
    _link(clerk, account, verified=identity.email_verified)


def disconnect(clerk: LocalClerk, user: User, account: ExternalAccount) -> None:
    """Forget a connected account.

    :raises ClerkError: ``last_identification_deletion_failed`` if the user has nothing else to
        be known by.
    """
    others = (
        clerk.store.count(EmailAddress, user_id=user.id, verified=True)
        + clerk.store.count(PhoneNumber, user_id=user.id, verified=True)
        + clerk.store.count(ExternalAccount, user_id=user.id, verified=True)
        - account.verified
        + (user.username is not None)
    )
    if account.verified and not others:
        message = "You cannot delete your last identification."
        raise ClerkError("last_identification_deletion_failed", message, 403)
    _unlink(clerk, account)
    clerk.store.delete(account)


def _link(clerk: LocalClerk, account: ExternalAccount, *, verified: bool) -> None:
    email = clerk.store.first(
        EmailAddress, user_id=account.user_id, email_address=account.email_address
    )
    if email is None:
        return
    email.linked_to.append({"type": PREFIX + account.provider, "id": account.identification_id})
    if verified and not email.verified:
        email.verified = True
        email.verified_by = f"from_{PREFIX}{account.provider}"
    email.updated_at = clerk.now
    clerk.store.put(email)


def _unlink(clerk: LocalClerk, account: ExternalAccount) -> None:
    for email in clerk.store.find(EmailAddress, user_id=account.user_id):
        kept = [link for link in email.linked_to if link["id"] != account.identification_id]
        if kept != email.linked_to:
            email.linked_to = kept
            clerk.store.put(email)
