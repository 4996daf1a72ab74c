"""The Clerk instance that this app belongs to."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlencode, urlsplit

API_VERSION = "2026-05-12"
"""The version of Clerk's APIs that this package uses, sent as ``Clerk-API-Version``."""

PROXY_TARGET = "https://frontend-api.clerk.dev"
"""Where a proxy forwards requests. Source: https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi"""

LOCAL_HOST = re.compile(r"local-[a-z0-9]+-1\.clerk\.accounts\.dev\Z")
"""The Frontend API in the keys of a local Clerk. Real instances have other names."""


@dataclass(frozen=True)
class Instance:
    """The settings of a Clerk instance. :func:`~.instance_settings.read_instance` makes it."""

    publishable_key: str
    secret_key: str = field(repr=False)
    host: str
    """The host of the Frontend API, from the publishable key. It also issues the tokens."""
    is_development: bool
    jwt_key: str = field(default="", repr=False)
    """A public key in PEM form; if set, no keys are fetched."""
    api_url: str = "https://api.clerk.com"
    """The base URL of the Backend API."""
    proxy_url: str = ""
    """The URL at which browsers reach the Frontend API, or a path on this app's own origin.

    Empty if browsers reach it at :attr:`host`.
    """
    proxy_target: str = ""
    """The URL to which this app forwards requests below its proxy path; empty if it doesn't."""
    authorized_parties: frozenset[str] = frozenset()
    """Origins accepted in the ``azp`` claim; if empty, the claim is not checked."""
    organization_patterns: tuple[str, ...] = ()
    """Werkzeug rules whose ``<id>`` or ``<slug>`` names the organization to activate."""
    personal_account_patterns: tuple[str, ...] = ()
    """Werkzeug rules for pages that need the personal account, without an organization."""
    allow_missing_azp: bool = False
    """Whether tokens without the ``azp`` claim are accepted in the ``Authorization`` header."""
    clock_skew: float = 5.0
    """Seconds by which Clerk's clock and the local one may differ."""
    machine_token_lifetime: float = 10.0
    """Seconds for which a verified opaque machine token is accepted without asking Clerk again."""
    allow_local_keys: bool = False
    """Whether an app with the keys of a local Clerk may be served outside of development."""
    sends_telemetry: bool = False
    """Whether Clerk.js may report its usage to Clerk; never to a local Clerk."""
    is_satellite: bool = False
    """Whether users sign in on another domain, the primary."""
    domain: str = ""
    """The satellite's own domain."""
    sign_in_url: str = ""
    """The URL of the primary domain's sign-in page, for a satellite."""
    satellite_auto_sync: bool = False
    """Whether a satellite syncs every new browser, instead of only after a sign-in."""
    satellite_origins: frozenset[str] = frozenset()
    """In development, the satellites' origins, to which a primary may send a browser back.

    ``*`` allows every origin.
    """

    @cached_property
    def has_local_keys(self) -> bool:
        """Whether the keys belong to a local Clerk, whether or not one is running."""
        return bool(LOCAL_HOST.match(self.host))

    @cached_property
    def issuer(self) -> str:
        """The ``iss`` claim of this instance's tokens."""
        return f"https://{self.host}"

    @cached_property
    def has_organization_pages(self) -> bool:
        """Whether some addresses need an active organization, or none."""
        return bool(self.organization_patterns or self.personal_account_patterns)

    @cached_property
    def cookie_suffix(self) -> str:
        """The suffix of this instance's cookies, so that several instances can share a domain."""
        digest = hashlib.sha1(self.publishable_key.encode(), usedforsecurity=False).digest()
        return base64.urlsafe_b64encode(digest).decode()[:8]

    @property
    def is_local(self) -> bool:
        """Whether this is the local Clerk, which lets anyone sign in as any user."""
        return self.proxy_target not in ("", PROXY_TARGET)

    def frontend_api_url(self, app_url: str) -> str:
        """The base URL at which browsers reach the Frontend API, without a trailing slash.

        :param app_url: the app's public URL without a slash at the end, such as
            ``https://app.example.com`` or ``https://example.com/app``.
        """
        if not self.proxy_url:
            on_satellite = self.is_satellite and not self.is_development
            return f"https://clerk.{self.domain}" if on_satellite else self.issuer
        return app_url + self.proxy_url if self.proxy_url.startswith("/") else self.proxy_url

    def hosted_page_url(self, page: str, app_url: str, redirect_path: str = "") -> str:
        """The URL of a page in Clerk's Account Portal, for browsers that can't run Clerk.js.

        Source: https://clerk.com/docs/guides/account-portal/overview

        :param page: ``sign-in``, ``sign-up`` or ``user``.
        :param app_url: as in :meth:`frontend_api_url`.
        :param redirect_path: the path on the app's origin to return to afterwards.
        """
        if self.is_local:
            base = self.frontend_api_url(app_url)
        elif self.is_development:
            base = f"https://{self.host.replace('.clerk.accounts.', '.accounts.', 1)}"
        else:
            base = f"https://accounts.{self.host.removeprefix('clerk.')}"
        if not redirect_path:
            return f"{base}/{page}"
        origin = urlsplit(app_url)._replace(path="").geturl()
        return f"{base}/{page}?{urlencode({'redirect_url': origin + redirect_path})}"
