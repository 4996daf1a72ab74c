"""E-mail domains of organizations: proving them, and whom they let in how."""

from __future__ import annotations

import re
import secrets

from .clerk import LocalClerk
from .errors import ClerkError, invalid, not_found
from .events import record_event
from .memberships import require_room
from .organization_invitations import DAY_MS, DEFAULT_EXPIRES_IN_DAYS, tell_invitation
from .resources import (
    EmailAddress,
    MembershipRequest,
    Organization,
    OrganizationDomain,
    OrganizationInvitation,
    OrganizationMembership,
    User,
    new_id,
)
from .serializers import organization_domain_json
from .users import normalize_email
from .verifications import check_code, send_code

DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
# fmt: off
COMMON = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com",
    "yahoo.com", "ymail.com", "aol.com", "icloud.com", "me.com", "mac.com", "proton.me",
    "protonmail.com", "gmx.com", "gmx.de", "web.de", "mail.com", "zoho.com", "yandex.com",
    "qq.com", "163.com", "126.com",
))
# fmt: on
"""Where everybody can have an address."""
INVITATION, SUGGESTION = "automatic_invitation", "automatic_suggestion"


def require_domains(clerk: LocalClerk) -> None:
    """Refuse everything about domains while they are switched off.

    :raises ClerkError: 403 ``feature_not_enabled``.
    """
    if not clerk.settings.organizations.domains:
        message = "Verified domains are not enabled for this instance's organizations."
        raise ClerkError("feature_not_enabled", message, 403)


def create_domain(
    clerk: LocalClerk,
    organization: Organization,
    name: str,
    enrollment_mode: str = "",
    *,
    creator: User | None = None,
    verified: bool = False,
) -> OrganizationDomain:
    """Claim a domain. A creator whose verified address is in it has proved it thereby.

    :raises ClerkError: for a name that is no domain, everybody's, or somebody else's.
    """
    require_domains(clerk)
    name = _check_name(clerk, name.strip().lower())
    own = _address_in(clerk, creator, name) if creator else None
    now = clerk.now
    domain = OrganizationDomain(
        new_id("orgdmn"),
        now,
        now,
        organization.id,
        name,
        enrollment_mode=_check_mode(clerk, enrollment_mode or "manual_invitation"),
        affiliation_email_address=own,
        verified=verified or own is not None,
    )
    clerk.store.put(domain)
    _tell(clerk, "created", domain)
    invite_people_of(clerk, domain)
    return domain


def prepare_verification(clerk: LocalClerk, domain: OrganizationDomain, address: str) -> None:
    """Send a code to an address in the domain.

    :raises ClerkError: if the address is elsewhere.
    """
    require_domains(clerk)
    param = "affiliation_email_address"
    address = normalize_email(address, param)
    if address.rpartition("@")[2] != domain.name:
        raise ClerkError(
            "form_param_value_invalid", f"Expected an address at {domain.name}.", param=param
        )
    domain.affiliation_email_address = address
    domain.verification_id = send_code(
        clerk, "email_code", domain.id, address, "affiliation_code"
    ).id
    _save(clerk, domain)


def attempt_verification(clerk: LocalClerk, domain: OrganizationDomain, code: str) -> None:
    """Hand in the code.

    :raises ClerkError: for a wrong or old code.
    """
    require_domains(clerk)
    check_code(clerk, domain.verification_id, code)
    domain.verified = True
    _save(clerk, domain)
    invite_people_of(clerk, domain)


def set_enrollment_mode(
    clerk: LocalClerk, domain: OrganizationDomain, mode: str, *, delete_pending: bool = False
) -> None:
    """Say how people with an address in the domain get in.

    :param delete_pending: whether to take back what the old mode has led to.
    :raises ClerkError: for a mode that the instance does not have.
    """
    require_domains(clerk)
    domain.enrollment_mode = _check_mode(clerk, mode)
    if delete_pending:
        _delete_pending(clerk, domain)
    _save(clerk, domain)
    invite_people_of(clerk, domain)


def set_verified(clerk: LocalClerk, domain: OrganizationDomain, *, verified: bool) -> None:
    """What the app's server knows of the domain counts without a code."""
    domain.verified = verified
    _save(clerk, domain)
    invite_people_of(clerk, domain)


def delete_domain(clerk: LocalClerk, domain: OrganizationDomain) -> dict[str, object]:
    """Let go of a domain.

    :returns: the deleted object, as the APIs answer it.
    """
    clerk.store.delete(domain)
    gone = {"object": "organization_domain", "id": domain.id, "deleted": True}
    record_event(clerk, "organizationDomain.deleted", gone)
    return gone


def organization_domain(clerk: LocalClerk, organization_id: str, id: str) -> OrganizationDomain:
    """A domain of that organization.

    :raises ClerkError: 404.
    """
    domain = clerk.store.get(OrganizationDomain, id)
    if domain is None or domain.organization_id != organization_id:
        raise not_found("Organization domain")
    return domain


def domains_of_user(clerk: LocalClerk, user: User, mode: str) -> list[OrganizationDomain]:
    """Proved domains with this mode in which the user has an address, unless they are a member."""
    organizations = clerk.settings.organizations
    if not (organizations.enabled and organizations.domains):
        return []
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    names = tuple({email.email_address.rpartition("@")[2] for email in emails})
    found = clerk.store.find(
        OrganizationDomain, name=names, verified=True, enrollment_mode=mode, newest_first=True
    )
    joined = {
        membership.organization_id
        for membership in clerk.store.find(OrganizationMembership, user_id=user.id)
    }
    return [domain for domain in found if domain.organization_id not in joined]


def invite_by_domain(clerk: LocalClerk, user: User) -> None:
    """Send a user the invitations that their verified addresses entitle them to."""
    for domain in domains_of_user(clerk, user, INVITATION):
        _invite_user(clerk, domain, user)


def invite_people_of(clerk: LocalClerk, domain: OrganizationDomain) -> None:
    """Send the invitations that a domain entitles people to, who have an account already."""
    if not domain.verified or domain.enrollment_mode != INVITATION:
        return
    owners = [
        email.user_id
        for email in clerk.store.find(EmailAddress, verified=True)
        if email.email_address.endswith(f"@{domain.name}")
    ]
    for user in clerk.store.get_many(User, owners).values():
        invite_by_domain(clerk, user)


def _invite_user(clerk: LocalClerk, domain: OrganizationDomain, user: User) -> None:
    """At most once for each address: who was refused or declined is not asked again."""
    organization = clerk.store.get(Organization, domain.organization_id)
    address = _address_in(clerk, user, domain.name)
    if organization is None or address is None:
        return
    if clerk.store.first(
        OrganizationInvitation, email_address=address, organization_id=organization.id
    ):
        return
    try:
        require_room(clerk, organization, 1)
    except ClerkError:  # it is full: nobody can be blamed, and somebody may leave
        return
    now = clerk.now
    invitation = OrganizationInvitation(
        new_id("orginv"),
        now,
        now,
        organization.id,
        address,
        clerk.settings.organizations.default_role,
        ticket=secrets.token_urlsafe(32),
        expires_at=now + DEFAULT_EXPIRES_IN_DAYS * DAY_MS,
    )
    clerk.store.put(invitation)
    tell_invitation(clerk, "created", invitation)


def _check_name(clerk: LocalClerk, name: str) -> str:
    if len(name) > 253 or not DOMAIN.fullmatch(name):
        raise invalid("name", "a domain, such as acme.com")
    if name in COMMON:
        message = "This is a common email provider domain. Please use a different one."
        raise ClerkError("organization_domain_common", message, param="name")
    if clerk.store.first(OrganizationDomain, name=name):
        message = "This domain is already used by another organization."
        raise ClerkError("organization_domain_already_exists", message, param="name")
    return name


def _check_mode(clerk: LocalClerk, mode: str) -> str:
    if mode not in clerk.settings.organizations.domain_enrollment_modes:
        message = f"Enrollment mode {mode} is not enabled for this instance's organizations."
        raise ClerkError("organization_domain_enrollment_mode_not_enabled", message, 403)
    return mode


def _address_in(clerk: LocalClerk, user: User, domain_name: str) -> str | None:
    emails = clerk.store.find(EmailAddress, user_id=user.id, verified=True)
    addresses = (email.email_address for email in emails)
    return next((a for a in addresses if a.rpartition("@")[2] == domain_name), None)


def _delete_pending(clerk: LocalClerk, domain: OrganizationDomain) -> None:
    id = domain.organization_id
    for invitation in clerk.store.find(
        OrganizationInvitation, organization_id=id, status="pending", inviter_user_id=None
    ):
        if invitation.email_address.endswith(f"@{domain.name}"):
            clerk.store.delete(invitation)
    for asked in clerk.store.find(MembershipRequest, organization_id=id, status="pending"):
        user = clerk.store.get(User, asked.user_id)
        if user is not None and _address_in(clerk, user, domain.name):
            clerk.store.delete(asked)


def _save(clerk: LocalClerk, domain: OrganizationDomain) -> None:
    domain.updated_at = clerk.now
    clerk.store.put(domain)
    _tell(clerk, "updated", domain)


def _tell(clerk: LocalClerk, what: str, domain: OrganizationDomain) -> None:
    record_event(clerk, f"organizationDomain.{what}", organization_domain_json(clerk, domain))
