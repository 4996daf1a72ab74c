"""Clerk's error shape, and the errors we answer with."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any


class ClerkError(Exception):
    """A 4xx answer of Clerk's APIs.

    :param code: Clerk's machine-readable code, which its components translate for people.
    :param message: one sentence; becomes ``message`` and ``long_message``.
    :param status: the HTTP status.
    :param param: the request parameter at fault; Clerk's forms show the text under that field.
    :param keeps_changes: whether what the request has stored so far stays, such as a count of
        attempts. Otherwise an error undoes the whole request.
    :param meta: more for Clerk.js, such as a ``session_id``.
    :param others: what else is wrong, in the same answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 422,
        param: str | None = None,
        *,
        keeps_changes: bool = False,
        meta: dict[str, Any] | None = None,
        others: Sequence[ClerkError] = (),
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.param = param
        self.keeps_changes = keeps_changes
        self.meta = meta or {}
        self.others = tuple(others)
        self.client: dict[str, Any] | None = None
        """The browser as Clerk.js shall see it now, where an error changes what it is doing."""

    def as_json(self) -> dict[str, Any]:
        """The body that goes with :attr:`status`."""
        errors = [error.entry() for error in (self, *self.others)]
        body: dict[str, Any] = {"errors": errors, "clerk_trace_id": secrets.token_hex(16)}
        return body | ({"meta": {"client": self.client}} if self.client else {})

    def entry(self) -> dict[str, Any]:
        """This error alone, as one of the list."""
        return {
            "code": self.code,
            "message": self.message,
            "long_message": self.message,
            "meta": ({"param_name": self.param} if self.param else {}) | self.meta,
        }


def not_found(what: str) -> ClerkError:
    """404 for a resource that is not there, or belongs to somebody else."""
    return ClerkError("resource_not_found", f"{what} was not found.", 404)


def missing(param: str) -> ClerkError:
    """422 for an absent or empty parameter."""
    return ClerkError("form_param_nil", f"Enter {param.replace('_', ' ')}.", param=param)


def invalid(param: str, expected: str) -> ClerkError:
    """422 for a parameter whose value makes no sense."""
    return ClerkError("form_param_value_invalid", f"{param} must be {expected}.", param=param)


def signed_out() -> ClerkError:
    """401 for a call that needs a session. Clerk.js then signs the page out."""
    return ClerkError("authentication_invalid", "You are not signed in.", 401)


def unsupported_strategy() -> ClerkError:
    """422 for a verification strategy that this account or instance does not have."""
    return ClerkError(
        "strategy_for_user_invalid",
        "This verification strategy is not available here.",
        param="strategy",
    )


def incorrect_code() -> ClerkError:
    """422 for a wrong one-time code."""
    message = "Incorrect code. Here it is 424242."
    return ClerkError("form_code_incorrect", message, param="code", keeps_changes=True)


def incorrect_second_factor() -> ClerkError:
    """422 for a wrong code of an authenticator app, or a wrong backup code."""
    message = "Incorrect code. Each code works only once."
    return ClerkError("form_code_incorrect", message, param="code", keeps_changes=True)


def incorrect_password(param: str = "password") -> ClerkError:
    """422 for a wrong password."""
    message = "Password is incorrect. Try again, or use another method."
    return ClerkError("form_password_incorrect", message, param=param)
