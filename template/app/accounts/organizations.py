"""The local organization and membership of a session, made just in time like its user."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app, g
from sqlalchemy.orm import Session as TransactionSession
from werkzeug.local import LocalProxy

from app.clerk import BackendApiError, Session, clerk_of, current_session
from app.database import db
from app.transactions import transact

from .models import Membership, Organization
from .payloads import InvalidRecord
from .records import apply_membership, apply_organization, is_gone

log = logging.getLogger(__name__)


def organization_of(session: Session) -> Organization | None:
    """The local organization that a session works in; on the first request the row is made.

    :param session: a verified session.
    :returns: None when no organization is active, or Clerk says that it or the membership is gone.
    """
    if session.organization is None:
        return None
    id = session.organization.id
    organization = db.session.get(Organization, id)
    if organization is None:
        add_membership(session)
        organization = db.session.get(Organization, id)
    return organization if organization is not None and not organization.deleted_at else None


def membership_of(session: Session) -> Membership | None:
    """The local membership in the active organization; see :func:`organization_of`.

    None also while Clerk, which gives it its id, cannot be reached.
    """
    if session.organization is None:
        return None
    query = sa.select(Membership).where(
        Membership.organization_id == session.organization.id,
        Membership.user_id == session.user_id,
        Membership.deleted_at.is_(None),
    )
    membership = db.session.scalar(query)
    if membership is None:
        add_membership(session)
        membership = db.session.scalar(query)
    return membership


def add_membership(session: Session) -> None:
    """Make rows of the active organization, and of the membership in it, as Clerk has them now.

    While Clerk cannot be reached, the organization's row holds what the session says of it.
    """
    active = session.organization
    if active is None or is_gone(db.session, active.id, session.user_id):
        return
    api = clerk_of(current_app).api
    try:
        memberships = list(api.memberships(active.id, user_id=session.user_id))
    except BackendApiError as error:
        if error.status != 404:
            log.warning("A new organization is kept by name only for now: %s", error)
            claimed = {"id": active.id, "slug": active.slug}
            transact(partial(apply_organization, data=claimed))
        return
    for data in memberships:
        try:
            transact(partial(_apply, data))
        except InvalidRecord as error:
            log.warning("Clerk's list of memberships makes no sense: %s", error)


def _apply(membership: dict[str, Any], transaction: TransactionSession) -> None:
    # Told by Clerk itself, the organization is no hearsay.
    organization = membership.get("organization")
    if isinstance(organization, dict):
        apply_organization(transaction, organization)
    apply_membership(transaction, membership)


def _current_organization() -> Organization | None:
    if "organization" not in g:
        g.organization = organization_of(current_session) if current_session else None
    return cast("Organization | None", g.organization)


def _current_membership() -> Membership | None:
    if "membership" not in g:
        g.membership = membership_of(current_session) if current_session else None
    return cast("Membership | None", g.membership)


current_organization = cast(Organization, LocalProxy(_current_organization))
"""The local :class:`~.models.Organization` that the session works in, loaded when you look.

False when no organization is active.
"""

current_membership = cast(Membership, LocalProxy(_current_membership))
"""The local :class:`~.models.Membership` of the user in that organization, loaded when you look."""
