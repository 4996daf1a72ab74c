"""Pages that the generated app does not have: one Clerk component each, on the app's own origin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

PREFIX = "/_component/"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{component}</title>
<div id="here"></div>
<script defer crossorigin="anonymous" src="/__clerk/npm/@clerk/ui@1/dist/ui.browser.js"></script>
<script defer crossorigin="anonymous" src="/__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
  data-clerk-publishable-key="{key}" data-clerk-proxy-url="{site}/__clerk"></script>
<script>
addEventListener("DOMContentLoaded", async () => {{
  await Clerk.load({{
    ui: {{ ClerkUI: window.__internal_ClerkUICtor }}, signInUrl: "/login", signUpUrl: "/signup",
    signInFallbackRedirectUrl: "/dashboard", signUpFallbackRedirectUrl: "/dashboard", ...{settings}
  }});
  const component = "{component}";
  if (component !== "Nothing") Clerk[`mount${{component}}`](document.getElementById("here"), {props});
  document.body.dataset.ready = "yes";
}});
</script></html>"""


def offer(page: Page, site: str, key: str) -> None:
    """Answer `/_component/NAME?props=JSON&settings=JSON` in this browser with that component."""

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        query = parse_qs(url.query)
        body = PAGE.format(
            component=url.path.removeprefix(PREFIX),
            key=key,
            site=site,
            props=query.get("props", ["{}"])[0],
            settings=query.get("settings", ["{}"])[0],
        )
        route.fulfill(body=body, content_type="text/html; charset=utf-8")

    page.context.route(lambda url: url.startswith(site + PREFIX), answer)


def address(component: str, settings: dict[str, Any] | None = None, **props: Any) -> str:
    """Return the path of such a page."""
    query = urlencode({"props": json.dumps(props), "settings": json.dumps(settings or {})})
    return f"{PREFIX}{component}?{query}"
