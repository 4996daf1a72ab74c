"""Two branches of migrations: yours, and those of the template in ``app/clerk_sync/migrations/``.

Each of yours depends on the newest of the template's that existed when it was created, but neither
branch is a parent of the other. So an update of the template can add migrations next to yours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
from alembic.script import Script
from flask import Flask
from flask_alembic import Alembic

from app.database_errors import DatabaseCommands
from app.sqlite import foreign_keys_off, keep_rows

YOUR_BRANCH = "app"
"""Alembic's label of your migrations."""

CLERK_BRANCH = "clerk"
"""Alembic's label of the template's migrations."""

YOUR_FOLDER = Path(__file__).parent / "migrations"
CLERK_FOLDER = Path(__file__).parent / "clerk_sync" / "migrations"


class BranchedAlembic(Alembic):
    """Flask-Alembic, with commands that work for two branches."""

    def init_app(self, app: Flask) -> None:
        """Register the extension, both folders, and a line of output for each migration.

        ``app.config["ALEMBIC_CONTEXT"]`` may hold further options for Alembic's
        ``EnvironmentContext.configure()``.
        """
        app.config["ALEMBIC"] = {
            "script_location": _escaped(YOUR_FOLDER),
            "version_locations": [(CLERK_BRANCH, _escaped(CLERK_FOLDER))],
        }
        context = app.config.setdefault("ALEMBIC_CONTEXT", {})
        # Alembic would commit each change at once on SQLite, which can take changes back as well.
        context |= {"on_version_apply": _report_migration, "transactional_ddl": True}
        super().init_app(app)
        group = cast(click.Group, app.cli.commands["db"])
        app.cli.add_command(
            DatabaseCommands("db", group.commands, callback=group.callback, help=group.help)
        )

    def needs_upgrade(self) -> bool:
        """Whether there are migrations to run.

        A database stores one revision for each branch, but not one that another depends on, so
        Flask-Alembic's own comparison with all heads would never be satisfied.
        """
        return set(self.current()) != set(self.heads(resolve_dependencies=True))

    def run_migrations(self, fn: Callable[..., Any], **kwargs: Any) -> None:
        """Run migrations in one transaction, so that all of them are applied or none.

        :param fn: returns Alembic's steps.
        :raises click.ClickException: on SQLite, rows would refer to missing rows.
        """
        connection = self.migration_context.connection
        if connection is None or connection.dialect.name != "sqlite":
            super().run_migrations(fn, **kwargs)
            return
        with foreign_keys_off(connection):
            super().run_migrations(partial(keep_rows, fn), **kwargs)  # type: ignore[arg-type]

    def downgrade(self, target: int | str | Script = -1) -> None:
        """Take migrations back.

        :param target: a revision to return to, or a relative number such as ``-1`` or ``app@-1``.
        :raises click.ClickException: the number is ambiguous.
        """
        if _is_number(target) and len(current := self.current()) > 1:
            # Migrations from before there were two branches have no label.
            yours = next((head for head in current if _is_in(YOUR_FOLDER, head)), None)
            branch = YOUR_BRANCH
            if yours is not None and YOUR_BRANCH not in yours.branch_labels:
                branch = yours.revision
            raise click.ClickException(
                f"{target} is ambiguous, since the database has migrations of two branches. Type "
                f"'flask db downgrade {branch}@-1' to take back your newest migration, or "
                f"'flask db downgrade {CLERK_BRANCH}@-1' for the newest in app/clerk_sync."
            )
        if str(target).lstrip("-").isdigit() and not _is_number(target):
            target = str(target).lstrip("-")  # a revision, which the command mistakes for a number
        super().downgrade(target)

    def revision(
        self,
        message: str,
        empty: bool = False,
        branch: str = "default",
        parent: Any = "head",
        splice: bool = False,
        depend: Any = None,
        label: Any = None,
        path: str | None = None,
    ) -> list[Script | None]:
        """Create a migration: by default in ``app/migrations/``, after your newest one.

        The parameters are those of Flask-Alembic. With another branch or parent, it does what
        Flask-Alembic does.
        """
        if branch == CLERK_BRANCH:
            path = path or str(CLERK_FOLDER)
        elif branch == "default" and parent in ("head", ["head"], ("head",)):
            branch, parent = "", self._your_newest() or ["base"]
            if parent == ["base"]:
                label = [YOUR_BRANCH, *(label or ())]
            depend = depend or [self._templates_newest()]
        return super().revision(message, empty, branch, parent, splice, depend, label, path)

    def _your_newest(self) -> list[str]:
        """The revision of your newest migration; empty if there is none."""
        heads = [head.revision for head in self.heads() if _is_in(YOUR_FOLDER, head)]
        if len(heads) > 1:
            raise click.ClickException(
                f"Your migrations have several heads: {', '.join(heads)}. "
                f"Merge them first: flask db merge {' '.join(heads)}"
            )
        return heads

    def _templates_newest(self) -> str:
        """The revision of the template's newest migration, even if one of yours follows it."""
        scripts = self.script_directory.walk_revisions()  # the newest first
        return next(script.revision for script in scripts if _is_in(CLERK_FOLDER, script))


def _is_in(folder: Path, script: Script) -> bool:
    return Path(script.path).resolve().is_relative_to(folder.resolve())


def _is_number(target: object) -> bool:
    return str(target).lstrip("+-").isdigit() and len(str(target)) < 4


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # Alembic's configuration interpolates


def _report_migration(*, step: Any, **_: Any) -> None:
    """Print a migration that ``flask db`` runs, but not those at the start of a new app."""
    command = click.get_current_context(silent=True)
    if command is None or command.find_object(Alembic) is None or step.up_revision is None:
        return
    verb = "Upgraded" if step.is_upgrade else "Downgraded"
    click.echo(f"{verb}: {step.up_revision.revision}, {step.up_revision.doc}")
