"""Security headers, and protection of forms against cross-site request forgery (CSRF)."""

from __future__ import annotations

from typing import Any

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
    clerk = instance.frontend_api_url("")  # a path if the app proxies Clerk on its own origin
    clerk = clerk if clerk.startswith("http") else ""
    # The local Clerk serves Clerk.js from this host if it has no copy of its own.
    cdn = "https://cdn.jsdelivr.net" if instance.proxy_target else ""
    telemetry = "https://clerk-telemetry.com" if instance.sends_telemetry else ""
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' https://challenges.cloudflare.com {clerk} {cdn}",
        "connect-src": f"'self' {clerk} {cdn} {telemetry}",
        "img-src": f"'self' data: blob: https://img.clerk.com {clerk}",
        "style-src": "'self' 'unsafe-inline'",
        "worker-src": "'self' blob:",
        "frame-src": "'self' https://challenges.cloudflare.com",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {' '.join(sources.split())}" for name, sources in rules.items())
