"""Replace what a forked process must not share with its parent: locks and open connections."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """An object that can replace its locks and connections."""

    def renew(self) -> None:
        """Replace the locks and connections."""


_renewables: WeakSet[Renewable] = WeakSet()


def renew_after_fork(renewable: Renewable) -> None:
    """Call ``renew()`` in every forked process before any other code runs there.

    :param renewable: held by a weak reference only.
    """
    _renewables.add(renewable)


def _renew_all() -> None:
    for renewable in list(_renewables):
        renewable.renew()


if hasattr(os, "register_at_fork"):  # absent on Windows
    os.register_at_fork(after_in_child=_renew_all)
