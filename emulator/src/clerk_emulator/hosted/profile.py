"""The page of an account, and what its forms share: do it, then show the page again."""

from __future__ import annotations

from flask import redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..urls import with_query
from .confirmation import NEEDED, confirm_first
from .csrf import check_form
from .fields import social_providers
from .frontend import response_of, rows_of
from .pages import link, render, signed_in

DONE = {
    "names": "Your name was saved.",
    "picture": "Your picture was changed.",
    "password": "Your password was changed.",
    "verified": "It is now verified.",
    "primary": "It is now the primary one.",
    "removed": "It was removed.",
    "signed-out": "The other browser was signed out.",
    "switched": "You switched to this account.",
    "confirmed": "Your identity is verified. Please repeat your last action.",
    "second-factor": "Your second factors were changed.",
}
"""What the page says after a form was sent."""


def profile_page(error: ClerkError | None = None) -> Response:
    """Everything about the account of the signed-in user; to the sign-in page without one."""
    current = signed_in()
    if current is None:
        return to_sign_in()
    settings = current_clerk().settings
    return render(
        "user.html",
        user=response_of("/me", "GET"),
        sessions=rows_of("/me/sessions/active"),
        current_id=current[0].id,
        multi_session=settings.sessions.multi_session,
        accounts=response_of("/client", "GET")["sessions"],
        attributes=settings.attributes,
        providers=social_providers(),
        organizations=settings.organizations.enabled,
        ask_current=not settings.sessions.reverification,
        done=None if error else DONE.get(request.args.get("done", "")),
        values=request.form,
        error=error,
    )


def change(path: str, method: str, done: str, **form: str) -> Response:
    """Do it in the Frontend API, and show the account again.

    :param done: key of what the page then says.
    """
    check_form()
    if signed_in() is None:
        return to_sign_in()
    try:
        response_of(path, method, **form)
    except ClerkError as error:
        return refused(error)
    return back_to_profile(done)


def back_to_profile(done: str) -> Response:
    """To the account.

    :param done: key of what the page then says.
    """
    return redirect(with_query(link("/user"), done=done), 303)


def refused(error: ClerkError) -> Response:
    """What went wrong, beside the form; or first to the page that asks who one is."""
    return confirm_first() if error.code == NEEDED else profile_page(error)


def to_sign_in() -> Response:
    """To the sign-in page."""
    return redirect(link("/sign-in"), 303)
