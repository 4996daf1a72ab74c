"""Clerk's own Python SDK against the local Clerk, unmodified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import httpx
import pytest
from clerk_backend_api import models
from clerk_backend_api.security import authenticate_request, verify_token
from clerk_backend_api.security.types import (
    AuthenticateRequestOptions,
    TokenVerificationError,
    VerifyTokenOptions,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.clients.conftest import APP_URL, PASSWORD, SECRET_KEY, LocalClerk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


def address(name: str) -> str:
    """Return an email address that no other test uses."""
    return f"{name}-{uuid4().hex[:8]}@example.com"


def create(clerk: LocalClerk, **more: Any) -> models.User:
    email = address("ada")
    return clerk.sdk().users.create(email_address=[email], password=PASSWORD, **more)


def status_of(error: pytest.ExceptionInfo[Any]) -> int:
    return int(error.value.raw_response.status_code)


def test_users_are_created_found_changed_and_deleted(local_clerk: LocalClerk) -> None:
    sdk = local_clerk.sdk()
    user = create(local_clerk, first_name="Ada", public_metadata={"plan": "pro"})
    email = user.email_addresses[0].email_address
    assert sdk.users.get(user_id=user.id).public_metadata == {"plan": "pro"}
    assert [found.id for found in sdk.users.list(request={"email_address": [email]})] == [user.id]
    assert sdk.users.count(request={"email_address": [email]}).total_count == 1
    assert sdk.users.update(user_id=user.id, first_name="Augusta").first_name == "Augusta"
    merged = sdk.users.update_metadata(user_id=user.id, public_metadata={"seats": 3})
    assert merged.public_metadata == {"plan": "pro", "seats": 3}
    assert sdk.users.verify_password(user_id=user.id, password=PASSWORD).verified
    assert sdk.users.delete(user_id=user.id).deleted
    with pytest.raises(models.ClerkErrors) as error:
        sdk.users.get(user_id=user.id)
    assert (status_of(error), error.value.data.errors[0].code) == (404, "resource_not_found")


def test_bans_and_locks(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    assert sdk.users.ban(user_id=user_id).banned
    assert not sdk.users.unban(user_id=user_id).banned
    assert sdk.users.lock(user_id=user_id).locked
    assert not sdk.users.unlock(user_id=user_id).locked


def test_addresses_and_numbers(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    email = sdk.email_addresses.create(
        request={"user_id": user_id, "email_address": address("second"), "verified": True}
    )
    assert email.id
    assert sdk.email_addresses.update(email_address_id=email.id, primary=True).id == email.id
    assert sdk.users.get(user_id=user_id).primary_email_address_id == email.id
    assert sdk.email_addresses.delete(email_address_id=email.id).deleted
    phone = sdk.phone_numbers.create(
        request={"user_id": user_id, "phone_number": f"+1555555{uuid4().int % 10**4:04}", "verified": True}
    )
    assert phone.id
    assert sdk.phone_numbers.get(phone_number_id=phone.id).phone_number == phone.phone_number


def test_sessions_and_their_tokens(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    session = sdk.sessions.create(request={"user_id": user_id})
    assert session
    assert [found.id for found in sdk.sessions.list(user_id=user_id)] == [session.id]
    token = sdk.sessions.create_token(session_id=session.id)
    assert token.jwt
    assert sdk.sessions.revoke(session_id=session.id).status == "revoked"
    with pytest.raises(models.ClerkErrors) as error:
        sdk.sessions.create_token(session_id=session.id)
    assert status_of(error) == 404


def test_organizations(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    organization = sdk.organizations.create(request={"name": "Acme", "created_by": user_id})
    assert organization
    members = sdk.organization_memberships.list(organization_id=organization.id)
    assert [(one.role, one.public_user_data.user_id) for one in members.data if one.public_user_data] == [
        ("org:admin", user_id)
    ]
    assert sdk.organizations.delete(organization_id=organization.id).deleted


def test_invitations_and_tickets(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    invitation = sdk.invitations.create(request={"email_address": address("new"), "notify": False})
    assert invitation
    assert invitation.id in {found.id for found in sdk.invitations.list()}
    assert sdk.invitations.revoke(invitation_id=invitation.id).status == "revoked"
    ticket = sdk.sign_in_tokens.create(request={"user_id": user_id})
    assert ticket
    assert sdk.sign_in_tokens.revoke(sign_in_token_id=ticket.id).status == "revoked"
    actor = sdk.actor_tokens.create(request={"user_id": user_id, "actor": {"sub": "user_support"}})
    assert actor
    assert actor.user_id == user_id
    testing = sdk.testing_tokens.create()
    assert testing
    assert testing.token


def test_machines_and_their_tokens(local_clerk: LocalClerk) -> None:
    sdk = local_clerk.sdk()
    server = sdk.machines.create(request={"name": "server"})
    stranger = sdk.machines.create(request={"name": "stranger"})
    assert server
    assert stranger
    client = sdk.machines.create(request={"name": "client", "scoped_machines": [server.id]})
    assert client
    token = local_clerk.sdk(client.secret_key).m2m.create_token(claims={"who": "client"})
    seen = local_clerk.sdk(server.secret_key).m2m.verify_token(token=token.token)
    assert (seen.subject, seen.claims) == (client.id, {"who": "client"})
    with pytest.raises(models.ClerkBaseError) as error:
        local_clerk.sdk(stranger.secret_key).m2m.verify_token(token=token.token)
    assert status_of(error) == 404
    with pytest.raises(models.ClerkErrors) as error:
        local_clerk.sdk(client.secret_key).users.list(request={})
    assert status_of(error) == 401


def test_api_keys(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    key = sdk.api_keys.create_api_key(name="CI", subject=user_id, scopes=["read"])
    assert sdk.api_keys.verify_api_key(secret=key.secret).subject == user_id
    assert sdk.api_keys.get_api_key_secret(api_key_id=key.id).secret == key.secret
    assert sdk.api_keys.revoke_api_key(api_key_id=key.id).revoked
    with pytest.raises(models.ClerkBaseError) as error:
        sdk.api_keys.verify_api_key(secret=key.secret)
    assert status_of(error) == 404


def test_the_instance_and_its_lists(local_clerk: LocalClerk) -> None:
    sdk = local_clerk.sdk()
    instance = sdk.instance_settings.get()
    assert instance.environment_type == "development"
    template = sdk.jwt_templates.create(request={"name": f"t{uuid4().hex[:6]}", "claims": {}})
    assert template
    assert sdk.jwt_templates.get(template_id=template.id).name == template.name
    assert sdk.jwt_templates.delete(template_id=template.id).deleted
    url = sdk.redirect_urls.create(request={"url": f"myapp://{uuid4().hex}"})
    assert url
    assert sdk.redirect_urls.delete(id=url.id).deleted
    assert sdk.domains.list().data[0].is_satellite is False
    application = sdk.oauth_applications.create(request={"name": "Other"})
    assert application
    assert application.client_secret
    assert sdk.oauth_applications.delete(oauth_application_id=application.id).deleted
    entry = sdk.waitlist_entries.create(request={"email_address": address("waits")})
    assert entry
    assert sdk.waitlist_entries.reject(waitlist_entry_id=entry.id).status == "rejected"


@pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_clients", "ak_guess"])
def test_a_wrong_key_is_rejected(local_clerk: LocalClerk, key: str) -> None:
    with pytest.raises(models.ClerkErrors) as error:
        local_clerk.sdk(key).users.list(request={})
    assert status_of(error) == 401


def test_too_many_calls_are_rate_limited(local_clerk: LocalClerk) -> None:
    local_clerk.backend("PUT", "/emulator/throttle", requests=1, retry_after=1)
    with pytest.raises(models.SDKError) as error:
        local_clerk.sdk().users.list(request={}, retries=None)
    assert status_of(error) == 429
    assert error.value.raw_response.headers["Retry-After"] == "1"


def pem_of(local_clerk: LocalClerk) -> str:
    """Return the instance's public key, as the dashboard shows it for networkless verification."""
    (key,) = local_clerk.backend("GET", "/jwks")["keys"]
    public = cast("RSAPublicKey", RSAAlgorithm.from_jwk(key))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def authenticated(local_clerk: LocalClerk, header: dict[str, str], party: str = APP_URL) -> bool:
    options = AuthenticateRequestOptions(jwt_key=pem_of(local_clerk), authorized_parties=[party])
    return authenticate_request(httpx.Request("GET", APP_URL, headers=header), options).is_signed_in


def test_requests_are_authenticated(local_clerk: LocalClerk) -> None:
    token = local_clerk.browser(address("ada"))["token"]
    assert authenticated(local_clerk, {"Authorization": f"Bearer {token}"})
    assert authenticated(local_clerk, {"Cookie": f"__session={token}"})
    assert not authenticated(local_clerk, {})
    assert not authenticated(local_clerk, {"Cookie": f"__session={token[:-6]}AAAAAA"})
    assert not authenticated(local_clerk, {"Cookie": f"__session={token}"}, "http://evil.example")


def test_tokens_are_verified_over_the_network(local_clerk: LocalClerk) -> None:
    person = local_clerk.browser(address("ada"))
    options = VerifyTokenOptions(secret_key=SECRET_KEY, api_url=f"{local_clerk.url}/api")
    assert verify_token(person["token"], options)["sub"] == person["user_id"]
    wrong = VerifyTokenOptions(secret_key="sk_test_wrong", api_url=f"{local_clerk.url}/api")
    with pytest.raises(TokenVerificationError):
        verify_token(person["token"], wrong)


def test_api_keys_are_verified_like_tokens(local_clerk: LocalClerk) -> None:
    sdk, user_id = local_clerk.sdk(), create(local_clerk).id
    key = sdk.api_keys.create_api_key(name="CI", subject=user_id)
    options = VerifyTokenOptions(secret_key=SECRET_KEY, api_url=f"{local_clerk.url}/api")
    assert verify_token(key.secret, options)["subject"] == user_id
    sdk.api_keys.revoke_api_key(api_key_id=key.id)
    with pytest.raises(TokenVerificationError):
        verify_token(key.secret, options)


def test_connections_and_directories(local_clerk: LocalClerk) -> None:
    sdk, domain = local_clerk.sdk(), f"{uuid4().hex[:8]}.example"
    made = sdk.enterprise_connections.create(
        request={"name": "Acme", "provider": models.Provider.SAML_OKTA, "domains": [domain]}
    )
    assert made
    assert sdk.enterprise_connections.get(enterprise_connection_id=made.id).name == "Acme"
    assert sdk.enterprise_connections.update(enterprise_connection_id=made.id, active=True).active
    assert made.id in [one.id for one in sdk.enterprise_connections.list().data]
    assert sdk.enterprise_connections.list_test_runs(enterprise_connection_id=made.id).total_count == 0
    directory = sdk.scim_directories.create(request={"enterprise_connection_id": made.id, "provider": "okta"})
    assert directory
    assert directory.api_key
    mapping = sdk.scim_directories.create_group_role_mapping(
        scim_directory_id=directory.id, scim_group_id="g", role_id="org:admin"
    )
    assert mapping.role
    assert mapping.role.key == "org:admin"
    assert sdk.scim_directories.list().total_count == 1
    assert sdk.scim_directories.delete(scim_directory_id=directory.id).deleted
    saml = sdk.saml_connections.create(
        request={"name": "Acme", "provider": models.RequestBodyProvider.SAML_OKTA, "domains": [domain]}
    )
    assert saml
    assert sdk.saml_connections.delete(saml_connection_id=saml.id).deleted
    assert sdk.enterprise_connections.delete(enterprise_connection_id=made.id).deleted


def test_codes_checked_by_the_server(local_clerk: LocalClerk) -> None:
    sdk, user = local_clerk.sdk(), create(local_clerk)
    email_id = user.email_addresses[0].id
    assert email_id
    sent = sdk.email_addresses.prepare_verification(email_address_id=email_id)
    for code, status in (("000000", "unverified"), ("424242", "verified")):
        tried = sdk.email_addresses.attempt_verification(
            email_address_id=email_id, verification_id=sent.id or "", code=code
        )
        assert tried.status == status
    new = sdk.email_addresses.replace_for_user(user_id=user.id, email_address=address("new"))
    assert sdk.users.get(user_id=user.id).primary_email_address_id == new.id
    assert sdk.users.list_trusted_devices(user_id=user.id).total_count == 0


def test_templates_and_webhooks(local_clerk: LocalClerk) -> None:
    sdk = local_clerk.sdk()
    email = models.TemplateType.EMAIL
    assert sdk.email_sms_templates.list(template_type=email)
    kind = models.PathParamTemplateType.EMAIL
    code = sdk.email_sms_templates.get(template_type=kind, slug="verification_code")
    assert code.required_variables == ["otp_code"]
    assert sdk.webhooks.create_svix_app()
    assert sdk.webhooks.generate_svix_auth_url()
    assert sdk.instance_settings.get_communication().blocked_country_codes == []
    assert sdk.instance_settings.get_instance_protect().rules_enabled is False
    assert sdk.instance_settings.get_o_auth_application_settings().default_scopes is None
    domain = sdk.domains.list().data[0].id
    assert sdk.proxy_checks.verify(request={"domain_id": domain, "proxy_url": f"{APP_URL}/x"})


def test_an_agent_works_for_a_user(local_clerk: LocalClerk) -> None:
    sdk, user = local_clerk.sdk(), create(local_clerk)
    task = sdk.agent_tasks.create(
        request={
            "on_behalf_of": {"user_id": user.id},
            "permissions": models.CreateAgentTaskPermissions.WILDCARD_,
            "agent_name": "tidy",
            "task_description": "Tidy up",
            "redirect_url": APP_URL,
        }
    )
    assert task
    assert task.url
    assert sdk.agent_tasks.revoke(agent_task_id=task.agent_task_id)
