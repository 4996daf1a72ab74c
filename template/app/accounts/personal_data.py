"""What your own tables hold about a person: how it goes, and how it is handed out. Yours.

Rows that point at ``users`` by a foreign key with ``ondelete`` go by themselves, unless
``CLERK_DELETIONS`` is ``soft``. All else that must go or be made anonymous belongs here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session


def erase(session: Session, user_id: str) -> None:
    """Erase what is known of somebody whose account is being deleted, by whomever.

    Called once for each account, in the transaction that deletes the row, just before: if this
    raises, nothing is deleted, and Clerk tells of it again.

    :param session: of that transaction; commit nothing.
    :param user_id: Clerk's id. There need be no row of ours.
    """
    # session.execute(sa.delete(Note).where(Note.author_id == user_id))


def export(session: Session, user_id: str) -> dict[str, Any]:
    """What ``flask clerk export-user`` says beside Clerk's data and our row, for JSON.

    :param session: to read with.
    :param user_id: Clerk's id.
    """
    # return {"notes": list(session.scalars(sa.select(Note.text).where(Note.author_id == user_id)))}
    return {}
