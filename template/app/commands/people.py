"""``flask clerk delete-user`` and ``flask clerk export-user``."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.clerk import BackendApi, BackendApiError, clerk_of
from app.clerk_sync.privacy import (
    Account,
    AccountNotFound,
    delete_account,
    export_account,
    find_account,
)


@click.command("delete-user")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
@with_appcontext
def delete_user(user: str, yes: bool) -> None:
    """Delete an account in Clerk, and all data about it in this database.

    USER is a user ID or an email address. app/accounts/personal_data.py says what else is deleted
    together with the user's row.
    """
    api = clerk_of(current_app).api
    account = _find_account(user, api)
    click.echo(_describe(account))
    if not yes:
        click.confirm("Permanently delete this account?", abort=True)
    try:
        delete_account(account, api)
    except BackendApiError as error:
        raise click.ClickException(f"{error}. Nothing has been deleted.") from None
    click.echo("Deleted.")


@click.command("export-user")
@click.argument("user")
@click.option("--output", type=click.Path(path_type=Path), help="Write to a new file.")
@click.option("--local", is_flag=True, help="Leave out the data that Clerk holds.")
@with_appcontext
def export_user(user: str, output: Path | None, local: bool) -> None:
    """Write all data about a user as JSON, for example to answer a request under the GDPR.

    USER is a user ID or an email address.
    """
    api = None if local else clerk_of(current_app).api
    account = _find_account(user, api)
    try:
        exported = export_account(account, api)
    except BackendApiError as error:
        message = f"{error}. To export only the data in this database, add --local."
        raise click.ClickException(message) from None
    text = json.dumps(exported, indent=2, ensure_ascii=False, default=_to_json)
    if output is None:
        click.echo(text)
        return
    _write_new_file(output, text + "\n")
    click.echo(f"Written to {output}.", err=True)


def _find_account(user: str, api: BackendApi | None) -> Account:
    try:
        return find_account(user, api)
    except (AccountNotFound, BackendApiError) as error:
        raise click.ClickException(str(error)) from None


def _describe(account: Account) -> str:
    email = account.row.email if account.row else ""
    in_clerk = "exists" if account.in_clerk else "doesn't exist"
    here = "a row" if account.row else "no row"
    return f"{account.id} {email or ''} ({in_clerk} in Clerk, {here} in this database)"


def _write_new_file(path: Path, text: str) -> None:
    try:
        # Only the current user may read it, and an existing file is never overwritten.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        message = f"{path} can't be created ({error.strerror}). Pass the name of a new file."
        raise click.ClickException(message) from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)


def _to_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
