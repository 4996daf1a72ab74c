"""``/waitlist_entries``: who would like to sign up."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..errors import invalid
from ..resources import WaitlistEntry
from ..serializers import Json
from ..serializers.tickets import waitlist_entry_json
from ..users import normalize_email
from ..waitlist_admission import add_to_waitlist, invite_from_waitlist, reject_from_waitlist
from .parameters import flag, json_body, known, listed, required_text

blueprint = Blueprint("waitlist_entries", __name__, url_prefix="/waitlist_entries")


@blueprint.get("")
def list_entries() -> Json:
    """The waitlist, newest first; ``status`` and ``query`` narrow it down."""
    clerk = current_clerk()
    status = request.args.get("status")
    part = request.args.get("query", "").strip().lower()
    newest_first = request.args.get("order_by", "-created_at").strip().startswith("-")
    found = [
        entry
        for entry in clerk.store.find(WaitlistEntry, newest_first=newest_first)
        if status in (None, entry.status) and part in entry.email_address
    ]
    return listed(found, lambda entry: waitlist_entry_json(clerk, entry))


@blueprint.post("")
def post_entry() -> Json:
    """Put somebody on the waitlist."""
    clerk = current_clerk()
    address = normalize_email(required_text(json_body(), "email_address"))
    return waitlist_entry_json(clerk, add_to_waitlist(clerk, address))


@blueprint.post("/bulk")
def post_entries() -> list[Json]:
    """Put several people on the waitlist."""
    clerk = current_clerk()
    bodies = request.get_json(force=True, silent=True)
    if not isinstance(bodies, list) or not all(isinstance(body, dict) for body in bodies):
        raise invalid("body", "a list of JSON objects")
    addresses = [normalize_email(required_text(body, "email_address")) for body in bodies]
    return [waitlist_entry_json(clerk, add_to_waitlist(clerk, address)) for address in addresses]


@blueprint.post("/<id>/invite")
def invite(id: str) -> Json:
    """Let somebody in: they get an invitation."""
    clerk, entry = current_clerk(), _entry(id)
    invite_from_waitlist(clerk, entry, ignore_existing=flag(json_body(), "ignore_existing"))
    return waitlist_entry_json(clerk, entry)


@blueprint.post("/<id>/reject")
def reject(id: str) -> Json:
    """Do not let somebody in."""
    clerk, entry = current_clerk(), _entry(id)
    reject_from_waitlist(clerk, entry)
    return waitlist_entry_json(clerk, entry)


@blueprint.delete("/<id>")
def delete_entry(id: str) -> Json:
    """Take somebody from the waitlist."""
    current_clerk().store.delete(_entry(id))
    return {"object": "waitlist_entry", "id": id, "deleted": True}


def _entry(id: str) -> WaitlistEntry:
    return known(WaitlistEntry, id, "Waitlist entry")
