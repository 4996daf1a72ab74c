"""``/organizations``: the app's server reads and manages organizations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import ClerkError, invalid
from ..frontend_api.uploads import uploaded_picture
from ..metadata import merge
from ..organization_changes import (
    NewOrganization,
    check_slug,
    create_organization,
    delete_organization,
    save_organization,
    set_logo,
)
from ..organizations import organization_with, require_enabled
from ..resources import Organization, OrganizationMembership, User
from ..serializers import Json, backend_organization_json, backend_organizations_json
from ..users import check_required_name
from .parameters import (
    flag,
    json_body,
    metadata,
    one_page,
    optional_text,
    query_flag,
    required_text,
    time_of,
    whole_number,
)

blueprint = Blueprint("backend_organizations", __name__, url_prefix="/organizations")
blueprint.before_request(lambda: require_enabled(current_clerk()))

METADATA = ("public_metadata", "private_metadata")
SORT_KEYS: dict[str, Callable[[Organization, dict[str, int]], Any]] = {
    "name": lambda organization, counts: organization.name.lower(),
    "created_at": lambda organization, counts: organization.created_at,
    "members_count": lambda organization, counts: counts.get(organization.id, 0),
}


@blueprint.get("")
def list_organizations() -> Json:
    """Organizations, newest first; ``query``, ``user_id`` and ``organization_id`` narrow down."""
    clerk = current_clerk()
    found = [o for o in clerk.store.find(Organization, newest_first=True) if _matches(o)]
    found = _only(found, "organization_id", lambda ids: set(ids))
    found = _only(found, "user_id", _organizations_of)
    order = request.args.get("order_by", "-created_at").strip()
    key = SORT_KEYS.get(order.lstrip("+-"))
    if key is None:
        raise invalid("order_by", f"one of {', '.join(SORT_KEYS)}, with + or - before it")
    counts = clerk.store.count_by(OrganizationMembership, "organization_id")
    found.sort(key=lambda organization: key(organization, counts), reverse=order[:1] == "-")
    data = backend_organizations_json(clerk, one_page(found), members_count=_with_count())
    return {"data": data, "total_count": len(found)}


@blueprint.post("")
def post_organization() -> Json:
    """Make an organization. ``created_by`` gets the instance's creator role in it."""
    clerk = current_clerk()
    body = json_body()
    creator_id = optional_text(body, "created_by")
    creator = clerk.store.get(User, creator_id)
    if creator_id and creator is None:
        message = f"No users found with id {creator_id}."
        raise ClerkError("organization_creator_not_found", message, 400)
    new = NewOrganization(
        required_text(body, "name"),
        optional_text(body, "slug"),
        whole_number(body, "max_allowed_memberships"),
        metadata(body, "public_metadata"),
        metadata(body, "private_metadata"),
        time_of(body, "created_at"),
    )
    return _answer(create_organization(clerk, new, creator))


@blueprint.get("/<id>")
def get_organization(id: str) -> Json:
    """One organization, by id or slug."""
    organization = organization_with(current_clerk(), id)
    return backend_organization_json(current_clerk(), organization, members_count=_with_count())


@blueprint.patch("/<id>")
def patch_organization(id: str) -> Json:
    """Change an organization. Metadata given here replaces what there was."""
    clerk = current_clerk()
    organization = _organization(id)
    body = json_body()
    if body.get("name") is not None:
        organization.name = check_required_name(required_text(body, "name"))
    if body.get("slug") is not None:
        organization.slug = check_slug(clerk, required_text(body, "slug"), organization)
    limit = whole_number(body, "max_allowed_memberships")
    organization.max_allowed_memberships = (
        organization.max_allowed_memberships if limit is None else limit
    )
    organization.admin_delete_enabled = flag(
        body, "admin_delete_enabled", organization.admin_delete_enabled
    )
    organization.created_at = time_of(body, "created_at") or organization.created_at
    _replace_metadata(organization, body)
    save_organization(clerk, organization)
    return _answer(organization)


@blueprint.patch("/<id>/metadata")
def merge_metadata(id: str) -> Json:
    """Merge metadata into what there is; null removes a key."""
    organization = _organization(id)
    body = json_body()
    for name in METADATA:
        setattr(organization, name, merge(getattr(organization, name), metadata(body, name)))
    save_organization(current_clerk(), organization)
    return _answer(organization)


@blueprint.put("/<id>/metadata")
def put_metadata(id: str) -> Json:
    """Replace metadata; a field that is not named stays as it is."""
    organization = _organization(id)
    _replace_metadata(organization, json_body())
    save_organization(current_clerk(), organization)
    return _answer(organization)


@blueprint.delete("/<id>")
def remove_organization(id: str) -> Json:
    """Delete an organization with all that belongs to it."""
    return delete_organization(current_clerk(), _organization(id))


@blueprint.put("/<id>/logo")
def put_logo(id: str) -> Json:
    """Show another picture, sent as the multipart field ``file``."""
    organization = _organization(id)
    set_logo(current_clerk(), organization, uploaded_picture().id)
    shown = _answer(organization)
    return shown | {"logo_url": shown["image_url"]}


@blueprint.delete("/<id>/logo")
def delete_logo(id: str) -> Json:
    """Show the drawn picture again."""
    organization = _organization(id)
    set_logo(current_clerk(), organization, None)
    return _answer(organization)


def _organization(id: str) -> Organization:
    return organization_with(current_clerk(), id)


def _with_count() -> bool:
    return bool(query_flag("include_members_count"))


def _matches(organization: Organization) -> bool:
    query = request.args.get("query", "").strip()
    in_text = query.lower() in f"{organization.name}\n{organization.slug}".lower()
    return in_text or query == organization.id


def _only(
    found: list[Organization], name: str, ids_of: Callable[[list[str]], set[str]]
) -> list[Organization]:
    """Filter by a repeatable parameter, whose values may begin with + (only) or - (without)."""
    values = [value.strip() for value in request.args.getlist(name)]
    without = ids_of([value[1:] for value in values if value.startswith("-")])
    wanted = [value.lstrip("+") for value in values if not value.startswith("-")]
    only = ids_of(wanted)
    return [o for o in found if o.id not in without and (o.id in only or not wanted)]


def _organizations_of(user_ids: list[str]) -> set[str]:
    found = current_clerk().store.find(OrganizationMembership, user_id=tuple(user_ids))
    return {membership.organization_id for membership in found}


def _replace_metadata(organization: Organization, body: dict[str, Any]) -> None:
    for name in METADATA:
        if name in body:
            setattr(organization, name, metadata(body, name))


def _answer(organization: Organization) -> Json:
    return backend_organization_json(current_clerk(), organization)
