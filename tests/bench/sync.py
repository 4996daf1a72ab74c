"""How long `flask clerk sync` takes for many users, and how much memory it needs.

Runs in a generated project, with a local Clerk that has these users. Asserts that all rows were
added, and that ten times as many users need no more memory.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from clerk_emulator.resources import EmailAddress, Organization, OrganizationMembership, User
from clerk_emulator.store import Store
from emulator import ENVIRON, HEADERS, SECRET, running

START = 1_700_000_000_000
MEASURED = """
import resource, sys
from flask.cli import main
sys.argv = ["flask", "clerk", "sync", *sys.argv[1:]]
try:
    main()
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
MORE_MEMORY = 1.25
"""The factor by which memory may grow for ten times as many users."""


def fill(path: Path, number: int) -> None:
    """Create a state with this many users, and for each hundred of them an organization of ten."""
    store = Store(path)
    with store.transaction():
        for i in range(number):
            made = START + i * 1000
            user = User(
                f"user_{i:07}", made, made, first_name=f"Name {i}", primary_email_address_id=f"idn_{i}"
            )
            store.put(user)
            store.put(EmailAddress(f"idn_{i}", made, made, user.id, f"user{i}@example.com", verified=True))
            if i % 100 == 99:
                organization = Organization(f"org_{i:07}", made, made, name=f"Org {i}", slug=f"org-{i}")
                store.put(organization)
                for j in range(i - 9, i + 1):
                    member = (organization.id, f"user_{j:07}")
                    store.put(
                        OrganizationMembership(f"orgmem_{j:07}", made, made, *member, role="org:member")
                    )
    store.close()


def sync(url: str, database: Path, *options: str) -> tuple[float, int, str]:
    """Run the command; returns the seconds it took, its peak memory in KiB, and its output."""
    environ = ENVIRON | {
        "SECRET_KEY": secrets.token_hex(),
        "DATABASE_URL": f"sqlite:///{database}",
        "CLERK_EMULATOR_URL": url,
        "CLERK_SECRET_KEY": SECRET,
    }
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *options],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    peak = re.search(r"peak (\d+)", done.stdout)
    assert peak, done.stdout
    return time.perf_counter() - began, int(peak[1]), done.stdout


def measure(number: int) -> int:
    """Fill an empty database, then compare it; returns the larger peak memory in KiB."""
    with tempfile.TemporaryDirectory() as folder:
        state, database = Path(folder) / "clerk.sqlite3", Path(folder) / "app.db"
        fill(state, number)
        with running(state) as (url, _, _):
            enabled = {"organizations": {"enabled": True}}
            requests.patch(f"{url}/emulator/settings", headers=HEADERS, json=enabled, timeout=60)
            filled, peak, output = sync(url, database)
            assert f"users: {number:,} in Clerk; {number:,} added, 0 changed, 0 deleted" in output, output
            again, peak_again, output = sync(url, database)
            assert output.count("0 added, 0 changed, 0 deleted") == 3, output
    print(
        f"{number:,} users: filled in {filled:.1f} s ({peak / 1024:.0f} MiB), "
        f"compared in {again:.1f} s ({peak_again / 1024:.0f} MiB)",
        flush=True,
    )
    return max(peak, peak_again)


def main() -> None:
    """Measure with a tenth of the users, then with all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=100_000)
    users = parser.parse_args().users
    few, many = measure(users // 10), measure(users)
    print(f"memory: {many / few:.2f} times as much for ten times as many users")
    assert many < few * MORE_MEMORY


if __name__ == "__main__":
    main()
