"""What goes with an account or an organization when it is deleted, beside what it is known by."""

from __future__ import annotations

from typing import Any

from .clerk import LocalClerk
from .resources import (
    ApiKey,
    Checkout,
    OAuthAccessToken,
    OAuthGrant,
    OrganizationInvitation,
    PaymentAttempt,
    Record,
    Resource,
    SignInToken,
    SubscriptionItem,
)

OF_A_PAYER: tuple[tuple[type[Resource], str], ...] = (
    (ApiKey, "subject"),
    (SubscriptionItem, "payer_id"),
    (PaymentAttempt, "payer_id"),
    (Checkout, "payer_id"),
    (Record, "owner_id"),
)
OF_A_USER: tuple[tuple[type[Resource], str], ...] = (
    (OAuthAccessToken, "subject"),
    (OAuthGrant, "user_id"),
)


def drop_belongings(clerk: LocalClerk, id: str) -> None:
    """Forget the keys, subscriptions, payments and credits of a user or an organization."""
    for kind, name in OF_A_PAYER:
        _drop(clerk, kind, {name: id})


def drop_user_belongings(clerk: LocalClerk, user_id: str) -> None:
    """Forget all that one account has, and all that could still sign it in.

    Actor tokens for it stay, so that whoever comes with one is told that the user is gone; those
    with which the user would have become somebody else are revoked. Invitations into
    organizations stay good, but nobody is named who has sent them.
    """
    drop_belongings(clerk, user_id)
    for kind, name in OF_A_USER:
        _drop(clerk, kind, {name: user_id})
    for token in clerk.store.find(SignInToken):
        if token.user_id == user_id and token.actor is None:
            clerk.store.delete(token)
        elif (token.actor or {}).get("sub") == user_id and token.status == "pending":
            token.status, token.updated_at = "revoked", clerk.now
            clerk.store.put(token)
    for invitation in clerk.store.find(OrganizationInvitation, inviter_user_id=user_id):
        invitation.inviter_user_id = None
        clerk.store.put(invitation)


def drop_organization_belongings(clerk: LocalClerk, organization_id: str) -> None:
    """Forget all that one organization has; connections made for it are nobody's."""
    drop_belongings(clerk, organization_id)
    for record in clerk.store.find(Record):
        if record.data.get("organization_id") == organization_id:
            record.data["organization_id"] = None
            clerk.store.put(record)


def _drop(clerk: LocalClerk, kind: type[Resource], wanted: dict[str, Any]) -> None:
    for found in clerk.store.find(kind, **wanted):
        clerk.store.delete(found)
