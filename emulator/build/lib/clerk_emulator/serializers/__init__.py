"""How each resource looks on the wire: one function each. All times are unix milliseconds."""

from .clients import client_json
from .external_accounts import external_account_json
from .json import Json
from .memberships import (
    backend_membership_json,
    backend_memberships_json,
    membership_json,
    membership_request_json,
    memberships_json,
)
from .organization_domains import (
    backend_organization_domain_json,
    organization_domain_json,
    organization_suggestion_json,
    suggestion_id,
)
from .organization_invitations import (
    backend_organization_invitation_json,
    invitation_link,
    organization_invitation_json,
    user_invitations_json,
)
from .organizations import (
    backend_organization_json,
    backend_organizations_json,
    organization_json,
    organizations_json,
    permission_json,
    public_organization_json,
    role_json,
    role_set_json,
)
from .public_users import image_url, public_user_json
from .sessions import (
    backend_session_json,
    device_session_json,
    session_event_json,
    session_json,
    token_json,
)
from .sign_ins import sign_in_json
from .sign_ups import sign_up_json
from .users import (
    backend_user_json,
    email_address_json,
    phone_number_json,
    user_json,
)
from .verifications import verification_json, visit_json

__all__ = [
    "Json",
    "backend_membership_json",
    "backend_memberships_json",
    "backend_organization_domain_json",
    "backend_organization_invitation_json",
    "backend_organization_json",
    "backend_organizations_json",
    "backend_session_json",
    "backend_user_json",
    "client_json",
    "device_session_json",
    "email_address_json",
    "external_account_json",
    "image_url",
    "invitation_link",
    "membership_json",
    "membership_request_json",
    "memberships_json",
    "organization_domain_json",
    "organization_invitation_json",
    "organization_json",
    "organization_suggestion_json",
    "organizations_json",
    "permission_json",
    "phone_number_json",
    "public_organization_json",
    "public_user_json",
    "role_json",
    "role_set_json",
    "session_event_json",
    "session_json",
    "sign_in_json",
    "sign_up_json",
    "suggestion_id",
    "token_json",
    "user_invitations_json",
    "user_json",
    "verification_json",
    "visit_json",
]
