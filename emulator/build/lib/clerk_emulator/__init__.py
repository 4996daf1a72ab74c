"""A local stand-in for Clerk, for development and tests only.

It speaks Clerk's Frontend API, Backend API and webhooks, and has plain versions of Clerk's hosted
pages, so that the unmodified Clerk.js and this app run against it without an account or a network.
It imports nothing from the app: they meet over HTTP, as with the real Clerk.
"""

from .app import create_emulator
from .config import EmulatorConfig, RefusalError

__all__ = ["EmulatorConfig", "RefusalError", "create_emulator"]
