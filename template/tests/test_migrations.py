"""The migrations create the tables of the models."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from app.database import Base, alembic, db


def test_they_create_every_table(app: Flask) -> None:
    with app.app_context():
        created = set(sa.inspect(db.engine).get_table_names())
    assert created == {*Base.metadata.tables, "alembic_version"}


def test_they_match_the_models(app: Flask) -> None:
    with app.app_context():
        # If this fails, run: flask db revision "what changes"
        assert alembic.compare_metadata() == []
