"""Tickets: what lets somebody in who has been invited, or whom the app's server sends.

A ticket travels in a link as ``__clerk_ticket``. It belongs to an invitation, to an invitation
into an organization, or to a sign-in token, and counts once.
"""

from __future__ import annotations

from .clerk import LocalClerk
from .errors import ClerkError
from .invitations import tell_invitation
from .organization_invitations import accept_invitation, find_ticket
from .resources import (
    EmailAddress,
    Invitation,
    OrganizationInvitation,
    SignIn,
    SignInToken,
    SignUp,
    User,
)
from .users import check_email_free


def attach_ticket(clerk: LocalClerk, sign_up: SignUp, ticket: str) -> None:
    """Let an invitation give the registration its e-mail address, which counts as verified.

    :raises ClerkError: 400 for a ticket that is unknown, used, revoked or has expired; 422 if the
        address has an account already.
    """
    found = open_invitation(clerk, ticket) or find_ticket(clerk, ticket)
    if found is None:
        raise invalid_ticket()
    check_email_free(clerk, found.email_address)
    sign_up.email_address = found.email_address
    sign_up.email_verified = True
    sign_up.email_verification_id = None
    if isinstance(found, Invitation):
        sign_up.invitation_id = found.id
        sign_up.public_metadata = found.public_metadata
    else:
        sign_up.organization_invitation_id = found.id


def open_invitation(clerk: LocalClerk, ticket: str) -> Invitation | None:
    """The pending invitation with that ticket; None if it belongs to none.

    :raises ClerkError: 400 if it was accepted, revoked or has expired.
    """
    invitation = clerk.store.first(Invitation, ticket=ticket) if ticket else None
    if invitation is not None:
        require_open(clerk, invitation)
    return invitation


def require_open(clerk: LocalClerk, invitation: Invitation) -> None:
    """Refuse an invitation that is over.

    :raises ClerkError: 400.
    """
    over = invitation.expires_at is not None and invitation.expires_at <= clerk.now
    status = "expired" if over and invitation.status == "pending" else invitation.status
    problems = {
        "accepted": ("invitation_already_accepted", "This invitation is already accepted."),
        "revoked": ("revoked_invitation", "This invitation has been revoked."),
        "expired": ("ticket_expired_code", "This invitation has expired. Ask for another."),
    }
    if status in problems:
        code, message = problems[status]
        raise ClerkError(code, message, 400, "ticket")


def check_invited(clerk: LocalClerk, sign_up: SignUp) -> None:
    """Make sure that the invitation still holds when the account is made.

    :raises ClerkError: 400 if it was taken back or used in the meantime, or is for another address.
    """
    if sign_up.invitation_id is None:
        return
    invitation = clerk.store.get(Invitation, sign_up.invitation_id)
    if invitation is None or invitation.email_address != sign_up.email_address:
        raise invalid_ticket()
    require_open(clerk, invitation)


def accept_invitations(clerk: LocalClerk, sign_up: SignUp, user: User) -> str | None:
    """Use up the invitation that a new account was made with.

    :returns: id of the organization that the user has joined by it.
    """
    invitation = clerk.store.get(Invitation, sign_up.invitation_id)
    if invitation is not None:
        invitation.status, invitation.updated_at = "accepted", clerk.now
        clerk.store.put(invitation)
        tell_invitation(clerk, "accepted", invitation)
    into = clerk.store.get(OrganizationInvitation, sign_up.organization_invitation_id)
    return accept_invitation(clerk, into, user).organization_id if into else None


def redeem_ticket(clerk: LocalClerk, sign_in: SignIn, ticket: str) -> None:
    """Let a ticket say who signs in: a sign-in token, or an invitation into an organization.

    :raises ClerkError: 400 for a ticket that is unknown, used, revoked or has expired.
    """
    token = clerk.store.first(SignInToken, ticket=ticket) if ticket else None
    if token is not None:
        if token.actor is not None and clerk.store.get(User, token.user_id) is None:
            message = "The user of the actor token no longer exists. Please request a new one."
            raise ClerkError("actor_token_subject_not_found", message, 404, "ticket")
        _use_token(clerk, token)
        sign_in.user_id, sign_in.actor = token.user_id, token.actor
        sign_in.session_seconds = token.session_max_duration_in_seconds
        return
    invitation = find_ticket(clerk, ticket)
    email = invitation and clerk.store.first(
        EmailAddress, email_address=invitation.email_address, verified=True
    )
    if invitation is None or email is None:
        raise invalid_ticket()
    sign_in.user_id, sign_in.identifier = email.user_id, email.email_address
    sign_in.organization_invitation_id = invitation.id


def accept_into_organization(clerk: LocalClerk, sign_in: SignIn, user: User) -> str | None:
    """Use up the invitation that the user has signed in with.

    :returns: id of the organization.
    """
    invitation = clerk.store.get(OrganizationInvitation, sign_in.organization_invitation_id)
    return accept_invitation(clerk, invitation, user).organization_id if invitation else None


def _use_token(clerk: LocalClerk, token: SignInToken) -> None:
    kind = "actor_token" if token.actor else "sign_in_token"
    if token.status == "accepted":
        message = "This ticket has already been used."
        raise ClerkError(f"{kind}_already_used_code", message, 400, "ticket")
    if token.status != "pending":
        raise ClerkError(f"{kind}_revoked_code", "This ticket has been revoked.", 400, "ticket")
    if token.expires_at <= clerk.now:
        raise ClerkError("ticket_expired_code", "This ticket has expired.", 400, "ticket")
    token.status, token.updated_at = "accepted", clerk.now
    clerk.store.put(token)


def invalid_ticket() -> ClerkError:
    """400 for a ticket that belongs to nothing."""
    return ClerkError("ticket_invalid_code", "This ticket is not valid.", 400, "ticket")
