"""Where a browser goes after it has been elsewhere."""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError, missing
from .urls import app_redirect, origin_aliases, origin_of


def return_url(clerk: LocalClerk, wanted: str) -> str:
    """``wanted`` if it is a page of the app, or one of our own.

    :raises ClerkError: ``form_param_nil`` or ``redirect_url_mismatch``.
    """
    if not wanted:
        raise missing("redirect_url")
    if origin_of(wanted) in origin_aliases(clerk.config.own_url):
        return wanted
    target = app_redirect(wanted, clerk.config.app_url)
    if target is None:
        message = f"redirect_url is {wanted[:200]!r}. Expected a page of {clerk.app_origin}."
        raise ClerkError("redirect_url_mismatch", message, 422, "redirect_url")
    return target
