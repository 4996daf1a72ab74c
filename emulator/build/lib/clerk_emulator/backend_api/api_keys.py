"""``/api_keys``: the keys of users and organizations, as the app's server manages them."""

from __future__ import annotations

from flask import Blueprint, request

from ..api_keys import (
    NewApiKey,
    create_api_key,
    find_api_keys,
    revoke_api_key,
    secret_of,
    verify_api_key,
)
from ..clerk import current_clerk
from ..errors import invalid, missing, not_found
from ..resources import ApiKey, Organization, User
from ..serializers import Json
from ..serializers.api_keys import api_key_json
from .parameters import (
    json_body,
    listed,
    metadata,
    optional_text,
    query_flag,
    required_text,
    text_list,
    whole_number,
)

blueprint = Blueprint("api_keys", __name__, url_prefix="/api_keys")


@blueprint.get("")
def list_api_keys() -> Json:
    """A subject's keys, newest first."""
    clerk = current_clerk()
    subject = request.args.get("subject")
    if not subject:
        raise missing("subject")
    keys = find_api_keys(
        clerk,
        subject,
        query=request.args.get("query", ""),
        include_invalid=query_flag("include_invalid") or False,
    )
    return listed(keys, lambda key: api_key_json(clerk, key))


@blueprint.post("")
def post_api_key() -> tuple[Json, int]:
    """Make a key for a user or an organization. Its secret is in the answer."""
    clerk, body = current_clerk(), json_body()
    if (optional_text(body, "type") or "api_key") != "api_key":
        raise invalid("type", "api_key")
    new = NewApiKey(
        name=required_text(body, "name"),
        subject=_known_subject(required_text(body, "subject")),
        description=optional_text(body, "description"),
        scopes=text_list(body, "scopes"),
        claims=metadata(body, "claims") or None,
        created_by=optional_text(body, "created_by"),
        seconds_until_expiration=whole_number(body, "seconds_until_expiration", least=1),
    )
    key, secret = create_api_key(clerk, new)
    return api_key_json(clerk, key, secret), 201


def _known_subject(subject: str) -> str:
    store = current_clerk().store
    if store.get(User, subject) is None and store.get(Organization, subject) is None:
        raise invalid("subject", "the id of a user or an organization")
    return subject


@blueprint.post("/verify")
def verify() -> Json:
    """The key with that secret, unless it is revoked or has expired."""
    clerk = current_clerk()
    secret = required_text(json_body(), "secret")
    return api_key_json(clerk, verify_api_key(clerk, secret))


@blueprint.get("/<id>")
def get_api_key(id: str) -> Json:
    """One key, without its secret."""
    return api_key_json(current_clerk(), _key(id))


@blueprint.patch("/<id>")
def patch_api_key(id: str) -> Json:
    """Change what a key says, or how long it is good for from now on."""
    clerk, key, body = current_clerk(), _key(id), json_body()
    if body.get("subject") is not None:
        key.subject = _known_subject(required_text(body, "subject"))
    if "description" in body:
        key.description = optional_text(body, "description")
    if body.get("scopes") is not None:
        key.scopes = text_list(body, "scopes")
    if "claims" in body:
        key.claims = metadata(body, "claims") or None
    if "seconds_until_expiration" in body:
        seconds = whole_number(body, "seconds_until_expiration", least=1)
        key.expiration = None if seconds is None else clerk.now + seconds * 1000
    key.updated_at = clerk.now
    clerk.store.put(key)
    return api_key_json(clerk, key)


@blueprint.delete("/<id>")
def delete_api_key(id: str) -> Json:
    """Forget a key."""
    current_clerk().store.delete(_key(id))
    return {"object": "api_key", "id": id, "deleted": True}


@blueprint.post("/<id>/revoke")
def revoke(id: str) -> Json:
    """Make a key useless."""
    clerk, key = current_clerk(), _key(id)
    revoke_api_key(clerk, key, optional_text(json_body(), "revocation_reason"))
    return api_key_json(clerk, key)


@blueprint.get("/<id>/secret")
def get_secret(id: str) -> Json:
    """The secret of a key."""
    secret = secret_of(current_clerk(), _key(id))
    if secret is None:
        raise not_found("Secret of the API key")
    return {"secret": secret}


def _key(id: str) -> ApiKey:
    key = current_clerk().store.get(ApiKey, id)
    if key is None:
        raise not_found("API key")
    return key
