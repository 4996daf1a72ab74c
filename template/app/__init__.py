"""The application."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_bootstrap import Bootstrap5
from werkzeug.middleware.proxy_fix import ProxyFix

from app import accounts, dashboard, pages, product, security
from app.clerk import Clerk, ForwardedOrigin
from app.database import init_database
from app.settings import Settings, read_environment, read_settings

bootstrap = Bootstrap5()
csrf = security.FormProtection()


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Make the application.

    :param environ: settings by the names in ``.env.example``; by default the process environment,
        completed by ``.env``.
    :raises SettingsError: a setting is missing or cannot work.
    """
    settings = read_settings(read_environment() if environ is None else environ)
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        SETTINGS=settings,
        SESSION_COOKIE_SECURE=not settings.clerk.is_development,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=1024 * 1024,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxy_hops:
        hops = settings.trusted_proxy_hops
        inner = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0, x_host=0)
        app.wsgi_app = ForwardedOrigin(inner)  # type: ignore[method-assign]
    app.jinja_env.globals["product"] = product

    init_database(app, settings.database_url)
    bootstrap.init_app(app)
    security.init_app(app, settings.clerk)
    Clerk().init_app(app, settings.clerk, page_settings=clerk_page_settings(settings))
    # After Clerk: the decision is made first, and every answer says how it came out.
    csrf.init_app(app)

    accounts.init_app(app)
    # These carry proof of their own: a signature, and Clerk's own checks.
    for name in app.blueprints.keys() & {"webhooks", "clerk_proxy"}:
        csrf.exempt(app.blueprints[name])
    app.register_blueprint(dashboard.blueprint)
    pages.init_app(app)
    return app


def clerk_page_settings(settings: Settings) -> dict[str, str | bool]:
    """Options for ``Clerk.load()`` in the browser."""
    instance = settings.clerk
    satellite: dict[str, str | bool] = {}
    if instance.is_satellite:
        satellite = {"isSatellite": True, "signInUrl": instance.sign_in_url or "/login"}
        satellite |= {"domain": instance.domain} if instance.domain else {}
    return {
        "signInUrl": "/login",
        "signUpUrl": "/signup",
        "signInFallbackRedirectUrl": settings.after_sign_in,
        "signUpFallbackRedirectUrl": settings.after_sign_up,
        "afterSignOutUrl": settings.after_sign_out,
        **satellite,
    }
