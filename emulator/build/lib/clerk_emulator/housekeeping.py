"""Forgetting what nobody comes back for, so that the state does not grow without end."""

from __future__ import annotations

from .clerk import LocalClerk
from .resources import Client, HandshakeNonce, Session, SignIn, SignUp, Verification

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CLEANED_AT = "cleaned_at"


def clean_up_now_and_then(clerk: LocalClerk) -> None:
    """Clean up, unless that was done within the last hour."""
    last = int(clerk.store.setting(CLEANED_AT) or 0)
    if clerk.now - last >= HOUR_MS:
        clerk.store.set_setting(CLEANED_AT, str(clerk.now))
        clean_up(clerk)


def clean_up(clerk: LocalClerk) -> None:
    """Delete what is older than a day: browsers that never signed in, and all unfinished steps."""
    before = clerk.now - DAY_MS
    store = clerk.store
    for kind in (SignIn, SignUp, Verification, HandshakeNonce):
        store.delete_created_before(kind, before)
    for client in store.find(Client):
        if client.created_at >= before:
            break  # they come in order of creation
        used = client.sign_in_id, client.sign_up_id
        under_way = store.get(SignIn, used[0]) or store.get(SignUp, used[1])
        if under_way is None and store.count(Session, client_id=client.id) == 0:
            store.delete(client)
