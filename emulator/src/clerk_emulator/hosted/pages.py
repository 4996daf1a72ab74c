"""What all hosted pages share: the browser, links, the way back, and the headers."""

from __future__ import annotations

from flask import after_this_request, g, redirect, render_template, request
from werkzeug import Response

from ..clerk import base_url, current_clerk
from ..dev_browser import PARAMETER, cookie_names, known_browser
from ..resources import Client, Session, User
from ..sessions import active_session, new_client
from ..urls import app_redirect, with_query
from .csrf import csrf_token

COOKIE_SECONDS = 365 * 24 * 3600


def browser() -> Client:
    """The browser that looks at the page; one without a token gets one."""
    if "browser" not in g:
        g.browser = known_browser() or new_client(current_clerk())
        _remember(g.browser)
    client: Client = g.browser
    return client


def _remember(client: Client) -> None:
    """Let the browser keep its token. Not HttpOnly: Clerk.js reads and writes the same cookie."""
    outdated = [name for name in cookie_names() if request.cookies.get(name) != client.dev_browser]

    @after_this_request
    def set_cookies(response: Response) -> Response:
        for name in outdated:
            response.set_cookie(name, client.dev_browser, COOKIE_SECONDS, samesite="Lax")
        return response


def signed_in() -> tuple[Session, User] | None:
    """The browser's session and user, if it has them."""
    clerk = current_clerk()
    session = active_session(clerk, browser())
    user = clerk.store.get(User, session.user_id) if session else None
    return (session, user) if session and user else None


def may_sign_in() -> bool:
    """Whether the browser may start another session."""
    return current_clerk().settings.sessions.multi_session or signed_in() is None


def link(path: str) -> str:
    """A hosted page as the browser reaches it, with the way back preserved."""
    url = f"{base_url()}{path}"
    wanted = request.args.get("redirect_url", "")
    return with_query(url, redirect_url=wanted) if _allowed(wanted) else url


def leave(default: str = "/") -> Response:
    """Back to the app: to ``redirect_url`` if that is one of its pages, else to ``default``.

    The browser's token goes along, as from Clerk's own pages in development: the app is on
    another site than Clerk, and could not tell otherwise which browser came back.
    """
    target = _allowed(request.args.get("redirect_url", ""))
    target = target or current_clerk().app_page(default)
    return redirect(with_query(target, **{PARAMETER: browser().dev_browser}), 303)


def _allowed(target: str) -> str | None:
    """A page of the app, or ours on which an application waits for the user."""
    if target.startswith(f"{base_url()}/oauth/authorize?"):
        return target
    return app_redirect(target, current_clerk().config.app_url)


def render(template: str, **context: object) -> Response:
    """A page with headers that let it do nothing but show itself and send its own forms."""
    clerk = current_clerk()
    html = render_template(
        template,
        app_name=clerk.settings.application.name or clerk.config.name,
        base=base_url(),
        csrf_token=csrf_token(browser()),
        link=link,
        **context,
    )
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        f"form-action 'self' {clerk.app_origin}; base-uri 'none'; frame-ancestors 'none'"
    )
    # With "no-referrer" browsers would send "Origin: null" along with our own forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
