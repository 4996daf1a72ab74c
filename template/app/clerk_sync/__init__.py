"""Keeps rows of users, organizations and memberships in sync with Clerk.

Webhooks change the rows, the first request of a new user creates missing ones, and ``flask clerk
sync`` compares all of them. Connect to :mod:`app.clerk_sync.signals` to react to an event.

This package imports nothing from ``app.accounts``: the app passes its models to :func:`init_app`.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from .columns import MembershipColumns, OrganizationColumns, UserColumns
from .extension import ClerkSync, EraseHook, ExportHook, clerk_sync_of
from .just_in_time import local_membership, local_organization, local_user
from .webhook_route import webhooks

__all__ = [
    "MembershipColumns",
    "OrganizationColumns",
    "UserColumns",
    "clerk_sync_of",
    "init_app",
    "local_membership",
    "local_organization",
    "local_user",
]


def init_app(
    app: Flask,
    *,
    user: type[UserColumns],
    organization: type[OrganizationColumns],
    membership: type[MembershipColumns],
    erase: EraseHook,
    export: ExportHook,
    soft_deletion: bool = False,
    webhook_secrets: Sequence[bytes] = (),
) -> None:
    """Register the app's models and hooks, and the route ``/webhooks/clerk``.

    :param user: the model of the table ``users``.
    :param organization: the model of the table ``organizations``.
    :param membership: the model of the table ``memberships``.
    :param erase: called in the transaction that deletes a user.
    :param export: called by ``flask clerk export-user``.
    :param soft_deletion: keep the rows of deleted records, with ``deleted_at`` set.
    :param webhook_secrets: decoded signing secrets; without one, deliveries get a 503.
    """
    app.extensions["clerk_sync"] = ClerkSync(
        user=user,
        organization=organization,
        membership=membership,
        erase=erase,
        export=export,
        soft_deletion=soft_deletion,
        webhook_secrets=tuple(webhook_secrets),
    )
    app.register_blueprint(webhooks)
