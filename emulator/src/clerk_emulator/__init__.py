"""A local stand-in for Clerk, for development and tests only.

It has Clerk's Frontend API, Backend API, webhooks, and plain versions of its hosted pages, so that
the unmodified Clerk.js and an app run against it without an account or a network. It imports
nothing from the app: they communicate over HTTP, as with the real Clerk.
"""

from typing import TYPE_CHECKING, Any

from .config import EmulatorConfig, RefusalError

if TYPE_CHECKING:
    from .app import create_emulator
else:

    def __getattr__(name: str) -> Any:
        """Import the application on first use: every pytest run imports this package."""
        if name != "create_emulator":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .app import create_emulator

        return create_emulator


__all__ = ["EmulatorConfig", "RefusalError", "create_emulator"]
