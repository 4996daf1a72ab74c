"""Invitations, sign-in tokens, testing tokens, waitlist entries."""

from __future__ import annotations

from ..clerk import LocalClerk
from ..invitation_states import invitation_status, invitation_url
from ..resources import Invitation, SignInToken, TestingToken, WaitlistEntry
from ..urls import with_query
from .json import Json


def invitation_json(clerk: LocalClerk, invitation: Invitation) -> Json:
    """An invitation. While it is pending, the app's server may pass its link on itself."""
    status = invitation_status(clerk, invitation)
    link = {"url": invitation_url(clerk, invitation)} if status == "pending" else {}
    return {
        "object": "invitation",
        "id": invitation.id,
        "email_address": invitation.email_address,
        "public_metadata": invitation.public_metadata,
        "status": status,
        "revoked": status == "revoked",
        "expires_at": invitation.expires_at,
        "created_at": invitation.created_at,
        "updated_at": invitation.updated_at,
    } | link


def sign_in_token_json(clerk: LocalClerk, token: SignInToken) -> Json:
    """A sign-in or actor token. The ticket is shown while it is good for anything."""
    page = f"{clerk.config.own_url}/v1/tickets/accept"
    shown: Json = {}
    if token.status == "pending":
        shown = {"token": token.ticket, "url": with_query(page, ticket=token.ticket)}
    kind: Json = {"object": "sign_in_token"}
    if token.actor is not None:
        kind = {"object": "actor_token", "actor": token.actor}
    return (
        kind
        | {
            "id": token.id,
            "status": token.status,
            "user_id": token.user_id,
            "created_at": token.created_at,
            "updated_at": token.updated_at,
        }
        | shown
    )


def testing_token_json(token: TestingToken) -> Json:
    """A testing token. Its time is in unix seconds, as at Clerk."""
    return {"object": "testing_token", "token": token.id, "expires_at": token.expires_at // 1000}


def waitlist_entry_json(clerk: LocalClerk, entry: WaitlistEntry) -> Json:
    """Somebody on the waitlist, with the invitation if there is one."""
    invitation = clerk.store.get(Invitation, entry.invitation_id)
    return {
        "object": "waitlist_entry",
        "id": entry.id,
        "email_address": entry.email_address,
        "status": entry.status,
        "is_locked": entry.is_locked,
        "invitation": invitation_json(clerk, invitation) if invitation else None,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }
