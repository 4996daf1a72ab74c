"""The local user of a session, made just in time where Clerk's news has not come yet."""

from __future__ import annotations

import logging

from flask import current_app

from app.clerk import BackendApi, BackendApiError, Session, clerk_of
from app.database import db
from app.transactions import transact

from .models import User
from .records import Outcome, apply_user, is_gone

log = logging.getLogger(__name__)


def user_of(session: Session) -> User | None:
    """The local user of a session; on the first request of a new person the row is made.

    :param session: a verified session.
    :returns: None when the account is gone; the session's last token outlives it by a minute.
    """
    user = db.session.get(User, session.user_id)
    if user is None and add_user(session.user_id):
        user = db.session.get(User, session.user_id)
    return user if user is not None and user.deleted_at is None else None


def add_user(user_id: str) -> bool:
    """Make a row for somebody we have not seen yet.

    While Clerk cannot be reached, the row holds the id alone; the next webhook completes it.

    :returns: False when the account has been deleted, or Clerk says that there is none.
    """
    if is_gone(db.session, user_id):
        return False
    api: BackendApi = clerk_of(current_app).api
    try:
        data = api.user(user_id)
    except BackendApiError as error:
        if error.status == 404:
            return False
        log.warning("A new user is kept by id only for now: %s", error)
        data = {}
    outcome = transact(lambda session: apply_user(session, {**data, "id": user_id}))
    return outcome is not Outcome.GONE
