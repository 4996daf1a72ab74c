"""What users let OAuth applications do. All secrets are kept as hashes."""

from __future__ import annotations

from dataclasses import dataclass, field

from .base import Resource


@dataclass
class OAuthGrant(Resource):
    """A user's consent, which an application takes up once, with the authorization code."""

    TABLE = "oauth_grants"
    INDEXED = ("client_id", "code_hash")

    client_id: str
    user_id: str
    redirect_uri: str
    code_hash: str = field(repr=False)
    code_expires_at: int
    scopes: list[str] = field(default_factory=list)
    code_challenge: str = ""
    """PKCE, of the method ``S256``; empty: none."""
    nonce: str = ""
    is_used: bool = False
    is_revoked: bool = False


@dataclass
class OAuthRefreshToken(Resource):
    """What an application asks for another access token with. Each can be used once."""

    TABLE = "oauth_refresh_tokens"
    INDEXED = ("grant_id", "secret_hash")

    grant_id: str
    secret_hash: str = field(repr=False)
    is_used: bool = False
