"""Every method of Clerk's Python SDK has an endpoint here, but for those that are named as missing."""

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

PAGE = ROOT / "docs" / "local-clerk.md"
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
"""What the SDK can ask for and the local Clerk does not have. The documentation says the same."""


def operations() -> set[str]:
    """Return method and path of everything that the SDK can ask for."""
    found = set()
    for module, name in Clerk._sub_sdk_map.values():
        part = getattr(importlib.import_module(module), name)
        for _, method in inspect.getmembers(part, inspect.isfunction):
            found |= {f"{verb} {path}" for verb, path in REQUEST.findall(inspect.getsource(method))}
    return found


def is_unknown(local_clerk: LocalClerk, operation: str) -> bool:
    """Ask for it, with nobody's ids and nothing in the body, and see whether anybody listens."""
    verb, path = operation.split(" ")
    path = re.sub(r"\{[^}]+\}", "nobodys", path.replace("{template_type}", "email"))
    local_clerk.by_hand.append(f"{verb} /api/v1{path} ")
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    answer = local_clerk.http.request(verb, f"{local_clerk.url}/api/v1{path}", headers=headers)
    assert answer.status_code < 500, f"{operation}: {answer.text}"
    return answer.status_code == 404 and UNKNOWN in answer.text


def test_the_sdk_is_read_rightly() -> None:
    found = operations()
    assert len(found) > 200
    assert found >= {"GET /users", "PATCH /users/{user_id}/metadata", "POST /sessions/{session_id}/revoke"}


def test_what_is_missing_is_named(local_clerk: LocalClerk) -> None:
    unknown = {one for one in operations() if is_unknown(local_clerk, one)}
    assert unknown == MISSING


def test_the_documentation_names_the_same() -> None:
    text = PAGE.read_text("utf-8").partition("## What Clerk's Backend API has and this has not")[2]
    assert set(re.findall(r"`([A-Z]+ /[^`]+)`", text.partition("\n## ")[0])) == MISSING
