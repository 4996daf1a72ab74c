"""Response headers that keep browsers on the safe side."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from flask_wtf import CSRFProtect

from app.clerk import Instance, has_bearer_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, 9.2.1), so that nothing is to be protected."""


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Keeps other sites from sending our forms in a signed-in person's name."""

    def protect(self, *args: Any, **kwargs: Any) -> None:
        """Check the token of a form.

        Not of requests with a token in their ``Authorization`` header: browsers send none of their
        own accord, and where there is one the cookies do not count.
        """
        if request.method not in SAFE_METHODS and not has_bearer_token():
            super().protect(*args, **kwargs)


def init_app(app: Flask, instance: Instance) -> None:
    """Send the headers with every page of ours.

    :param instance: the Clerk instance, whose scripts and pictures pages may load.
    """
    policy = content_security_policy(instance)

    @app.after_request
    def add_headers(response: Response) -> Response:
        if request.blueprint != "clerk_proxy":  # what Clerk sends has its own
            response.headers.setdefault("Content-Security-Policy", policy)
            response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response


def content_security_policy(instance: Instance) -> str:
    """What pages may load: our own files, and what Clerk.js needs.

    Source: https://clerk.com/docs/guides/secure/best-practices/csp-headers
    """
    clerk = instance.frontend_api_url("")  # empty or a path when proxied on our own origin
    clerk = clerk if clerk.startswith("http") else ""
    # The local Clerk hands out Clerk.js from there when it has no copy of its own.
    cdn = "https://cdn.jsdelivr.net" if instance.proxy_target else ""
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' https://challenges.cloudflare.com {clerk} {cdn}",
        "connect-src": f"'self' {clerk} {cdn}",
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
