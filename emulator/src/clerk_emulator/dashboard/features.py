"""``/dashboard/features``: forms over the settings. What is switched lies over the file's."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug import Response

from ..clerk import current_clerk
from ..errors import ClerkError
from ..external_accounts import provider_name
from ..settings import InstanceSettings, SettingsError, settings_as_tables
from .pages import go, render
from .switches import GROUPS, PROVIDERS, Group, Switch

blueprint = Blueprint("features", __name__, url_prefix="/dashboard/features")


@blueprint.get("")
def index() -> Response:
    """All switches, as they stand."""
    clerk = current_clerk()
    tables = settings_as_tables(clerk.settings)
    return render(
        "features.html",
        section="Settings",
        groups=GROUPS,
        value=lambda path: value_of(tables, path),
        providers={key: provider_name(clerk.settings, key) for key in _providers(clerk.settings)},
        social=clerk.settings.has_social,
        switched=clerk.source.switched(),
        path=clerk.config.settings,
    )


@blueprint.post("/reset")
def reset() -> Response:
    """Only the file counts again."""
    current_clerk().source.replace({})
    return go("dashboard.features.index", "The settings were reset.")


@blueprint.post("/social")
def social() -> Response:
    """Which social providers people may sign in with."""
    settings, wanted = current_clerk().settings, request.form.getlist("provider")
    changed = {
        provider: {"enabled": provider in wanted}
        for provider in _providers(settings)
        if settings.has_social(provider) is not (provider in wanted)
    }
    return _switch({"social": changed} if changed else {}, "Social logins")


@blueprint.post("/<group>")
def submit(group: str) -> Response:
    """Switch what differs from how it stands."""
    found = next((one for one in GROUPS if one.key == group), None)
    if found is None:
        raise ClerkError("resource_not_found", "There is no such group of settings.", 404)
    return _switch(_changes(current_clerk().settings, found), found.title)


def _providers(settings: InstanceSettings) -> list[str]:
    return sorted({*PROVIDERS, *settings.social})


def _switch(tables: dict[str, Any], title: str) -> Response:
    try:
        current_clerk().source.switch(tables)
    except SettingsError as error:
        raise ClerkError("form_param_value_invalid", str(error), 422) from None
    return go("dashboard.features.index", f"{title}: saved.")


def _changes(settings: InstanceSettings, group: Group) -> dict[str, Any]:
    current, changes = settings_as_tables(settings), dict[str, Any]()
    for switch in group.switches:
        sent = _sent(switch)
        before = value_of(current, switch.path)
        if sent != (list(before) if isinstance(before, tuple) else before):
            _set(changes, switch.path, sent)
    return changes


def _sent(switch: Switch) -> Any:
    form = request.form
    if switch.kind == "flag":
        return switch.path in form
    if switch.kind == "several":
        return [choice for choice in switch.choices if choice in form.getlist(switch.path)]
    text = form.get(switch.path, "").strip()
    if switch.kind == "number":
        # Anything else goes on as it is: the settings say what is wrong with it.
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text
    return text


def value_of(tables: dict[str, Any], path: str) -> Any:
    """What stands at ``a.b.c``."""
    found: Any = tables
    for name in path.split("."):
        found = found[name]
    return found


def _set(tables: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        tables = tables.setdefault(name, {})
    tables[last] = value
