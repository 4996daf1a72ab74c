"""The protected part: your product starts here."""

from .views import blueprint

__all__ = ["blueprint"]
