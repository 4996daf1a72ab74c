"""Clerk's error shape, and the errors we answer with."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

SHORT_MESSAGES = {
    "already_a_member_in_organization": "already a member",
    "authentication_invalid": "Invalid authentication",
    "authorization_invalid": "Unauthorized request",
    "backup_codes_not_available": "Backup codes not available",
    "commerce_statement_not_found": "Statement not found",
    "feature_not_enabled": "not enabled",
    "form_code_incorrect": "is incorrect",
    "form_param_format_invalid": "is invalid",
    "form_param_max_length_exceeded": "exceeds maximum length",
    "form_param_missing": "is missing",
    "form_param_unknown": "is unknown",
    "form_param_value_invalid": "is invalid",
    "invalid_plan_change": "Invalid plan change",
    "missing_organization_permission": "missing permission",
    "missing_payer_email": "Missing payer email",
    "no_password_set": "no password set",
    "organization_invitation_not_found": "not found",
    "organization_not_enabled_in_instance": "access denied",
    "organization_not_found_or_unauthorized": "not found or unauthorized",
    "origin_invalid": "Invalid HTTP Origin header",
    "password_required": "password required",
    "payment_attempt_failed_card_declined": "Your card was declined",
    "plan_already_active": "Plan already active",
    "resource_not_found": "not found",
    "session_exists": "Session already exists",
    "session_reverification_required": "Reverification required",
    "sign_up_mode_restricted": "Sign-ups restricted",
    "sign_up_restricted_waitlist": "Sign-ups restricted with waitlist",
    "strategy_for_user_invalid": "Invalid verification strategy",
    "ticket_expired_code": "ticket has expired",
    "ticket_invalid_code": "ticket is invalid",
    "totp_already_enabled": "TOTP already enabled",
    "user_banned": "User banned",
    "user_locked": "Account locked",
    "verification_already_verified": "already verified",
}
"""Clerk's ``message`` of an error, where its ``long_message`` says more."""

NOT_FOUND_CODES = {
    "Checkout": "checkout_not_found",
    "Organization invitation": "organization_invitation_not_found",
    "Plan": "plan_not_found",
    "Statement": "commerce_statement_not_found",
    "Subscription item": "subscription_item_not_found",
}
"""What is not there, where Clerk's code is not ``resource_not_found``."""


class ClerkError(Exception):
    """A 4xx answer of Clerk's APIs.

    :param code: Clerk's machine-readable code, which its components translate for people.
    :param message: one sentence; becomes ``long_message``, and ``message`` too unless that code
        is one of :data:`SHORT_MESSAGES`.
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
            "message": SHORT_MESSAGES.get(self.code, self.message),
            "long_message": self.message,
            "meta": ({"param_name": self.param} if self.param else {}) | self.meta,
        }


def not_found(what: str) -> ClerkError:
    """404 for a resource that is not there, or belongs to somebody else."""
    code = NOT_FOUND_CODES.get(what, "resource_not_found")
    return ClerkError(code, f"{what} was not found.", 404)


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
    """400 for a verification strategy that this account or instance does not have."""
    message = "This verification strategy is not available here."
    return ClerkError("strategy_for_user_invalid", message, 400, "strategy")


def incorrect_code() -> ClerkError:
    """422 for a wrong one-time code."""
    message = "Incorrect code. The local Clerk accepts only 424242."
    return ClerkError("form_code_incorrect", message, param="code", keeps_changes=True)


def incorrect_second_factor() -> ClerkError:
    """422 for a wrong code of an authenticator app, or a wrong backup code."""
    message = "Incorrect code. Each code works only once."
    return ClerkError("form_code_incorrect", message, param="code", keeps_changes=True)


def incorrect_password(param: str = "password") -> ClerkError:
    """422 for a wrong password."""
    message = "Password is incorrect. Try again, or use another method."
    return ClerkError("form_password_incorrect", message, param=param)
