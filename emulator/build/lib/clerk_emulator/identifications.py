"""What identifies an account, while its owner adds, verifies and removes it."""

from __future__ import annotations

from collections.abc import Sequence

from .claims import is_taken, taken
from .clerk import LocalClerk
from .errors import ClerkError, unsupported_strategy
from .links import send_link
from .multi_factor import settle_multi_factor
from .redirects import return_url
from .resources import Client, EmailAddress, ExternalAccount, PhoneNumber, User, Verification
from .settings.model import Attribute
from .users import save_user
from .verifications import check_code, open_verification, send_code

Identification = EmailAddress | PhoneNumber

MAX_UNVERIFIED = 10
"""Of each kind. Clerk does not say how many are too many."""


def check_room(clerk: LocalClerk, kind: type[EmailAddress] | type[PhoneNumber], user: User) -> None:
    """Refuse more addresses or numbers than an account may have, before they are verified.

    :raises ClerkError: 400 ``too_many_unverified_identifications``.
    """
    if clerk.store.count(kind, user_id=user.id, verified=False) >= MAX_UNVERIFIED:
        message = "There are too many unverified contacts for this user."
        raise ClerkError("too_many_unverified_identifications", message, 400)


def check_enabled(attribute: Attribute, param: str) -> None:
    """Refuse what the instance's users do not have.

    :raises ClerkError: ``form_param_unknown``.
    """
    if not attribute.enabled:
        message = f"{param} is not a valid parameter for this request."
        raise ClerkError("form_param_unknown", message, param=param)


def check_changeable(attribute: Attribute, param: str) -> None:
    """Refuse what users do not have, or may not change once they have signed up.

    :raises ClerkError: ``form_param_unknown`` or ``action_blocked``.
    """
    check_enabled(attribute, param)
    if attribute.immutable:
        raise ClerkError("action_blocked", f"{param} cannot be changed.", 403, param=param)


def prepare_code(clerk: LocalClerk, found: Identification, strategy: str) -> None:
    """Send a code to an address or number.

    :raises ClerkError: if the instance has no such verification, or none is needed.
    """
    _check_strategy(clerk, found, strategy)
    if strategy == "email_link":
        raise unsupported_strategy()
    _remember(clerk, found, send_code(clerk, strategy, found.id, address_of(found)))


def prepare_link(
    clerk: LocalClerk, email: EmailAddress, client: Client, redirect_url: str, link_base: str
) -> None:
    """Send a link to an address.

    :param client: the browser that waits for it.
    :param redirect_url: where the link leads in the end.
    :param link_base: the address that the link calls; its token is put after it.
    :raises ClerkError: if the instance has no such verification, none is needed, or the link
        would lead away from the app.
    """
    _check_strategy(clerk, email, "email_link")
    target = return_url(clerk, redirect_url)
    sent = send_link(clerk, email.id, email.email_address, client.id, target, link_base)
    _remember(clerk, email, sent)


def attempt_verification(clerk: LocalClerk, user: User, found: Identification, code: str) -> None:
    """Hand in the code that was sent to this very address or number.

    :raises ClerkError: as :func:`clerk_emulator.verifications.check_code`.
    """
    _refuse_verified(found)
    verification = open_verification(clerk, found.verification_id)
    if verification.target != found.id or not verification.code:
        raise unsupported_strategy()
    mark_verified(clerk, user, found, check_code(clerk, verification.id, code))


def settle_link(clerk: LocalClerk, user: User, found: Identification) -> None:
    """Count an address as verified once somebody has opened the link that was sent to it."""
    verification = clerk.store.get(Verification, found.verification_id)
    if found.verified or verification is None or verification.target != found.id:
        return
    opened = verification.strategy == "email_link" and verification.status == "verified"
    if opened and not _is_lost(clerk, found):
        mark_verified(clerk, user, found, verification)


def mark_verified(
    clerk: LocalClerk, user: User, found: Identification, verification: Verification
) -> None:
    """An address or number is its owner's. The first one becomes the primary one.

    :raises ClerkError: ``form_identifier_exists`` if somebody else was faster to prove it.
    """
    if _is_lost(clerk, found):
        raise taken("email_address" if isinstance(found, EmailAddress) else "phone_number")
    found.verified = True
    found.verified_by = verification.strategy
    found.updated_at = clerk.now
    clerk.store.put(found)
    if isinstance(found, EmailAddress):
        user.primary_email_address_id = user.primary_email_address_id or found.id
    else:
        user.primary_phone_number_id = user.primary_phone_number_id or found.id
    save_user(clerk, user)


def _is_lost(clerk: LocalClerk, found: Identification) -> bool:
    """Whether somebody else has proved to have it."""
    same: Sequence[Identification]
    if isinstance(found, EmailAddress):
        same = clerk.store.find(EmailAddress, email_address=found.email_address)
    else:
        same = clerk.store.find(PhoneNumber, phone_number=found.phone_number)
    return is_taken(clerk, [claim for claim in same if claim.id != found.id])


def remove_identification(clerk: LocalClerk, user: User, found: Identification) -> None:
    """Take an address or number from an account. Another verified one becomes the primary one.

    :raises ClerkError: 403 for the last one, or the last one of a kind that everybody must have.
    """
    if found.verified:
        _check_not_last(clerk, user, found)
    clerk.store.delete(found)
    rest = clerk.store.first(type(found), user_id=user.id, verified=True)
    next_id = rest.id if rest else None
    if user.primary_email_address_id == found.id:
        user.primary_email_address_id = next_id
    if user.primary_phone_number_id == found.id:
        user.primary_phone_number_id = next_id
    settle_multi_factor(clerk, user)
    save_user(clerk, user)


def address_of(found: Identification) -> str:
    """The address or number itself."""
    return found.email_address if isinstance(found, EmailAddress) else found.phone_number


def _check_not_last(clerk: LocalClerk, user: User, found: Identification) -> None:
    same = clerk.store.count(type(found), user_id=user.id, verified=True) - 1
    other_kind = PhoneNumber if isinstance(found, EmailAddress) else EmailAddress
    others = (
        clerk.store.count(other_kind, user_id=user.id, verified=True)
        + clerk.store.count(ExternalAccount, user_id=user.id, verified=True)
        + (user.username is not None)
    )
    if same + others == 0:
        message = "You cannot delete your last identification."
        raise ClerkError("last_identification_deletion_failed", message, 403)
    if same == 0 and _attribute(clerk, found).required:
        message = "You cannot delete your last required identification."
        raise ClerkError("last_required_identification_deletion_failed", message, 403)


def _attribute(clerk: LocalClerk, found: Identification) -> Attribute:
    attributes = clerk.settings.attributes
    is_email = isinstance(found, EmailAddress)
    return attributes.email_address if is_email else attributes.phone_number


def _strategies(clerk: LocalClerk, found: Identification) -> tuple[str, ...]:
    """A number in use has a code even where the settings name no verification."""
    named = _attribute(clerk, found).verifications
    return named or (("email_code",) if isinstance(found, EmailAddress) else ("phone_code",))


def _check_strategy(clerk: LocalClerk, found: Identification, strategy: str) -> None:
    _refuse_verified(found)
    if strategy not in _strategies(clerk, found):
        raise unsupported_strategy()


def _remember(clerk: LocalClerk, found: Identification, verification: Verification) -> None:
    found.verification_id = verification.id
    found.updated_at = clerk.now
    clerk.store.put(found)


def _refuse_verified(found: Identification) -> None:
    if found.verified:
        message = "This verification has already been completed."
        raise ClerkError("verification_already_verified", message, 400)
