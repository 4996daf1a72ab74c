"""``/organizations/{id}/domains``, and all domains of the instance."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid
from ..organization_domains import (
    create_domain,
    delete_domain,
    organization_domain,
    set_enrollment_mode,
    set_verified,
)
from ..organizations import organization_with, require_enabled
from ..resources import OrganizationDomain
from ..serializers import Json, backend_organization_domain_json
from .parameters import flag, json_body, listed, optional_text, query_flag, required_text

blueprint = Blueprint("backend_organization_domains", __name__)
PATH = "/organizations/<id>/domains"
ORDERS = ("name", "created_at")


@blueprint.get(PATH)
def list_domains(id: str) -> Json:
    """Domains of an organization, newest first."""
    clerk = current_clerk()
    require_enabled(clerk)
    organization = organization_with(clerk, id)
    found = clerk.store.find(OrganizationDomain, organization_id=organization.id, newest_first=True)
    return _listed(found)


@blueprint.post(PATH)
def post_domain(id: str) -> Json:
    """Claim a domain. What the app's server says counts: it needs no code."""
    clerk = current_clerk()
    require_enabled(clerk)
    body = json_body()
    return _answer(
        create_domain(
            clerk,
            organization_with(clerk, id),
            required_text(body, "name"),
            optional_text(body, "enrollment_mode") or "",
            verified=flag(body, "verified", default=True),
        )
    )


@blueprint.patch(f"{PATH}/<domain_id>")
def patch_domain(id: str, domain_id: str) -> Json:
    """Change how its people get in, or whether it counts as proved."""
    clerk = current_clerk()
    domain = _domain(id, domain_id)
    body = json_body()
    if body.get("verified") is not None:
        set_verified(clerk, domain, verified=flag(body, "verified"))
    mode = optional_text(body, "enrollment_mode")
    if mode is not None:
        set_enrollment_mode(clerk, domain, mode)
    return _answer(domain)


@blueprint.post(f"{PATH}/<domain_id>/verify_ownership")
def verify_ownership(id: str, domain_id: str) -> Json:
    """Look for the DNS record that proves it. Offline, there is always one."""
    domain = _domain(id, domain_id)
    set_verified(current_clerk(), domain, verified=True)
    return _answer(domain)


@blueprint.delete(f"{PATH}/<domain_id>")
def remove_domain(id: str, domain_id: str) -> Json:
    """Let go of a domain."""
    return delete_domain(current_clerk(), _domain(id, domain_id))


@blueprint.get("/organization_domains")
def list_all_domains() -> Json:
    """Domains of all organizations, newest first."""
    clerk = current_clerk()
    require_enabled(clerk)
    found = clerk.store.find(OrganizationDomain, newest_first=True)
    organization_id = request.args.get("organization_id")
    names = request.args.getlist("domains")
    query = request.args.get("query", "").strip().lower()
    order = request.args.get("order_by", "-created_at").strip()
    if order.lstrip("+-") not in ORDERS:
        raise invalid("order_by", f"one of {', '.join(ORDERS)}, with + or - before it")
    matching = [
        domain
        for domain in found
        if organization_id in (None, domain.organization_id)
        and (not names or domain.name in names)
        and (query in domain.name or query == domain.organization_id.lower())
    ]
    by_name = order.lstrip("+-") == "name"
    matching.sort(
        key=lambda domain: domain.name if by_name else f"{domain.created_at:020}",
        reverse=order.startswith("-"),
    )
    return _listed(matching)


def _listed(found: list[OrganizationDomain]) -> Json:
    verified = query_flag("verified")
    modes = request.args.getlist("enrollment_mode")
    matching = [
        domain
        for domain in found
        if verified in (None, domain.verified) and (not modes or domain.enrollment_mode in modes)
    ]
    return listed(matching, _answer)


def _domain(id: str, domain_id: str) -> OrganizationDomain:
    clerk = current_clerk()
    require_enabled(clerk)
    return organization_domain(clerk, organization_with(clerk, id).id, domain_id)


def _answer(domain: OrganizationDomain) -> Json:
    return backend_organization_domain_json(current_clerk(), domain)
