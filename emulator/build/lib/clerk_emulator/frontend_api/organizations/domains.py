"""``/organizations/{id}/domains``: e-mail domains, proved by a code to an address in them."""

from __future__ import annotations

from flask import Blueprint, request

from ...clerk import current_clerk
from ...organization_domains import (
    attempt_verification,
    create_domain,
    delete_domain,
    organization_domain,
    prepare_verification,
    set_enrollment_mode,
)
from ...resources import OrganizationDomain
from ...serializers import Json, organization_domain_json
from ...store import Value
from ..browser import answer
from .access import MANAGE_DOMAINS, READ_DOMAINS, choices, member_of, page

blueprint = Blueprint("organization_domains", __name__, url_prefix="/<id>/domains")


@blueprint.get("")
def list_domains(id: str) -> Json:
    """Domains, newest first; ``enrollment_mode`` narrows them down.

    Clerk.js asks even where the instance has no domains.
    """
    member_of(id, *READ_DOMAINS)
    clerk = current_clerk()
    equal: dict[str, Value] = {"organization_id": id}
    equal |= {"enrollment_mode": modes} if (modes := choices("enrollment_mode")) else {}
    limit, offset = page()
    found = clerk.store.find(
        OrganizationDomain, newest_first=True, limit=limit, offset=offset, **equal
    )
    return answer(
        {
            "data": [organization_domain_json(clerk, domain) for domain in found],
            "total_count": clerk.store.count(OrganizationDomain, **equal),
        }
    )


@blueprint.post("")
def post_domain(id: str) -> Json:
    """Claim a domain."""
    caller = member_of(id, MANAGE_DOMAINS)
    name, mode = request.form.get("name", ""), request.form.get("enrollment_mode", "")
    return _answer(
        create_domain(current_clerk(), caller.organization, name, mode, creator=caller.user)
    )


@blueprint.get("/<domain_id>")
def get_domain(id: str, domain_id: str) -> Json:
    """One domain."""
    member_of(id, *READ_DOMAINS)
    return _answer(organization_domain(current_clerk(), id, domain_id))


@blueprint.delete("/<domain_id>")
def remove_domain(id: str, domain_id: str) -> Json:
    """Let go of it."""
    return answer(delete_domain(current_clerk(), _managed(id, domain_id)))


@blueprint.post("/<domain_id>/prepare_affiliation_verification")
def post_preparation(id: str, domain_id: str) -> Json:
    """Send the code to an address in the domain."""
    domain = _managed(id, domain_id)
    address = request.form.get("affiliation_email_address", "")
    prepare_verification(current_clerk(), domain, address)
    return _answer(domain)


@blueprint.post("/<domain_id>/attempt_affiliation_verification")
def post_attempt(id: str, domain_id: str) -> Json:
    """Hand in the code."""
    domain = _managed(id, domain_id)
    attempt_verification(current_clerk(), domain, request.form.get("code", ""))
    return _answer(domain)


@blueprint.post("/<domain_id>/update_enrollment_mode")
def post_enrollment_mode(id: str, domain_id: str) -> Json:
    """Say how people with an address in it get in."""
    domain = _managed(id, domain_id)
    set_enrollment_mode(
        current_clerk(),
        domain,
        request.form.get("enrollment_mode", ""),
        delete_pending=request.form.get("delete_pending") == "true",
    )
    return _answer(domain)


def _managed(organization_id: str, domain_id: str) -> OrganizationDomain:
    member_of(organization_id, MANAGE_DOMAINS)
    return organization_domain(current_clerk(), organization_id, domain_id)


def _answer(domain: OrganizationDomain) -> Json:
    return answer(organization_domain_json(current_clerk(), domain))
