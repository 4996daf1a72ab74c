"""``/allowlist_identifiers``, ``/blocklist_identifiers``, ``/redirect_urls``, ``/domains``."""

from __future__ import annotations

from flask import Blueprint

from ..clerk import current_clerk
from ..errors import ClerkError, invalid, not_found
from ..invitations import NewInvitation, create_invitation
from ..phone_numbers import normalize_phone_number
from ..resources import Domain, ListedIdentifier, RedirectUrl, new_id
from ..serializers import Json
from ..users import normalize_email
from .parameters import flag, json_body, known, one_page, optional_text, query_flag, required_text

blueprint = Blueprint("identifiers", __name__)

LISTS = {"allowlist_identifiers": "allowlist", "blocklist_identifiers": "blocklist"}
LIST_PATH = "/<any(allowlist_identifiers, blocklist_identifiers):kind>"


@blueprint.get(LIST_PATH)
def list_identifiers(kind: str) -> Json | list[Json]:
    """Who is on the list, newest first."""
    found = current_clerk().store.find(ListedIdentifier, list=LISTS[kind], newest_first=True)
    answer = [_identifier_json(identifier) for identifier in one_page(found)]
    bare = kind == "allowlist_identifiers" and not query_flag("paginated")
    return answer if bare else {"data": answer, "total_count": len(found)}


@blueprint.post(LIST_PATH)
def post_identifier(kind: str) -> Json:
    """Put an address, a domain (``*@example.com``) or a number on the list."""
    clerk, body = current_clerk(), json_body()
    text, type = _normalized(required_text(body, "identifier"))
    if clerk.store.first(ListedIdentifier, list=LISTS[kind], identifier=text):
        message = f"The identifier {text} is already on the {LISTS[kind]}."
        raise ClerkError("duplicate_record", message, 400, "identifier")
    now = clerk.now
    id = new_id("alid" if kind == "allowlist_identifiers" else "blid")
    identifier = ListedIdentifier(id, now, now, LISTS[kind], text, type)
    if kind == "allowlist_identifiers" and flag(body, "notify"):
        if type != "email_address" or text.startswith("*"):
            raise invalid("notify", "false for anything but an e-mail address")
        identifier.invitation_id = create_invitation(clerk, NewInvitation(text)).id
    clerk.store.put(identifier)
    return _identifier_json(identifier)


def _normalized(text: str) -> tuple[str, str]:
    text = text.strip().lower()
    if text.startswith("*@"):
        normalize_email(f"x{text[1:]}", "identifier")
        return text, "email_address"
    if text.startswith("+"):
        return normalize_phone_number(text, "identifier"), "phone_number"
    return normalize_email(text, "identifier"), "email_address"


@blueprint.delete(f"{LIST_PATH}/<id>")
def delete_identifier(kind: str, id: str) -> Json:
    """Take somebody from the list."""
    store = current_clerk().store
    identifier = store.get(ListedIdentifier, id)
    if identifier is None or identifier.list != LISTS[kind]:
        raise not_found("Identifier")
    store.delete(identifier)
    return {"object": f"{LISTS[kind]}_identifier", "id": id, "deleted": True}


def _identifier_json(identifier: ListedIdentifier) -> Json:
    allow = {"invitation_id": identifier.invitation_id} if identifier.list == "allowlist" else {}
    return {
        "object": f"{identifier.list}_identifier",
        "id": identifier.id,
        "identifier": identifier.identifier,
        "identifier_type": identifier.identifier_type,
        "instance_id": current_clerk().config.instance_id,
        "created_at": identifier.created_at,
        "updated_at": identifier.updated_at,
    } | allow


@blueprint.get("/redirect_urls")
def list_redirect_urls() -> Json | list[Json]:
    """Where native applications may be sent back to."""
    found = current_clerk().store.find(RedirectUrl, newest_first=True)
    answer = [_redirect_json(url) for url in one_page(found)]
    return {"data": answer, "total_count": len(found)} if query_flag("paginated") else answer


@blueprint.post("/redirect_urls")
def post_redirect_url() -> Json:
    """Let native applications be sent back to one more address."""
    clerk = current_clerk()
    text = required_text(json_body(), "url").strip()
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or not scheme.isascii() or scheme.lower() == "javascript":
        raise invalid("url", "an absolute URL")
    if clerk.store.first(RedirectUrl, url=text):
        raise ClerkError("duplicate_record", f"{text} is listed already.", 400, "url")
    url = RedirectUrl(new_id("ru"), clerk.now, clerk.now, text)
    clerk.store.put(url)
    return _redirect_json(url)


@blueprint.get("/redirect_urls/<id>")
def get_redirect_url(id: str) -> Json:
    """One address."""
    return _redirect_json(_redirect_url(id))


@blueprint.delete("/redirect_urls/<id>")
def delete_redirect_url(id: str) -> Json:
    """Take an address away."""
    current_clerk().store.delete(_redirect_url(id))
    return {"object": "redirect_url", "id": id, "deleted": True}


def _redirect_url(id: str) -> RedirectUrl:
    return known(RedirectUrl, id, "Redirect URL")


def _redirect_json(url: RedirectUrl) -> Json:
    times = {"created_at": url.created_at, "updated_at": url.updated_at}
    return {"object": "redirect_url", "id": url.id, "url": url.url} | times


@blueprint.get("/domains")
def list_domains() -> Json:
    """The primary domain and the satellites."""
    clerk = current_clerk()
    satellites = clerk.store.find(Domain)
    primary = {"name": clerk.config.frontend_api, "id": f"dmn_{clerk.config.instance_id[4:]}"}
    data = [_domain_json(**primary, proxy_url=None, is_satellite=False)]
    data += [_domain_json(id=d.id, name=d.name, proxy_url=d.proxy_url) for d in satellites]
    return {"data": data, "total_count": len(data)}


@blueprint.post("/domains")
def post_domain() -> Json:
    """Add a satellite domain."""
    clerk, body = current_clerk(), json_body()
    name = required_text(body, "name").strip().lower()
    if not flag(body, "is_satellite", True):
        raise invalid("is_satellite", "true: an instance has one primary domain")
    if "." not in name or "/" in name or clerk.store.first(Domain, name=name):
        raise invalid("name", "a host name that is not there yet")
    domain = Domain(new_id("dmn"), clerk.now, clerk.now, name, optional_text(body, "proxy_url"))
    clerk.store.put(domain)
    return _domain_json(id=domain.id, name=name, proxy_url=domain.proxy_url)


@blueprint.patch("/domains/<id>")
def patch_domain(id: str) -> Json:
    """Change a satellite domain."""
    domain, body = _domain(id), json_body()
    domain.name = optional_text(body, "name") or domain.name
    if "proxy_url" in body:
        domain.proxy_url = optional_text(body, "proxy_url")
    current_clerk().store.put(domain)
    return _domain_json(id=domain.id, name=domain.name, proxy_url=domain.proxy_url)


@blueprint.delete("/domains/<id>")
def delete_domain(id: str) -> Json:
    """Take a satellite domain away."""
    current_clerk().store.delete(_domain(id))
    return {"object": "domain", "id": id, "deleted": True}


def _domain(id: str) -> Domain:
    return known(Domain, id, "Satellite domain")


def _domain_json(id: str, name: str, proxy_url: str | None, is_satellite: bool = True) -> Json:
    clerk = current_clerk()
    return {
        "object": "domain",
        "id": id,
        "name": name,
        "is_satellite": is_satellite,
        "frontend_api_url": clerk.config.issuer,
        "accounts_portal_url": clerk.config.own_url,
        "proxy_url": proxy_url,
        "development_origin": clerk.app_origin,
        "cname_targets": [],
    }
