"""``flask clerk delete-user`` and ``flask clerk export-user``."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.accounts.people import (
    NobodyFound,
    Person,
    delete_person,
    export_person,
    find_person,
)
from app.clerk import BackendApi, BackendApiError, clerk_of


@click.command("delete-user")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_appcontext
def delete_user(user: str, yes: bool) -> None:
    """Delete an account at Clerk, and all that is known of it here.

    USER is an id or an e-mail address. What goes beside our own row stands in
    app/accounts/personal_data.py.
    """
    api = clerk_of(current_app).api
    person = _find(user, api)
    click.echo(_describe(person))
    if not yes:
        click.confirm("Delete this account for ever?", abort=True)
    try:
        delete_person(person, api)
    except BackendApiError as error:
        raise click.ClickException(f"{error}. Nothing has been deleted.") from None
    click.echo("Deleted.")


@click.command("export-user")
@click.argument("user")
@click.option("--output", type=click.Path(path_type=Path), help="A new file; else it is printed.")
@click.option("--local", is_flag=True, help="Without what Clerk holds.")
@with_appcontext
def export_user(user: str, output: Path | None, local: bool) -> None:
    """Write all that is known of a person, as JSON: what people may ask of you by law.

    USER is an id or an e-mail address.
    """
    api = None if local else clerk_of(current_app).api
    person = _find(user, api)
    try:
        exported = export_person(person, api)
    except BackendApiError as error:
        raise click.ClickException(f"{error}. Without Clerk's part: --local.") from None
    text = json.dumps(exported, indent=2, ensure_ascii=False, default=_in_json)
    if output is None:
        click.echo(text)
        return
    _write_new(output, text + "\n")
    click.echo(f"Written to {output}.", err=True)


def _find(user: str, api: BackendApi | None) -> Person:
    try:
        return find_person(user, api)
    except (NobodyFound, BackendApiError) as error:
        raise click.ClickException(str(error)) from None


def _describe(person: Person) -> str:
    name = person.here.name if person.here else ""
    sides = [
        f"{'known' if person.at_clerk else 'not known'} at Clerk",
        f"{'a row' if person.here else 'no row'} here",
    ]
    return " ".join(filter(None, [person.id, name, f"({', '.join(sides)})"]))


def _write_new(path: Path, text: str) -> None:
    try:
        # Others on this machine must not read it, and no file of anybody's is overwritten.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        message = f"{path} could not be made ({error.strerror}). Name a file that is not there yet."
        raise click.ClickException(message) from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)


def _in_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
