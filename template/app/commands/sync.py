"""``flask clerk sync``: make our rows equal to Clerk's data again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app.clerk import BackendApi, BackendApiError, clerk_of
from app.clerk_sync import clerk_lists, reconciliation
from app.clerk_sync.clerk_lists import BEGINNING, CLERK_LISTS, ClerkList, Position

MARKS = {"add": "+", "change": "~", "delete": "-"}
WORDS = {"add": "added", "change": "changed", "delete": "deleted"}
WITHOUT_ORGANIZATIONS = "organization_not_enabled_in_instance"


@click.command("sync")
@click.option("--dry-run", is_flag=True, help="Print the differences without changing anything.")
@click.option("--restart", is_flag=True, help="Start over instead of continuing a stopped run.")
@click.option("--force", is_flag=True, help="Run even if Clerk knows few of the users here.")
@with_appcontext
def sync_command(dry_run: bool, restart: bool, force: bool) -> None:
    """Make the users, organizations and memberships here equal to Clerk's.

    Run it to import existing users, after lost webhooks, or whenever in doubt. The app may keep
    running.
    """
    api = clerk_of(current_app).api
    try:
        if not force:
            reconciliation.check_instance(api)
        if restart and not dry_run:
            reconciliation.forget_checkpoints()
        for clerk_list in CLERK_LISTS:
            _sync_list(api, clerk_list, dry_run=dry_run)
    except reconciliation.WrongInstance as error:
        raise click.ClickException(str(error)) from None
    except BackendApiError as error:
        message = f"{error}. Run the command again to continue from here."
        raise click.ClickException(message) from None
    if not dry_run:
        reconciliation.forget_checkpoints()


def _sync_list(api: BackendApi, clerk_list: ClerkList, *, dry_run: bool) -> None:
    start = BEGINNING if dry_run else reconciliation.starting_point(clerk_list)
    name = clerk_list.name
    if start is None:
        click.echo(f"{name}: finished by the previous run")
        return
    if start.offset:
        click.echo(f"{name}: continuing after {start.offset:,}, where the previous run stopped")
    try:
        tally = _reconcile_list(api, clerk_list, start, dry_run=dry_run)
    except BackendApiError as error:
        if error.code != WITHOUT_ORGANIZATIONS:
            raise
        click.echo(f"{name}: organizations are not enabled in Clerk")
        return
    words = WORDS if not dry_run else {change: f"to {change}" for change in WORDS}
    counts = ", ".join(f"{tally[change]:,} {word}" for change, word in words.items())
    click.echo(f"{name}: {tally['seen']:,} in Clerk; {counts}")


def _reconcile_list(
    api: BackendApi, clerk_list: ClerkList, start: Position, *, dry_run: bool
) -> Counter[str]:
    tally = Counter(seen=start.offset)
    steps = reconciliation.reconcile(api, clerk_list, start, dry_run=dry_run)
    total = clerk_lists.count_objects(api, clerk_list)
    name = clerk_list.name
    progress: Any = click.progressbar(length=total, label=name, hidden=dry_run, show_pos=True)
    with progress as bar:
        bar.update(start.offset)
        for step in steps:
            tally.update(difference.change for difference in step.differences)
            if dry_run:
                for change, id, details in step.differences:
                    click.echo(f"{MARKS[change]} {id} {details}".rstrip())
            bar.update(step.position.offset - tally["seen"])
            tally["seen"] = step.position.offset
    return tally
