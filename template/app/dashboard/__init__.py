"""The signed-in home page: your product starts here."""

from .views import blueprint

__all__ = ["blueprint"]
