"""``/npm/…``: Clerk's browser bundles, from a local folder, else from the public CDN.

The folder holds ``clerk-js/`` and ``ui/``, each an unpacked npm package that
``clerk-emulator assets`` puts there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from flask import Blueprint, abort, redirect, send_from_directory
from werkzeug import Response
from werkzeug.security import safe_join

from .clerk import current_clerk

blueprint = Blueprint("bundles", __name__)

PACKAGES = ("clerk-js", "ui")
CDN = "https://cdn.jsdelivr.net/npm"
YEAR_SECONDS = 365 * 24 * 3600
FILE_NAME = re.compile(r"(?!.*\.\.)[\w@.-]+(/[\w@.-]+)*", re.ASCII)
VERSION = re.compile(r"[\w.-]+", re.ASCII)


@blueprint.get("/npm/@clerk/<any(ui, 'clerk-js'):package>@<version>/dist/<path:name>")
def get_bundle(package: str, version: str, name: str) -> Response:
    """One file of a bundle. Any version in the path is answered with the version that is here."""
    if not (VERSION.fullmatch(version) and FILE_NAME.fullmatch(name)):
        abort(404)
    folder = current_clerk().config.assets.absolute() / package
    path = safe_join(str(folder / "dist"), name)
    if path is None or not Path(path).is_file():
        return _redirect_to_cdn(package, version, name)
    response = send_from_directory(folder / "dist", name, mimetype=_mime_type(name))
    response.headers["Access-Control-Allow-Origin"] = "*"
    if version == local_version(folder):
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_SECONDS
        response.cache_control.immutable = True
    return response


def local_version(folder: Path) -> str | None:
    """The exact version of an unpacked package; None if there is none."""
    try:
        version = json.loads((folder / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None
    return str(version)


def _redirect_to_cdn(package: str, version: str, name: str) -> Response:
    response = redirect(f"{CDN}/@clerk/{package}@{version}/dist/{name}", 307)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.cache_control.no_store = True
    return response


def _mime_type(name: str) -> str | None:
    return "text/javascript" if name.endswith((".js", ".mjs")) else None
