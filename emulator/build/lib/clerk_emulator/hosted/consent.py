"""``/oauth/<provider>``: the page of a social provider, where one says who one is."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug import Response

from ..clerk import base_url, current_clerk
from ..dev_browser import browser_of_cookies
from ..errors import ClerkError, missing, not_found
from ..external_accounts import PREFIX, Identity, identity_of, provider_name
from ..oauth import consent, open_visit
from ..resources import ExternalAccount, Verification
from ..urls import with_query
from ..users import normalize_email
from .csrf import check_form
from .pages import render

blueprint = Blueprint("consent", __name__)

MOST_IDENTITIES = 20
NAME_MAX_LENGTH = 100


@blueprint.get("/oauth/<provider>")
def show(provider: str) -> Response:
    """Which identity shall it be?"""
    return _page(_visit(provider), provider, None)


@blueprint.post("/oauth/<provider>")
def submit(provider: str) -> Response:
    """Go back to Clerk with an authorization code, or with a refusal."""
    check_form()
    visit = _visit(provider)
    if "deny" in request.form:
        return _back(visit, error="access_denied")
    try:
        identity = _chosen(provider)
    except ClerkError as error:
        return _page(visit, provider, error)
    return _back(visit, code=consent(current_clerk(), visit, identity))


def _visit(provider: str) -> Verification:
    visit = open_visit(current_clerk(), browser_of_cookies(), request.args.get("state", ""))
    if visit.strategy != PREFIX + provider:
        raise not_found("Provider")
    return visit


def _chosen(provider: str) -> Identity:
    """One that was used before, else what was typed in."""
    wanted = request.form.get("identity", "")
    for identity in _identities(provider):
        if identity.provider_user_id == wanted:
            return identity
    name = request.form.get("name", "").strip()
    if not name:
        raise missing("name")
    email = normalize_email(request.form.get("email_address", ""))
    verified = "email_verified" in request.form
    return identity_of(provider, email, name[:NAME_MAX_LENGTH], email_verified=verified)


def _identities(provider: str) -> list[Identity]:
    """Everybody who has come from this provider, the latest first."""
    store = current_clerk().store
    found: dict[str, Identity] = {}
    for visit in store.find(Verification, strategy=PREFIX + provider, newest_first=True):
        if visit.identity and visit.status != "failed":
            found.setdefault(visit.identity["provider_user_id"], Identity(**visit.identity))
    accounts = store.find(ExternalAccount, provider=provider, verified=True, newest_first=True)
    for account in accounts:
        identity = Identity(
            provider,
            account.provider_user_id,
            account.email_address,
            first_name=account.first_name,
            last_name=account.last_name,
            username=account.username,
        )
        found.setdefault(account.provider_user_id, identity)
    return list(found.values())[:MOST_IDENTITIES]


def _page(visit: Verification, provider: str, error: ClerkError | None) -> Response:
    form = request.form
    return render(
        "consent.html",
        action=with_query(f"{base_url()}/oauth/{provider}", state=visit.token),
        provider=provider_name(current_clerk().settings, provider),
        identities=_identities(provider),
        name=form.get("name", ""),
        email_address=form.get("email_address", ""),
        error=error,
    )


def _back(visit: Verification, **answer: str) -> Response:
    callback = f"{base_url()}/v1/oauth_callback"
    return redirect(with_query(callback, state=visit.token, **answer), 303)
