"""What your own tables hold about a user: how to erase it, and how to export it.

Rows with a foreign key to ``users`` that has an ``ondelete`` are handled by the database, unless
``CLERK_DELETIONS`` is ``soft``. Anything else that must be deleted or anonymized belongs here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session


def erase(session: Session, user_id: str) -> None:
    """Erase what your tables hold about a user whose account is being deleted.

    Called once for each account, in the transaction that deletes the user's row, just before that.
    If it raises, nothing is deleted, and Clerk delivers the event again.

    :param session: the transaction's session; don't commit it.
    :param user_id: Clerk's ID. There may be no row with it.
    """
    # session.execute(sa.delete(Note).where(Note.author_id == user_id))


def export(session: Session, user_id: str) -> dict[str, Any]:
    """What ``flask clerk export-user`` adds to Clerk's data and the user's row, for JSON.

    :param session: a session to read with.
    :param user_id: Clerk's ID.
    """
    # return {"notes": list(session.scalars(sa.select(Note.text).where(Note.author_id == user_id)))}
    return {}
