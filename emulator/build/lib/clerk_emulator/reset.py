"""``python -m clerk_emulator.reset``: forget all users, as the dashboard's button does.

It may run beside the emulator, which notices at its next request.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .config import RefusalError
from .store import Store


def main() -> int:
    """Ask, then empty the state file.

    :returns: the exit code: 0, 1 when the answer was no, or 2 when the file cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m clerk_emulator.reset",
        description="Delete everybody from a local Clerk. Keys and switched features stay.",
    )
    parser.add_argument("state", type=Path, help="the state file")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    arguments = parser.parse_args()
    if not arguments.state.is_file():
        print(f"There is nothing to delete: {arguments.state} does not exist.")
        return 0
    if not (arguments.yes or _confirmed(arguments.state)):
        print("Nothing was deleted.")
        return 1
    try:
        store = Store(arguments.state)
        store.empty()
        store.close()
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return 2
    print("Everything was deleted.")
    return 0


def _confirmed(state: Path) -> bool:
    try:
        answer = input(f"Delete all users, sessions and organizations in {state}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main())
