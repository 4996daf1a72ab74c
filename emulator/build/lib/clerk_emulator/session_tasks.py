"""What a person who is signed in still has to do before the session counts as active."""

from __future__ import annotations

from .clerk import LocalClerk
from .organizations import membership_of
from .resources import Session, User
from .second_factors import has_second_factor

RESET_PASSWORD = "reset-password"  # noqa: S105
SETUP_MFA = "setup-mfa"
CHOOSE_ORGANIZATION = "choose-organization"


def session_tasks(clerk: LocalClerk, session: Session, user: User) -> list[str]:
    """The keys of the tasks, as Clerk.js knows them, in the order in which it asks for them.

    Whoever impersonates somebody is not asked for the other person's secrets.
    """
    settings = clerk.settings
    own = session.actor is None
    second = settings.sign_in.second_factor_required and not has_second_factor(clerk, user)
    asked = settings.organizations.enabled and settings.organizations.force_organization_selection
    active = membership_of(clerk, session.last_active_organization_id, user.id)
    tasks = {
        RESET_PASSWORD: own and user.password_compromised and user.password_hash is not None,
        SETUP_MFA: own and second,
        CHOOSE_ORGANIZATION: asked and active is None,
    }
    return [key for key, waits in tasks.items() if waits]
