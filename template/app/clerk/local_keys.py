"""Serve an app with the keys of a local Clerk to its developer only."""

from __future__ import annotations

from flask import Flask, Response

from .instance import Instance
from .instance_settings import DASHBOARD_KEYS

REFUSAL = (
    "This app has the keys of the local Clerk, with which anyone can sign in as any user. Start "
    f"it with 'flask dev', or set the keys of a real Clerk instance from {DASHBOARD_KEYS}. For a "
    "demo on a network that you trust, set CLERK_ALLOW_LOCAL_KEYS=true."
)
WARNING = (
    "CLERK_ALLOW_LOCAL_KEYS is true and the keys belong to the local Clerk: everyone who can reach "
    "this app can sign in as any user."
)


def guard_local_keys(app: Flask, instance: Instance) -> None:
    """Answer every request with 503 if the keys are local, except in debug mode and in tests.

    Commands such as ``flask db upgrade`` are not affected, because they serve nothing. Call this
    before other functions that handle requests are registered.

    :param app: the application. Its modes ``debug`` and ``testing`` count at the time of a request.
    :param instance: the Clerk instance; real ones are not restricted.
    """
    if not instance.has_local_keys:
        return
    if instance.allow_local_keys:
        app.logger.warning(WARNING)
        return
    logged = False

    @app.before_request
    def refuse() -> Response | None:
        nonlocal logged
        if app.debug or app.testing:
            return None
        if not logged:
            app.logger.error(REFUSAL)
            logged = True
        return Response(f"{REFUSAL}\n", 503, mimetype="text/plain")
