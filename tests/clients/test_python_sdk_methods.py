"""Every method of Clerk's Python SDK has an endpoint, except those documented as missing."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING

from clerk_backend_api import Clerk

from tests.clients.conftest import SECRET_KEY
from tests.tools import ROOT

if TYPE_CHECKING:
    from tests.clients.conftest import LocalClerk

PAGE = ROOT / "emulator" / "ENDPOINTS.md"
REQUEST = re.compile(r'method="([A-Z]+)",\s*path="([^"]+)"')
UNKNOWN = "The local Clerk has no "
MISSING = {
    "POST /admin_portal_link_tokens",
    "POST /admin_portal_link_tokens/{adminPortalLinkTokenID}/revoke",
    "GET /billing/prices",
    "GET /billing/statements",
    "GET /billing/statements/{statementID}",
    "GET /billing/statements/{statementID}/payment_attempts",
    "POST /billing/prices",
    "POST /billing/subscription_items/{subscription_item_id}/price_transition",
    "PUT /oauth_applications/{oauth_application_id}/logo",
    "POST /role_sets",
    "POST /role_sets/{role_set_key_or_id}/replace",
    "POST /role_sets/{role_set_key_or_id}/roles",
    "POST /role_sets/{role_set_key_or_id}/roles/replace",
}
"""Requests of the SDK that the local Clerk doesn't support. The documentation lists the same."""


def operations() -> set[str]:
    """Return method and path of every request that the SDK can send."""
    found = set()
    for module, name in Clerk._sub_sdk_map.values():
        part = getattr(importlib.import_module(module), name)
        for _, method in inspect.getmembers(part, inspect.isfunction):
            found |= {f"{verb} {path}" for verb, path in REQUEST.findall(inspect.getsource(method))}
    return found


def is_unknown(local_clerk: LocalClerk, operation: str) -> bool:
    """Return whether the local Clerk has no such endpoint. The request has no body and unknown IDs."""
    verb, path = operation.split(" ")
    path = re.sub(r"\{[^}]+\}", "unknown", path.replace("{template_type}", "email"))
    local_clerk.by_hand.append(f"{verb} /api/v1{path} ")
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    answer = local_clerk.http.request(verb, f"{local_clerk.url}/api/v1{path}", headers=headers)
    assert answer.status_code < 500, f"{operation}: {answer.text}"
    return answer.status_code == 404 and UNKNOWN in answer.text


def test_requests_are_found_in_the_sdk() -> None:
    found = operations()
    assert len(found) > 200
    assert found >= {"GET /users", "PATCH /users/{user_id}/metadata", "POST /sessions/{session_id}/revoke"}


def test_every_other_request_has_an_endpoint(local_clerk: LocalClerk) -> None:
    unknown = {one for one in operations() if is_unknown(local_clerk, one)}
    assert unknown == MISSING


def test_the_documentation_names_the_same() -> None:
    introduction = PAGE.read_text("utf-8").partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z]+ /[^`]+)`", introduction)) == MISSING
