"""Security headers, and protection of forms against cross-site request forgery (CSRF)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, NoReturn, cast
from urllib.parse import urljoin, urlsplit

from flask import Flask, Response, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import CSRFError, csrf_meta_tag, generate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer

from app import request_limits
from app.clerk import Instance, has_bearer_token, public_origin, session_user_id, wants_page

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing, so they need no protection (RFC 9110, section 9.2.1)."""

SENT_BY_ANOTHER_SITE = "a page of another site sent this form"
OPENED_BY_ANOTHER = "this form was opened by another user, or before you signed in"
NOT_PROVEN = "the page is out of date or cookies are blocked. Open it again and resend the form"
CAN_BE_SENT_AGAIN = "this page was out of date. What you entered is kept: send it again"


class StaleForm(CSRFError):  # type: ignore[misc]
    """A form that was not accepted.

    :param why: what happened, for the page.
    :param fields: what the same user entered; empty if another user may have entered it.
    """

    name = "This form couldn't be accepted"

    def __init__(self, why: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"Nothing was saved, because {why}.")
        self.fields = fields


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Prevents other sites, and other users of the same browser, from submitting a user's form.

    Each CSRF token contains the ID of the user for whom the page was made.
    """

    def init_app(self, app: Flask) -> None:
        """Register on an application, and make tokens personal, in templates and in FlaskForm."""
        super().init_app(app)
        app.config["WTF_CSRF_SSL_STRICT"] = False  # protect() checks more than the Referer
        tags = {"csrf_token": personal_csrf_token, "csrf_meta_tag": personal_csrf_meta_tag}
        app.jinja_env.globals.update(tags)
        app.context_processor(lambda: tags)
        FlaskForm.Meta.csrf_class = _PersonalCSRF

    def protect(self, *args: Any, **kwargs: Any) -> None:
        """Check the CSRF token of a form, or of a script's request with cookies.

        Requests with a token in the ``Authorization`` header don't need one: their cookies are
        ignored, and browsers never send such a header by themselves.

        :raises StaleForm: the token is missing, invalid, or another user's, or the request comes
            from another site.
        """
        if request.method in SAFE_METHODS or has_bearer_token():
            return
        g.csrf_valid = False
        super().protect(*args, **kwargs)
        if not g.csrf_valid:
            return  # the view is exempt, and may read the body itself
        # If the session has expired since, there is no other user; the view's rule decides then.
        is_other_user = session_user_id() not in ("", None, self._opened_by())
        if is_other_user or _is_from_another_site():
            g.csrf_valid = False
            self._error_response("another user")

    def _get_csrf_token(self) -> str | None:
        """The token that was sent; None, without parsing the form, if none could be valid."""
        is_stranger = "csrf_token" not in session and not session_user_id()
        return None if is_stranger else cast("str | None", super()._get_csrf_token())

    def _opened_by(self) -> str | None:
        """The ID of the user whom the form was made for; None if no CSRF token proves it."""
        key = current_app.config.get("WTF_CSRF_SECRET_KEY") or current_app.secret_key or ""
        serializer = URLSafeTimedSerializer(key, salt="wtf-csrf-token")  # as Flask-WTF makes it
        try:
            return str(serializer.loads(self._get_csrf_token() or "")).partition(":")[2]
        except BadData:
            return None

    def _error_response(self, reason: str) -> NoReturn:
        if _is_from_another_site():
            raise StaleForm(SENT_BY_ANOTHER_SITE)
        user_id, opened_by = session_user_id(), self._opened_by()
        if user_id and opened_by not in (user_id, None):
            raise StaleForm(OPENED_BY_ANOTHER)
        is_proven = user_id and opened_by == user_id
        # Only then the form is parsed.
        if not (is_proven and request.method == "POST" and wants_page() and not request.files):
            raise StaleForm(NOT_PROVEN)  # Flask-WTF has logged the reason
        fields = request.form.items(multi=True)
        raise StaleForm(CAN_BE_SENT_AGAIN, [field for field in fields if field[0] != "csrf_token"])


def _is_from_another_site() -> bool:
    """Whether a page of another site sent the request; over HTTPS, also if that is unknown.

    Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    """
    relation = request.headers.get("Sec-Fetch-Site", "none")
    if relation != "none":  # "none": the user started the request
        return relation != "same-origin"
    source = request.headers.get("Origin") or request.referrer
    return not f"{source}/".startswith(f"{public_origin()}/") if source else request.is_secure


def personal_csrf_token() -> str:
    """The CSRF token for the forms of this page and user."""
    user_id = session_user_id()
    # The token is the signed value in the session, whose second part is the user's ID.
    owner = str(session.get("csrf_token", "")).partition(":")[2]
    if "csrf_token" not in g and user_id not in (None, owner):
        session["csrf_token"] = f"{secrets.token_hex(20)}:{user_id}"
    return cast(str, generate_csrf())


def personal_csrf_meta_tag(name: str | None = None) -> str:
    """The same token as a ``<meta>`` tag, for scripts that send it as ``X-CSRFToken``."""
    personal_csrf_token()  # the tag contains the token that this has made
    return cast(str, csrf_meta_tag(name))


class _PersonalCSRF(FlaskForm.Meta.csrf_class):  # type: ignore[misc]
    def generate_csrf_token(self, csrf_token_field: object) -> str:
        return personal_csrf_token()


class MountedSession(SecureCookieSessionInterface):
    """Keeps the session cookie below the path at which the app is mounted."""

    def get_cookie_path(self, app: Flask) -> str:
        """The cookie's path: the one that the server or ``APP_URL`` names."""
        return request.root_path or "/"


def init_app(app: Flask, instance: Instance) -> None:
    """Add the security headers to every response, and limit requests and the cookie's path.

    :param app: the application.
    :param instance: the Clerk instance, from which pages load scripts and images.
    """
    policy = content_security_policy(instance)
    app.session_interface = MountedSession()
    request_limits.init_app(app)

    @app.after_request
    def add_headers(response: Response) -> Response:
        if request.blueprint != "clerk_proxy":  # Clerk's responses have their own policy
            response.headers.setdefault("Content-Security-Policy", policy)
            response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response


def content_security_policy(instance: Instance) -> str:
    """The Content-Security-Policy of pages: allow the app's own files, and what Clerk.js needs.

    Source: https://clerk.com/docs/guides/secure/best-practices/csp-headers
    """
    clerk = _source(instance.frontend_api_url(""))
    # The local Clerk redirects to this host if it has no copy of Clerk.js.
    cdn = "https://cdn.jsdelivr.net" if instance.is_local else ""
    telemetry = "https://clerk-telemetry.com" if instance.sends_telemetry else ""
    # Browsers also check where a submitted form redirects to: after a sign-out, that is Clerk.
    portal = _source(instance.hosted_page_url("", ""))
    primary = _source(urljoin(instance.sign_in_url, "/"))
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' https://challenges.cloudflare.com {clerk} {cdn}",
        "connect-src": f"'self' {clerk} {cdn} {telemetry}",
        "img-src": f"'self' data: blob: https://img.clerk.com {clerk}",
        "style-src": "'self' 'unsafe-inline'",
        "worker-src": "'self' blob:",
        "frame-src": "'self' https://challenges.cloudflare.com",
        "form-action": f"'self' {clerk} {portal} {primary}",
        "frame-ancestors": "'self'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {' '.join(sources.split())}" for name, sources in rules.items())


def _source(url: str) -> str:
    """The source that allows everything below a URL; empty for a path of this app.

    With a path, only a slash at its end makes browsers allow what is below it.
    Source: https://www.w3.org/TR/CSP3/#match-paths
    """
    parts = urlsplit(url)
    if not parts.netloc:
        return ""
    path = f"{parts.path.rstrip('/')}/" if parts.path.strip("/") else ""
    return f"{parts.scheme}://{parts.netloc}{path}"
