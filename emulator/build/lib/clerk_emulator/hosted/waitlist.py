"""``/waitlist``: for instances that let people in one by one."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from .csrf import check_form
from .frontend import call
from .pages import link, render

blueprint = Blueprint("waitlist", __name__, url_prefix="/waitlist")


@blueprint.get("")
def show() -> Response:
    """The form."""
    if current_clerk().settings.sign_up.mode != "waitlist":
        return redirect(link("/sign-up"), 303)
    return render("waitlist.html", joined=False, email_address="", error=None)


@blueprint.post("")
def submit() -> Response:
    """Join."""
    check_form()
    email = request.form.get("email_address", "")
    try:
        call("/waitlist", email_address=email)
    except ClerkError as error:
        return render("waitlist.html", joined=False, email_address=email, error=error)
    return render("waitlist.html", joined=True, email_address=email, error=None)
