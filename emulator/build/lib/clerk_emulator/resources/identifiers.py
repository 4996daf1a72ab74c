"""What an instance's owner lists: who may sign up, where browsers may go, other domains."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Resource


@dataclass
class RedirectUrl(Resource):
    """Where a native application may be sent back to."""

    TABLE = "redirect_urls"
    INDEXED = ("url",)

    url: str


@dataclass
class ListedIdentifier(Resource):
    """An address, domain (``*@example.com``) or number on the allowlist or the blocklist."""

    TABLE = "listed_identifiers"
    INDEXED = ("list", "identifier")

    list: str
    """``allowlist`` or ``blocklist``."""
    identifier: str
    identifier_type: str = "email_address"
    invitation_id: str | None = None


@dataclass
class Domain(Resource):
    """A satellite domain of the instance."""

    TABLE = "domains"
    INDEXED = ("name",)

    name: str
    proxy_url: str | None = None
