"""What a forked process must not share with its parent: held locks, and open connections."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Something that makes itself anew in a child process."""

    def renew(self) -> None:
        """Replace locks and connections."""


_renewables: WeakSet[Renewable] = WeakSet()


def renew_after_fork(renewable: Renewable) -> None:
    """Call ``renew()`` in every child process, before anything else runs there.

    Kept weakly: who is not used any more is forgotten.
    """
    _renewables.add(renewable)


def _renew_all() -> None:
    for renewable in list(_renewables):
        renewable.renew()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_all)
