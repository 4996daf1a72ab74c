"""Settings are read once, and a wrong one is refused with a message that says how to fix it."""

from __future__ import annotations

import pytest

from app import create_app
from app.settings import SettingsError

LOCAL = "pk_test_bG9jYWwtYWNtZS0xLmNsZXJrLmFjY291bnRzLmRldiQ="
"""A publishable key of a local Clerk."""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"CLERK_PUBLISHABLE_KEY": "pk_test_x"}, "CLERK_PUBLISHABLE_KEY"),
        ({"CLERK_SECRET_KEY": "sk_live_x"}, "CLERK_SECRET_KEY"),
        ({"CLERK_SECRET_KEY": "sk_test_local"}, "still the local Clerk's"),
        ({"SECRET_KEY": "change-me, please, at once"}, "SECRET_KEY is an example"),
        ({"CLERK_WEBHOOK_SIGNING_SECRET": "x"}, "CLERK_WEBHOOK_SIGNING_SECRET"),
        ({"CLERK_AFTER_SIGN_IN_PATH": "https://evil.example"}, "CLERK_AFTER_SIGN_IN_PATH"),
        ({"CLERK_AFTER_DELETE_PATH": "//evil.example"}, "CLERK_AFTER_DELETE_PATH"),
        ({"CLERK_JWT_KEY": "nonsense"}, "CLERK_JWT_KEY"),
        ({"CLERK_IS_SATELLITE": "perhaps"}, "CLERK_IS_SATELLITE"),
        ({"TRUSTED_PROXY_HOPS": "many"}, "TRUSTED_PROXY_HOPS"),
        ({"TRUSTED_PROXY_HOPS": "-1"}, "TRUSTED_PROXY_HOPS"),
        ({"CLERK_DELETIONS": "gentle"}, "CLERK_DELETIONS"),
        ({"DATABASE_URL": "mysql://me:hunter2@db/x"}, "DATABASE_URL can't be used"),
        (
            {"CLERK_PUBLISHABLE_KEY": LOCAL, "CLERK_EMULATOR_URL": "http://10.0.0.1:5001"},
            "CLERK_EMULATOR_URL",
        ),
    ],
)
def test_a_wrong_setting_is_refused(
    environ: dict[str, str], changes: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        create_app(environ | changes)
