"""Organizations as they are: who belongs to them, what each role may do, what tokens say of it.

Changing them is in :mod:`.organization_changes`, :mod:`.memberships` and their neighbours. This
module knows nothing of the wire, because tokens are made from it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .clerk import LocalClerk
from .errors import ClerkError, not_found
from .resources import Organization, OrganizationMembership, Session, User

SYSTEM_PREFIX = "org:sys_"


def organization_claims(
    clerk: LocalClerk, session: Session, plan_features: Collection[str] | None = None
) -> dict[str, Any]:
    """What a session token (claims version 2) says of the active organization.

    :param plan_features: features that the organization's plan includes; roles give permissions
        to nothing else then. None when there are no plans.
    :returns: ``o`` and, when there are any, the ``fea`` entries with scope ``o``, comma-separated
        and in the order that ``fpm`` counts on. Empty while no organization is active, or the
        user does not belong to it any more.
    """
    membership = membership_of(clerk, session.last_active_organization_id, session.user_id)
    organization = clerk.store.get(Organization, membership.organization_id if membership else "")
    if membership is None or organization is None:
        return {}
    granted = custom_permissions(clerk, membership.role)
    if plan_features is not None:
        granted = {key: names for key, names in granted.items() if key in plan_features}
    features = [*granted, *(key for key in plan_features or () if key not in granted)]
    claims: dict[str, Any] = {"id": organization.id, "rol": membership.role.removeprefix("org:")}
    if clerk.settings.organizations.slugs and organization.slug:
        claims["slg"] = organization.slug
    if granted:
        claims |= permission_bitmaps(granted)
    return {"o": claims} | ({"fea": ",".join(f"o:{key}" for key in features)} if features else {})


def permission_bitmaps(granted: dict[str, list[str]]) -> dict[str, str]:
    """``per`` and ``fpm``: the names, and for each feature a bitmap over them, lowest bit first.

    >>> permission_bitmaps({"invoices": ["read", "pay"], "reports": ["read"]})
    {'per': 'read,pay', 'fpm': '3,1'}
    """
    names = list(dict.fromkeys(name for some in granted.values() for name in some))
    maps = [sum(1 << names.index(name) for name in set(some)) for some in granted.values()]
    return {"per": ",".join(names), "fpm": ",".join(map(str, maps))}


def custom_permissions(clerk: LocalClerk, role: str) -> dict[str, list[str]]:
    """By feature, what a role may do with it. Clerk's own permissions are never in tokens."""
    granted: dict[str, list[str]] = {}
    for permission in role_permissions(clerk, role):
        parts = permission.split(":")
        if len(parts) == 3 and not permission.startswith(SYSTEM_PREFIX):
            granted.setdefault(parts[1], []).append(parts[2])
    return granted


def role_permissions(clerk: LocalClerk, role: str) -> tuple[str, ...]:
    """Keys of what a role may do; nothing, for a role that has been taken away."""
    found = clerk.settings.organizations.role(role)
    return found.permissions if found else ()


def membership_of(
    clerk: LocalClerk, organization_id: str | None, user_id: str
) -> OrganizationMembership | None:
    """A user's membership of an organization; None while organizations are switched off."""
    if not organization_id or not clerk.settings.organizations.enabled:
        return None
    return clerk.store.first(
        OrganizationMembership, user_id=user_id, organization_id=organization_id
    )


def user_memberships(clerk: LocalClerk, user_id: str) -> list[OrganizationMembership]:
    """All memberships of a user, oldest first; none while organizations are switched off."""
    if not clerk.settings.organizations.enabled:
        return []
    return clerk.store.find(OrganizationMembership, user_id=user_id)


def organization_with(clerk: LocalClerk, id_or_slug: str) -> Organization:
    """The organization with that id or slug.

    :raises ClerkError: 404.
    """
    found = clerk.store.get(Organization, id_or_slug) or clerk.store.first(
        Organization, slug=id_or_slug
    )
    if found is None:
        raise not_found("Organization")
    return found


def require_enabled(clerk: LocalClerk) -> None:
    """Refuse everything about organizations while they are switched off.

    :raises ClerkError: 403 ``organization_not_enabled_in_instance``.
    """
    if not clerk.settings.organizations.enabled:
        message = "Organizations are not enabled for this instance."
        raise ClerkError("organization_not_enabled_in_instance", message, 403)


def require_member(clerk: LocalClerk, organization_id: str, user: User) -> OrganizationMembership:
    """The user's membership. Whether a foreign organization exists is nobody's business.

    :raises ClerkError: 404 ``organization_not_found_or_unauthorized``.
    """
    require_enabled(clerk)
    membership = membership_of(clerk, organization_id, user.id)
    if membership is None:
        raise foreign_organization()
    return membership


def foreign_organization() -> ClerkError:
    """404 for an organization that does not exist, or that the caller does not belong to."""
    message = "Given organization not found, or you don't have permission to access it."
    return ClerkError("organization_not_found_or_unauthorized", message, 404)


def may(clerk: LocalClerk, membership: OrganizationMembership, *keys: str) -> bool:
    """Whether the member's role allows any of these."""
    return not set(role_permissions(clerk, membership.role)).isdisjoint(keys)


def require_permission(clerk: LocalClerk, membership: OrganizationMembership, *keys: str) -> None:
    """Let only those pass whose role allows any of these.

    :param keys: such as ``org:sys_memberships:manage``.
    :raises ClerkError: 403 ``missing_organization_permission``.
    """
    if not may(clerk, membership, *keys):
        message = "Current user is missing an organization permission."
        raise ClerkError("missing_organization_permission", message, 403)


def active_organization_id(clerk: LocalClerk, user_id: str, id_or_slug: str) -> str | None:
    """What to make a session's active organization. Empty means the personal account.

    :raises ClerkError: 404 if the user does not belong to it.
    """
    if not id_or_slug:
        return None
    require_enabled(clerk)
    by_slug = clerk.store.first(Organization, slug=id_or_slug)
    membership = membership_of(clerk, by_slug.id if by_slug else id_or_slug, user_id)
    if membership is None:
        raise foreign_organization()
    return membership.organization_id


def require_role(clerk: LocalClerk, key: str) -> str:
    """The key of a role that the instance has.

    :raises ClerkError: 404.
    """
    if clerk.settings.organizations.role(key) is None:
        raise ClerkError("resource_not_found", "Organization role not found", 404, "role")
    return key
