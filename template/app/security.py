"""Security headers, and protection of forms against cross-site request forgery (CSRF)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect

from app.clerk import Instance, has_bearer_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing, so they need no protection (RFC 9110, section 9.2.1)."""


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Prevents other sites from submitting forms on behalf of a signed-in user."""

    def protect(self, *args: Any, **kwargs: Any) -> None:
        """Check the CSRF token of a form.

        Requests with an ``Authorization`` header don't need one: their cookies are ignored, and
        browsers never send that header by themselves.
        """
        if request.method not in SAFE_METHODS and not has_bearer_token():
            super().protect(*args, **kwargs)


def init_app(app: Flask, instance: Instance) -> None:
    """Add the security headers to every response.

    :param app: the application.
    :param instance: the Clerk instance, from which pages load scripts and images.
    """
    policy = content_security_policy(instance)

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
