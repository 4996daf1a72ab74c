"""Machines and OAuth applications, and their tokens."""

from __future__ import annotations

from .. import machine_tokens, oauth_applications
from ..clerk import LocalClerk
from ..resources import M2MToken, Machine, OAuthAccessToken, OAuthApplication
from .json import Json


def machine_json(clerk: LocalClerk, machine: Machine, *, with_key: bool = False) -> Json:
    """A machine and the machines that it may talk to.

    :param with_key: whether to show its secret key, as when it was just made.
    """
    scoped = (clerk.store.get(Machine, id) for id in machine.scopes)
    key = {"secret_key": machine.secret_key} if with_key else {}
    others = [_bare_machine_json(clerk, other) for other in scoped if other is not None]
    return _bare_machine_json(clerk, machine) | {"scoped_machines": others} | key


def _bare_machine_json(clerk: LocalClerk, machine: Machine) -> Json:
    return {
        "object": "machine",
        "id": machine.id,
        "name": machine.name,
        "instance_id": clerk.config.instance_id,
        "default_token_ttl": machine.default_token_ttl,
        "created_at": machine.created_at,
        "updated_at": machine.updated_at,
    }


def m2m_token_json(clerk: LocalClerk, token: M2MToken, secret: str | None = None) -> Json:
    """A machine-to-machine token.

    :param secret: given only to whom just made it.
    """
    shown = {"token": secret} if secret is not None else {}
    return {
        "object": "machine_to_machine_token",
        "id": token.id,
        "subject": token.subject,
        "scopes": token.scopes,
        "claims": token.claims,
        "revoked": token.revoked,
        "revocation_reason": token.revocation_reason,
        "expired": machine_tokens.has_expired(clerk, token),
        "expiration": token.expiration,
        "last_used_at": token.last_used_at,
        "created_at": token.created_at,
        "updated_at": token.updated_at,
    } | shown


def oauth_application_json(
    clerk: LocalClerk, application: OAuthApplication, secret: str | None = None
) -> Json:
    """An OAuth application.

    :param secret: given only to whom just made it.
    """
    issuer = clerk.config.own_url
    shown = {"client_secret": secret} if secret is not None else {}
    return {
        "object": "oauth_application",
        "id": application.id,
        "instance_id": clerk.config.instance_id,
        "name": application.name,
        "client_id": application.client_id,
        "client_uri": None,
        "client_image_url": None,
        "dynamically_registered": False,
        "consent_screen_enabled": application.consent_screen_enabled,
        "pkce_required": application.public or application.pkce_required,
        "public": application.public,
        "scopes": application.scopes,
        "redirect_uris": application.redirect_uris,
        "callback_url": next(iter(application.redirect_uris), ""),
        "authorize_url": f"{issuer}/oauth/authorize",
        "token_fetch_url": f"{issuer}/oauth/token",
        "user_info_url": f"{issuer}/oauth/userinfo",
        "discovery_url": f"{issuer}/.well-known/openid-configuration",
        "token_introspection_url": f"{issuer}/oauth/token_info",
        "created_at": application.created_at,
        "updated_at": application.updated_at,
    } | shown


def oauth_access_token_json(clerk: LocalClerk, token: OAuthAccessToken) -> Json:
    """What an OAuth application got."""
    return {
        "object": "clerk_idp_oauth_access_token",
        "id": token.id,
        "client_id": token.client_id,
        "subject": token.subject,
        "type": "oauth_token",
        "name": "",
        "scopes": token.scopes,
        "revoked": token.revoked,
        "revocation_reason": None,
        "expired": oauth_applications.has_expired(clerk, token),
        "expiration": token.expiration,
        "created_at": token.created_at,
        "updated_at": token.updated_at,
    }
