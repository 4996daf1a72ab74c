"""The endpoints of the local Clerk, and which of Clerk's clients are tested with them.

Run by `nox -s endpoints`, after `nox -s browser clients`: it writes the tables of
emulator/ENDPOINTS.md from the requests that those two sessions logged in .nox/traffic/.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tools import ROOT

if TYPE_CHECKING:
    from flask import Flask

PAGE = ROOT / "emulator" / "ENDPOINTS.md"
TRAFFIC = ROOT / ".nox" / "traffic"
REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/\S*) (?:2|3)\d\d$", re.M)
SECTIONS = {"/v1/": "Frontend API", "/api/v1/": "Backend API"}
CLIENTS = {
    "browser": "Clerk.js",
    "python-sdk": "clerk-backend-api",
    "backend": "@clerk/backend",
    "express": "@clerk/express",
    "testing": "@clerk/testing",
}
"""By the name of a log in .nox/traffic/: the client that sent its requests.

Parallel processes have a log each, such as ``browsergw0.log``.
"""


@dataclass(frozen=True, order=True)
class Endpoint:
    """One method of one path, with `<…>` for its variable parts."""

    path: str
    method: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of its requests."""
        pieces = re.split(r"(<[^>]*>)", self.path)
        return re.compile("".join(_piece(piece) for piece in pieces) + r"/?\Z")


def _piece(piece: str) -> str:
    if not piece.startswith("<"):
        return re.escape(piece)
    return ".+" if piece.startswith("<path:") else "[^/]+"


def _spelled_out(path: str) -> list[str]:
    """Expand `<any(one, other):name>` into one path for each word."""
    before, marker, after = path.partition("<any(")
    if not marker:
        return [path]
    words, _, after = after.partition("):")
    rest = after.partition(">")[2]
    spelled = [f"{before}{word.strip(chr(39) + chr(34) + chr(32))}{rest}" for word in words.split(",")]
    return [one for path in spelled for one in _spelled_out(path)]


def listed(app: Flask) -> list[Endpoint]:
    """Return all endpoints of both APIs of a local Clerk."""
    return sorted(
        Endpoint(path.rstrip("/"), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(tuple(SECTIONS))
        for path in _spelled_out(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def seen(known: list[Endpoint], traffic: Path = TRAFFIC) -> dict[Endpoint, set[str]]:
    """Return the clients of each endpoint whose requests succeeded."""
    users: dict[Endpoint, set[str]] = defaultdict(set)
    for name in CLIENTS:
        logs = traffic.glob(f"{name}*.log")
        requests = {r for log in logs for r in REQUEST.findall(log.read_text("utf-8", "replace"))}
        # The browser tests call the Backend API too, but not through Clerk.js.
        requests = {r for r in requests if r[1].startswith("/v1/") or name != "browser"}
        for method, path in requests:
            # Prefer the path with the fewest variable parts, as Werkzeug does.
            fitting = [one for one in known if one.method == method and one.pattern.match(path)]
            if fitting:
                users[min(fitting, key=lambda one: one.path.count("<"))].add(name)
    return users


def table(known: list[Endpoint], users: dict[Endpoint, set[str]]) -> str:
    """Return the tables of the page, in Markdown."""
    lines = []
    for prefix, title in SECTIONS.items():
        clients = {
            n: c
            for n, c in CLIENTS.items()
            if any(n in u for e, u in users.items() if e.path.startswith(prefix))
        }
        lines += ["", f"## {title}", "", "| | | " + " | ".join(clients.values()) + " |"]
        lines += ["|---" * (len(clients) + 2) + "|"]
        for one in known:
            if one.path.startswith(prefix):
                marks = " | ".join("✓" if name in users.get(one, set()) else "" for name in clients)
                lines.append(f"{_row(one)} {marks} |")
    return "\n".join(lines) + "\n"


def missing(known: list[Endpoint], text: str) -> set[str]:
    """Return the rows that are missing in the page, and those of unknown endpoints."""
    rows = set(re.findall(r"^(\| [A-Z]+ \| `[^`]*` \|)", text, re.M))
    return rows ^ {_row(one) for one in known}


def _row(one: Endpoint) -> str:
    return f"| {one.method} | `{one.path.removeprefix('/api')}` |"


def main() -> int:
    """Write the tables into the page. With --check, report rows that are missing or outdated."""
    from clerk_emulator import create_emulator
    from clerk_emulator.testing import example_config

    with tempfile.TemporaryDirectory() as folder:
        known = listed(create_emulator(example_config(Path(folder))))
    text = PAGE.read_text("utf-8")
    if "--check" in sys.argv:
        wrong = missing(known, text)
        print("\n".join(sorted(wrong)))
        return 1 if wrong else 0
    head = text.partition("\n## ")[0].rstrip() + "\n"
    PAGE.write_text(head + table(known, seen(known)), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(known)} endpoints")
    return 0


if __name__ == "__main__":
    sys.exit(main())
