"""``/organizations``: what members do with their organizations, each as far as their role goes."""

from __future__ import annotations

from flask import Blueprint

from . import domains, invitations, memberships, organizations, requests

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")
for part in (organizations, memberships, invitations, domains, requests):
    blueprint.register_blueprint(part.blueprint)
