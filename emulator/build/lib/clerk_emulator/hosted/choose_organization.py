"""``/tasks/choose-organization``: everybody works in an organization, so which one?"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..session_tasks import CHOOSE_ORGANIZATION
from .csrf import check_form
from .frontend import response_of, rows_of
from .pages import render, signed_in
from .tasks import current_task, go_home

blueprint = Blueprint("choose_organization", __name__, url_prefix="/tasks/choose-organization")


@blueprint.get("")
def show() -> Response:
    """Where one belongs, is asked to join or may ask to, and the form for a new organization."""
    return _page(None) if current_task() == CHOOSE_ORGANIZATION else go_home()


@blueprint.post("/choose")
def choose() -> Response:
    """Go on in an organization to which one belongs."""
    return _go_on(lambda: request.form.get("organization_id", ""))


@blueprint.post("/join")
def join() -> Response:
    """Accept an invitation."""

    def accept() -> str:
        id = request.form.get("invitation_id", "") or "none"
        invitation = response_of(f"/me/organization_invitations/{id}/accept")
        return str(invitation["public_organization_data"]["id"])

    return _go_on(accept)


@blueprint.post("/ask")
def ask() -> Response:
    """Ask to be let in, which somebody there has to grant."""

    def accept() -> None:
        id = request.form.get("suggestion_id", "") or "none"
        response_of(f"/me/organization_suggestions/{id}/accept")

    return _go_on(accept)


@blueprint.post("/create")
def create() -> Response:
    """Make an organization."""

    def make() -> str:
        form = {name: request.form[name] for name in ("name", "slug") if request.form.get(name)}
        return str(response_of("/organizations", **form)["id"])

    return _go_on(make)


def _go_on(act: Callable[[], str | None]) -> Response:
    """Do it, and make the organization that it tells of the active one."""
    check_form()
    current = signed_in()
    if current is None or current_task() != CHOOSE_ORGANIZATION:
        return go_home()
    try:
        with current_clerk().store.transaction():
            chosen = act()
            if chosen is not None:
                path = f"/client/sessions/{current[0].id}/touch"
                response_of(path, active_organization_id=chosen)
    except ClerkError as error:
        return _page(error)
    return go_home()


def _page(error: ClerkError | None) -> Response:
    current = signed_in()
    settings = current_clerk().settings
    return render(
        "choose_organization.html",
        memberships=rows_of("/me/organization_memberships"),
        invitations=rows_of("/me/organization_invitations?status=pending"),
        suggestions=rows_of("/me/organization_suggestions"),
        may_create=settings.actions.create_organization
        and current is not None
        and current[1].create_organization_enabled,
        slugs=settings.organizations.slugs,
        values=request.form,
        error=error,
    )
