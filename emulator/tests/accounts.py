"""Accounts for tests, created without requests, which would take longer."""

from __future__ import annotations

from flask import Flask

from clerk_emulator.clerk import EXTENSION, LocalClerk
from clerk_emulator.sessions import Visitor, client_of, start_session
from clerk_emulator.testing import PASSWORD, Browser
from clerk_emulator.users import NewUser, create_user, hash_any_password


def new_account(emulator: Flask, browser: Browser, email: str) -> None:
    """Create a user with ``PASSWORD``, signed in to this browser as if just signed up."""
    clerk: LocalClerk = emulator.extensions[EXTENSION]
    with clerk.store.transaction():
        user = create_user(clerk, NewUser(email, password_hash=hash_any_password(PASSWORD)))
        client = client_of(clerk, browser.dev_browser)
        assert client is not None
        start_session(clerk, client, user, "email_code", Visitor("Werkzeug", "127.0.0.1"))
