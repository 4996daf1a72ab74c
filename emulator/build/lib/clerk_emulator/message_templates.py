"""The texts of e-mails and SMS: Clerk's names for them, and what the app's owner made of them."""

from __future__ import annotations

from dataclasses import dataclass

from .clerk import LocalClerk
from .resources import Record

TYPES = ("email", "sms")


@dataclass(frozen=True)
class Template:
    """A text that every instance has.

    :param variables: what a text of one's own must contain.
    """

    slug: str
    name: str
    subject: str = ""
    body: str = ""
    variables: tuple[str, ...] = ()


CODE = ("otp_code",)
LINK = ("action_url",)
TEMPLATES = {
    "email": (
        Template(
            "verification_code",
            "Verification code",
            "{{otp_code}} is your verification code",
            "Your code is {{otp_code}}.",
            CODE,
        ),
        Template(
            "reset_password_code",
            "Reset password code",
            "{{otp_code}} is your reset password code",
            "Your code is {{otp_code}}.",
            CODE,
        ),
        Template(
            "affiliation_code",
            "Affiliation code",
            "{{otp_code}} is your affiliation code",
            "Your code is {{otp_code}}.",
            CODE,
        ),
        Template(
            "magic_link_sign_in", "Sign in", "Sign in to {{app.name}}", "{{action_url}}", LINK
        ),
        Template(
            "magic_link_sign_up", "Sign up", "Sign up to {{app.name}}", "{{action_url}}", LINK
        ),
        Template(
            "magic_link_user_profile", "Add email", "Verify your email", "{{action_url}}", LINK
        ),
        Template(
            "invitation",
            "Invitation",
            "Your invitation to {{app.name}}",
            "{{action_url}}",
            LINK,
        ),
        Template(
            "organization_invitation",
            "Organization invitation",
            "You are invited to join an organization",
            "{{action_url}}",
            LINK,
        ),
    ),
    "sms": (
        Template("verification_code", "Verification code", "", "{{otp_code}} is your code.", CODE),
        Template("reset_password_code", "Reset password", "", "{{otp_code}} is your code.", CODE),
    ),
}


def changed_template(clerk: LocalClerk, type: str, slug: str) -> Record | None:
    """What the app's owner has made of a text, or a text of their own.

    :param type: ``email`` or ``sms``.
    """
    found = clerk.store.find(Record, category=f"{type}_template")
    return next((record for record in found if record.data["slug"] == slug), None)


def is_delivered(clerk: LocalClerk, type: str, slug: str) -> bool:
    """Whether Clerk would send it. Otherwise the app does, when it is told of the message."""
    changed = changed_template(clerk, type, slug)
    return changed is None or bool(changed.data.get("delivered_by_clerk", True))
