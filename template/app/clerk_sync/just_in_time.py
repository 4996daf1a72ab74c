"""The rows of a session's user, organization and membership, created if no webhook has yet."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session as DatabaseSession

from app.clerk import BackendApi, BackendApiError, Session, clerk_of
from app.database import db
from app.transactions import transact

from .columns import MembershipColumns, OrganizationColumns, UserColumns
from .extension import clerk_sync_of
from .payloads import InvalidRecord
from .records import Outcome, apply_membership, apply_organization, apply_user, is_deleted

log = logging.getLogger(__name__)


def local_user(user_id: str) -> UserColumns | None:
    """The row of a user, created on the user's first request.

    :param user_id: from a verified session or machine token.
    :returns: None if the account has been deleted or banned. Its last session token stays valid for
        up to a minute.
    """
    model = clerk_sync_of(current_app).user
    user = db.session.get(model, user_id)
    if user is None and create_local_user(user_id):
        user = db.session.get(model, user_id)
    return None if user is None or user.deleted_at or user.banned else user


def create_local_user(user_id: str) -> bool:
    """Create the row of a user from Clerk's data.

    If Clerk can't be reached, the row holds only the ID, and the next webhook completes it.

    :returns: False if the account has been deleted, or Clerk doesn't know it.
    """
    if is_deleted(db.session, user_id):
        return False
    api: BackendApi = clerk_of(current_app).api
    try:
        with api.limits.admit("new row", user_id):
            data = api.user(user_id)
    except BackendApiError as error:
        if error.status == 404:
            return False
        log.warning("The row of new user %s holds only the ID for now: %s", user_id, error)
        data = {}
    outcome = transact(lambda session: apply_user(session, {**data, "id": user_id}))
    return outcome is not Outcome.DELETED


def local_organization(session: Session) -> OrganizationColumns | None:
    """The row of a session's active organization, created on the first request for it.

    :param session: a verified session.
    :returns: None if no organization is active, or Clerk has deleted it. If only the membership has
        been deleted, the session's last token stays valid for up to a minute.
    """
    if session.organization is None:
        return None
    model, id = clerk_sync_of(current_app).organization, session.organization.id
    organization = db.session.get(model, id)
    if organization is None:
        create_local_membership(session)
        organization = db.session.get(model, id)
    return organization if organization is not None and not organization.deleted_at else None


def local_membership(session: Session) -> MembershipColumns | None:
    """The row of the user's membership in the active organization; see :func:`local_organization`.

    Also None for a new membership while Clerk can't be reached, since only Clerk knows its ID.
    """
    if session.organization is None:
        return None
    model = clerk_sync_of(current_app).membership
    query = sa.select(model).where(
        model.organization_id == session.organization.id,
        model.user_id == session.user_id,
        model.deleted_at.is_(None),
    )
    membership = db.session.scalar(query)
    if membership is None:
        create_local_membership(session)
        membership = db.session.scalar(query)
    return membership


def create_local_membership(session: Session) -> None:
    """Create the rows of the active organization and of the user's membership in it.

    If Clerk can't be reached, the organization's row holds only the ID and slug of the session.
    """
    active = session.organization
    if active is None or is_deleted(db.session, active.id, session.user_id):
        return
    api = clerk_of(current_app).api
    try:
        with api.limits.admit("new row", f"{active.id} {session.user_id}"):
            memberships = list(api.memberships(active.id, user_id=session.user_id))
            if not memberships:  # remembered, like the other reasons for a missing membership
                raise BackendApiError(404, "not-a-member", "the user is not a member")
    except BackendApiError as error:
        if error.status != 404:
            log.warning("The row of organization %s is partial for now: %s", active.id, error)
            claimed = {"id": active.id, "slug": active.slug}
            transact(partial(apply_organization, data=claimed))
        return
    for data in memberships:
        try:
            transact(partial(_apply_membership_and_organization, data))
        except InvalidRecord as error:
            log.warning("Clerk's list of memberships has an invalid one: %s", error)


def _apply_membership_and_organization(
    membership: dict[str, Any], transaction: DatabaseSession
) -> None:
    # The Backend API includes the whole organization, so it isn't a partial record.
    organization = membership.get("organization")
    if isinstance(organization, dict):
        apply_organization(transaction, organization)
    apply_membership(transaction, membership)
