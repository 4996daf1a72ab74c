"""The old place of what :mod:`clerk_emulator.testing` has."""

from .testing import RunningClerk, RunningClock, serving

__all__ = ["RunningClerk", "RunningClock", "serving"]
