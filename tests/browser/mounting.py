"""A page that the generated app doesn't have: a single Clerk component, on the app's own origin.

The page is a static file of the generated project, so that it's served, cached and restricted by the
Content-Security-Policy as the app's other pages are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PATH = "/static/component.html"
SCRIPT = Path(__file__).parent / "javascript" / "component.js"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>One component</title>
<div id="here"></div>
<script defer crossorigin="anonymous" src="/__clerk/npm/@clerk/ui@1/dist/ui.browser.js"></script>
<script defer crossorigin="anonymous" src="/__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
  data-clerk-publishable-key="{key}" data-clerk-proxy-url="{site}/__clerk"></script>
<script defer src="/static/component.js"></script>
</html>
"""

FORM = '''

@blueprint.route("/note", methods=["GET", "POST"])
@session_required
def note() -> ResponseReturnValue:
    """A form for the browser tests."""
    from flask import render_template_string, request

    if request.method == "POST":
        return render_template_string(
            "{% extends 'base.html' %}{% block content %}<output>{{ said }}</output>{% endblock %}",
            said=", ".join(f"{name}={value}" for name, value in request.form.items() if name != "csrf_token"),
        )
    return render_template_string(
        "{% extends 'base.html' %}{% block content %}"
        "<form id='note' method='post'><input type='hidden' name='csrf_token' value='{{ csrf_token() }}'>"
        "<textarea name='text' required></textarea>"
        "<input name='requestSubmit'><input name='method' value='get'>"
        "<button name='go' value='one'>One</button><button name='go' value='two'>Two</button></form>"
        "{% endblock %}"
    )
'''


def add_form(project: Path) -> None:
    """Add a page with a form, `/note`, to a generated project."""
    with (project / "app" / "dashboard" / "views.py").open("a", encoding="utf-8") as views:
        views.write(FORM)


def add_page(project: Path, site: str, key: str) -> None:
    """Add the page to a generated project.

    Args:
        project: the project's folder.
        site: the app's origin, such as `http://localhost:5000`.
        key: the publishable key.
    """
    static = project / "app" / "static"
    (static / "component.html").write_text(PAGE.format(key=key, site=site), encoding="utf-8")
    shutil.copy(SCRIPT, static)


def address(component: str, settings: dict[str, Any] | None = None, **props: Any) -> str:
    """Return the path and query that show this component.

    Args:
        component: such as `UserProfile`; `Nothing` only loads Clerk.js.
        settings: options for `Clerk.load()`.
        props: options for the component.
    """
    query = {"component": component, "props": json.dumps(props), "settings": json.dumps(settings or {})}
    return f"{PATH}?{urlencode(query)}"
