"""``flask clerk sync``: make our rows equal to Clerk's data again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app.accounts import clerk_lists, sync
from app.accounts.clerk_lists import BEGINNING, KINDS, Kind, Position
from app.clerk import BackendApi, BackendApiError, clerk_of

MARKS = {"add": "+", "change": "~", "delete": "-"}
WORDS = {"add": "added", "change": "changed", "delete": "deleted"}
WITHOUT_ORGANIZATIONS = "organization_not_enabled_in_instance"


@click.command("sync")
@click.option("--dry-run", is_flag=True, help="Print the differences, and change nothing.")
@click.option("--restart", is_flag=True, help="Do not go on where an unfinished run stopped.")
@click.option("--force", is_flag=True, help="Even if Clerk knows hardly any of our users.")
@with_appcontext
def sync_command(dry_run: bool, restart: bool, force: bool) -> None:
    """Make users, organizations and memberships here equal to Clerk's.

    For the first time, after lost webhooks, and whenever in doubt. The app may run meanwhile.
    """
    api = clerk_of(current_app).api
    try:
        if not force:
            sync.check_instance(api)
        if restart and not dry_run:
            sync.forget_checkpoints()
        for kind in KINDS:
            _sync(api, kind, dry_run=dry_run)
    except sync.WrongInstance as error:
        raise click.ClickException(str(error)) from None
    except BackendApiError as error:
        message = f"{error}. What is done stays done: the same command goes on from there."
        raise click.ClickException(message) from None
    if not dry_run:
        sync.forget_checkpoints()


def _sync(api: BackendApi, kind: Kind, *, dry_run: bool) -> None:
    start = BEGINNING if dry_run else sync.starting_point(kind)
    if start is None:
        click.echo(f"{kind.name}: done before the last run stopped")
        return
    if start.offset:
        click.echo(f"{kind.name}: goes on after {start.offset:,}, where the last run stopped")
    try:
        tally = _reconcile(api, kind, start, dry_run=dry_run)
    except BackendApiError as error:
        if error.code != WITHOUT_ORGANIZATIONS:
            raise
        click.echo(f"{kind.name}: Clerk has no organizations switched on")
        return
    words = WORDS if not dry_run else {change: f"to {change}" for change in WORDS}
    counts = ", ".join(f"{tally[change]:,} {word}" for change, word in words.items())
    click.echo(f"{kind.name}: {tally['seen']:,} at Clerk; {counts}")


def _reconcile(api: BackendApi, kind: Kind, start: Position, *, dry_run: bool) -> Counter[str]:
    tally = Counter(seen=start.offset)
    steps = sync.reconcile(api, kind, start, dry_run=dry_run)
    with _bar(clerk_lists.count(api, kind), kind.name, hidden=dry_run) as bar:
        bar.update(start.offset)
        for step in steps:
            tally.update(difference.change for difference in step.differences)
            if dry_run:
                for change, id, details in step.differences:
                    click.echo(f"{MARKS[change]} {id} {details}".rstrip())
            bar.update(step.position.offset - tally["seen"])
            tally["seen"] = step.position.offset
    return tally


def _bar(length: int, label: str, *, hidden: bool) -> Any:
    return click.progressbar(length=length, label=label, hidden=hidden, show_pos=True)
