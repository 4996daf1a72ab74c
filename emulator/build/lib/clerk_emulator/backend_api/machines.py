"""``/machines``: programs that talk to other programs, and to which ones they may."""

from __future__ import annotations

from flask import Blueprint, request

from ..clerk import current_clerk
from ..machine_tokens import (
    add_scope,
    create_machine,
    delete_machine,
    new_machine_key,
    remove_scope,
)
from ..resources import Machine
from ..serializers import Json
from ..serializers.machines import machine_json
from ..users import check_required_name
from .parameters import json_body, known, listed, required_text, text_list, whole_number

blueprint = Blueprint("machines", __name__, url_prefix="/machines")

DEFAULT_TOKEN_SECONDS = 3600


@blueprint.get("")
def list_machines() -> Json:
    """Machines, newest first; ``query`` is part of the name or the id."""
    clerk = current_clerk()
    part = request.args.get("query", "").strip().lower()
    newest_first = request.args.get("order_by", "-created_at").strip().startswith("-")
    machines = [
        machine
        for machine in clerk.store.find(Machine, newest_first=newest_first)
        if part in machine.name.lower() or part == machine.id.lower()
    ]
    return listed(machines, lambda machine: machine_json(clerk, machine))


@blueprint.post("")
def post_machine() -> Json:
    """Make a machine. Its secret key is in the answer."""
    clerk, body = current_clerk(), json_body()
    seconds = whole_number(body, "default_token_ttl", least=1) or DEFAULT_TOKEN_SECONDS
    scopes = text_list(body, "scoped_machines")
    machine = create_machine(clerk, required_text(body, "name"), scopes, seconds)
    return machine_json(clerk, machine, with_key=True)


@blueprint.get("/<id>")
def get_machine(id: str) -> Json:
    """One machine."""
    return machine_json(current_clerk(), _machine(id))


@blueprint.patch("/<id>")
def patch_machine(id: str) -> Json:
    """Change the name, or how long tokens last by default."""
    clerk, machine, body = current_clerk(), _machine(id), json_body()
    if body.get("name") is not None:
        machine.name = check_required_name(required_text(body, "name"))
    seconds = whole_number(body, "default_token_ttl", least=1)
    machine.default_token_ttl = seconds or machine.default_token_ttl
    machine.updated_at = clerk.now
    clerk.store.put(machine)
    return machine_json(clerk, machine)


@blueprint.delete("/<id>")
def remove_machine(id: str) -> Json:
    """Forget a machine and its tokens."""
    delete_machine(current_clerk(), _machine(id))
    return {"object": "machine", "id": id, "deleted": True}


@blueprint.get("/<id>/secret_key")
def get_secret_key(id: str) -> Json:
    """The machine's secret key."""
    return {"object": "machine_secret_key", "secret": _machine(id).secret_key}


@blueprint.post("/<id>/secret_key/rotate")
def rotate_secret_key(id: str) -> Json:
    """Another secret key. The old one is of no use at once."""
    clerk, machine = current_clerk(), _machine(id)
    machine.secret_key = new_machine_key()
    machine.updated_at = clerk.now
    clerk.store.put(machine)
    return {"object": "machine_secret_key", "secret": machine.secret_key}


@blueprint.post("/<id>/scopes")
def post_scope(id: str) -> Json:
    """Let a machine talk to another one."""
    clerk, machine = current_clerk(), _machine(id)
    to_id = required_text(json_body(), "to_machine_id")
    add_scope(clerk, machine, to_id)
    return _scope_json(id, to_id) | {"created_at": clerk.now}


@blueprint.delete("/<id>/scopes/<to_id>")
def delete_scope(id: str, to_id: str) -> Json:
    """Let a machine no longer talk to another one."""
    remove_scope(current_clerk(), _machine(id), to_id)
    return _scope_json(id, to_id) | {"deleted": True}


def _scope_json(id: str, to_id: str) -> Json:
    return {"object": "machine_scope", "from_machine_id": id, "to_machine_id": to_id}


def _machine(id: str) -> Machine:
    return known(Machine, id, "Machine")
