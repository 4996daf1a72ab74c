"""What an app has registered with :func:`app.clerk_sync.init_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import Flask
from sqlalchemy.orm import Session

from app.clerk.webhooks import WebhookEvent

from .columns import ClerkColumns, MembershipColumns, OrganizationColumns, UserColumns

Model: TypeAlias = type[ClerkColumns]

EraseHook = Callable[[Session, str], None]
"""Erases what the app's own tables hold about a user ID; see ``app/accounts/personal_data.py``."""

ExportHook = Callable[[Session, str], dict[str, Any]]
"""Returns what the app's own tables hold about a user ID, for JSON."""


@dataclass
class ClerkSync:
    """The models and hooks of one app, in ``app.extensions["clerk_sync"]``."""

    user: type[UserColumns]
    organization: type[OrganizationColumns]
    membership: type[MembershipColumns]
    erase: EraseHook
    export: ExportHook
    soft_deletion: bool
    """Whether the rows of deleted records stay, with ``deleted_at`` set."""
    webhook_secrets: tuple[bytes, ...]
    """Decoded signing secrets; several during a rotation."""
    enqueue_signal: Callable[[WebhookEvent], None] | None = None
    """Hands a signal to a job queue. If None, the request that received the webhook sends it."""


def clerk_sync_of(app: Flask) -> ClerkSync:
    """The models and hooks of an app.

    :raises RuntimeError: the app has not been initialized.
    """
    try:
        sync: ClerkSync = app.extensions["clerk_sync"]
    except KeyError:
        raise RuntimeError(
            "This app has no models for Clerk's records. Call 'app.clerk_sync.init_app' with "
            "your classes first, as app/accounts/__init__.py does."
        ) from None
    return sync
