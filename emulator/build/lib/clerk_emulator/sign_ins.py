"""Signing in, step by step: who are you, prove it, perhaps twice or with a new password."""

from __future__ import annotations

from dataclasses import dataclass

from .access import check_sign_in_access
from .channels import check_channel, remember_channel
from .clerk import LocalClerk
from .errors import ClerkError, incorrect_code, unsupported_strategy
from .identifiers import normalize_identifier, user_with_identifier
from .links import send_link
from .lockouts import check_welcome, counting_guesses, unlock
from .passwords import is_compromised
from .redirects import return_url
from .resources import Client, EmailAddress, PhoneNumber, Session, SignIn, User, new_id
from .second_factors import has_second_factor
from .second_steps import next_step
from .sessions import (
    Visitor,
    end_user_sessions,
    refuse_second_session,
    start_session,
    touch_session,
)
from .sign_in_factors import (
    CODE_STRATEGIES,
    RESET_STRATEGIES,
    SENT_STRATEGIES,
    Factor,
    first_factors,
    is_anonymous,
)
from .sign_up_if_missing import becomes_sign_up, may_sign_up, offer_sign_up
from .tickets import accept_into_organization, redeem_ticket
from .users import check_password, hash_password, save_user
from .verifications import begin_verification, check_code, open_verification, send_code


@dataclass(frozen=True)
class Wanted:
    """What the form of a first factor asks to be sent.

    :param target: id of the address or number; empty for the first one.
    :param redirect_url: where a link leads in the end.
    :param link_base: the address that a link calls; its token is put after it.
    :param channel: by which a code goes to a phone; empty for SMS.
    """

    strategy: str
    target: str = ""
    redirect_url: str = ""
    link_base: str = ""
    channel: str = ""


def begin_sign_in(
    clerk: LocalClerk, client: Client, identifier: str | None, *, sign_up_if_missing: bool = False
) -> SignIn:
    """Start over with a new sign-in.

    :param sign_up_if_missing: whether it may become a registration, where everybody may sign up.
    :raises ClerkError: ``form_identifier_not_found`` for an unknown identifier, unless nobody may
        be told; ``identifier_already_signed_in`` if the browser has a session of that user
        already (multi-session mode); ``user_banned`` and ``user_locked``.
    """
    now = clerk.now
    sign_in = SignIn(new_id("sia"), now, now, client_id=client.id)
    if identifier is not None:
        sign_in.identifier = normalize_identifier(clerk, identifier)
        sign_in.sign_up_if_missing = sign_up_if_missing and may_sign_up(clerk, sign_in.identifier)
        user = user_with_identifier(clerk, sign_in.identifier)
        if user is None and not is_anonymous(clerk, sign_in):
            raise _unknown()
        if user is not None:
            if clerk.settings.sessions.multi_session:
                refuse_second_session(clerk, client, user)
            sign_in.user_id = user.id
            if not is_anonymous(clerk, sign_in):
                check_welcome(clerk, user)
                check_sign_in_access(clerk, user)
        sign_in.status = "needs_first_factor"
    client.sign_in_id = sign_in.id
    clerk.store.put(client)
    clerk.store.put(sign_in)
    return sign_in


def begin_sign_in_with_ticket(clerk: LocalClerk, client: Client, ticket: str) -> SignIn:
    """Sign in whom a ticket names: nothing else is asked for.

    :raises ClerkError: as :func:`clerk_emulator.tickets.redeem_ticket`.
    """
    sign_in = begin_sign_in(clerk, client, None)
    redeem_ticket(clerk, sign_in, ticket)
    user = sign_in_user(clerk, sign_in)
    check_welcome(clerk, user)
    sign_in.verified_by, sign_in.status = "ticket", "complete"
    if sign_in.organization_invitation_id:
        sign_in.status = next_step(clerk, sign_in, user)
    _save(clerk, sign_in)
    return sign_in


def prepare_first_factor(clerk: LocalClerk, sign_in: SignIn, wanted: Wanted) -> None:
    """Send a code or link.

    :raises ClerkError: if this account cannot use that strategy, or a link leads elsewhere than to
        the app.
    """
    check_step(sign_in, "needs_first_factor")
    factor = _factor(clerk, sign_in, wanted)
    check_channel(clerk, wanted.strategy, wanted.channel)
    user = clerk.store.get(User, sign_in.user_id)
    to = _address(clerk, sign_in, user, factor)
    if wanted.strategy == "email_link":
        url = return_url(clerk, wanted.redirect_url)
        sent = begin_verification(clerk, "email_link", sign_in.id, redirect_url=url)
        if to is not None:
            sent = send_link(clerk, sign_in.id, to, sign_in.client_id, url, wanted.link_base)
    elif to is None:
        sent = begin_verification(clerk, wanted.strategy, sign_in.id)
    else:
        sent = send_code(clerk, wanted.strategy, sign_in.id, to)
    remember_channel(clerk, sent, wanted.channel)
    sign_in.prepared, sign_in.first_verification_id = wanted.strategy, sent.id
    _save(clerk, sign_in)


def _factor(clerk: LocalClerk, sign_in: SignIn, wanted: Wanted) -> Factor:
    """The one that was asked for, if it is one for which a message goes out."""
    user = clerk.store.get(User, sign_in.user_id)
    for factor in first_factors(clerk, sign_in, user):
        id = factor.get("email_address_id") or factor.get("phone_number_id")
        sent = factor["strategy"] in SENT_STRATEGIES
        if sent and factor["strategy"] == wanted.strategy and wanted.target in ("", id):
            return factor
    raise unsupported_strategy()


def _address(clerk: LocalClerk, sign_in: SignIn, user: User | None, factor: Factor) -> str | None:
    """Where the message goes; None for nowhere, because there is no such account."""
    if is_anonymous(clerk, sign_in):
        return sign_in.identifier if user or sign_in.sign_up_if_missing else None
    if "phone_number_id" in factor:
        phone = clerk.store.get(PhoneNumber, factor["phone_number_id"])
        return phone.phone_number if phone else None
    email = clerk.store.get(EmailAddress, factor["email_address_id"])
    return email.email_address if email else None


def attempt_first_factor(
    clerk: LocalClerk, sign_in: SignIn, strategy: str, password: str, code: str
) -> None:
    """Check a password or a code. Afterwards more is needed, or the sign-in is complete.

    :raises ClerkError: ``form_password_incorrect``, ``form_code_incorrect``,
        ``strategy_for_user_invalid``, or as :func:`clerk_emulator.verifications.check_code`.
    """
    check_step(sign_in, "needs_first_factor")
    user, anonymous = clerk.store.get(User, sign_in.user_id), is_anonymous(clerk, sign_in)
    if user is not None and not anonymous:
        check_welcome(clerk, user)
    with counting_guesses(clerk, user, tell=not anonymous):
        if strategy == "password":
            _check_password(clerk, sign_in, password)
        elif strategy in CODE_STRATEGIES:
            _check_code(clerk, sign_in, strategy, code)
        else:
            raise unsupported_strategy()
    give_first_factor(clerk, sign_in, strategy)


def _check_code(clerk: LocalClerk, sign_in: SignIn, strategy: str, code: str) -> None:
    """No code is right for nobody's account, or for a locked one that must not be told from it."""
    verification = open_verification(clerk, sign_in.first_verification_id)
    if verification.target != sign_in.id or verification.strategy != strategy:
        raise unsupported_strategy()
    user = clerk.store.get(User, sign_in.user_id)
    usable = user is not None and not user.is_locked(clerk.now)
    missing = becomes_sign_up(sign_in, strategy)
    check_code(clerk, verification.id, code if usable or missing else "")
    if missing:
        raise offer_sign_up(clerk, verification)


def _check_password(clerk: LocalClerk, sign_in: SignIn, password: str) -> None:
    anonymous = is_anonymous(clerk, sign_in)
    user = clerk.store.get(User, sign_in.user_id)
    if user is None and not anonymous:
        raise _unknown()
    usable = user is not None and user.password_hash is not None
    if not clerk.settings.attributes.password.enabled or not (usable or anonymous):
        raise unsupported_strategy()
    if user is not None and user.is_locked(clerk.now):
        user = None  # under enumeration protection: not even the right one says anything
    try:
        check_password(user or _NOBODY, password)
    except ClerkError:
        if not anonymous:
            raise
        message = "Password or identifier is incorrect. Try again."
        code = "form_password_or_identifier_incorrect"
        raise ClerkError(code, message, param="password") from None
    if user is not None:
        _check_not_stolen(clerk, user, password)


_NOBODY = User("", 0, 0)


def _check_not_stolen(clerk: LocalClerk, user: User, password: str) -> None:
    """The right password proves nothing once others may know it: Clerk.js offers other ways."""
    if user.password_compromised:
        message = "Your password may be compromised. Use another way to sign in, then replace it."
        raise ClerkError("form_password_compromised", message, param="password")
    rules = clerk.settings.password
    if rules.enforce_hibp_on_sign_in and is_compromised(rules, password):
        message = "Password has been found in an online data breach. Reset your password."
        raise ClerkError("form_password_pwned", message, param="password")


def give_first_factor(clerk: LocalClerk, sign_in: SignIn, strategy: str) -> None:
    """Go on after the first factor has been proved by this strategy."""
    sign_in.verified_by = strategy
    user = sign_in_user(clerk, sign_in)
    check_welcome(clerk, user)
    check_sign_in_access(clerk, user)
    sign_in.status = next_step(clerk, sign_in, user)
    if strategy in RESET_STRATEGIES:
        sign_in.status = "needs_new_password"
    _save(clerk, sign_in)


def reset_password(
    clerk: LocalClerk, sign_in: SignIn, password: str, *, sign_out_others: bool
) -> None:
    """Choose a new password after a reset code.

    :raises ClerkError: for a weak password, or when no reset code was given before.
    """
    if sign_in.status != "needs_new_password":
        raise unsupported_strategy()
    user = sign_in_user(clerk, sign_in)
    user.password_hash = hash_password(password, clerk.settings.password)
    user.password_compromised = False
    save_user(clerk, user)
    if sign_out_others:
        end_user_sessions(clerk, user, "revoked")
    sign_in.status = next_step(clerk, sign_in, user)
    _save(clerk, sign_in)


def finish_sign_in(
    clerk: LocalClerk, client: Client, sign_in: SignIn, visitor: Visitor
) -> Session | None:
    """Start the session of a complete sign-in, once; None while steps are missing."""
    if sign_in.status != "complete" or sign_in.created_session_id is not None:
        return None
    user = sign_in_user(clerk, sign_in)
    check_welcome(clerk, user)
    unlock(user)
    # Client trust is no second factor: who has none could not give it again when it gets old.
    twice = sign_in.second_verified_by is not None and has_second_factor(clerk, user)
    session = start_session(
        clerk,
        client,
        user,
        sign_in.verified_by or "",
        visitor,
        second_factor=twice,
        actor=sign_in.actor,
        lifetime_seconds=sign_in.session_seconds,
    )
    organization_id = accept_into_organization(clerk, sign_in, user)
    if organization_id is not None:
        touch_session(clerk, client, session, organization_id)
    sign_in.created_session_id = session.id
    _save(clerk, sign_in)
    return session


def sign_in_user(clerk: LocalClerk, sign_in: SignIn) -> User:
    """The account that is signing in.

    :raises ClerkError: if no identifier was given yet, or the account is gone.
    """
    user = clerk.store.get(User, sign_in.user_id)
    if user is None:
        raise incorrect_code() if is_anonymous(clerk, sign_in) else _unknown()
    return user


def abandon_sign_in(clerk: LocalClerk, client: Client, sign_in: SignIn, before: str | None) -> None:
    """Forget a sign-in that failed in the request that began it.

    :param before: id of the sign-in that was under way until then.
    """
    clerk.store.delete(sign_in)
    client.sign_in_id = before
    clerk.store.put(client)


def check_step(sign_in: SignIn, status: str) -> None:
    """Refuse factors out of order, and again after the sign-in has got further.

    :param status: what the sign-in must be waiting for.
    :raises ClerkError: otherwise.
    """
    if sign_in.status == "needs_identifier":
        raise _unknown()
    if sign_in.status != status:
        message = "This verification has already been completed."
        raise ClerkError("verification_already_verified", message, 400)


def _unknown() -> ClerkError:
    message = "Couldn't find your account."
    return ClerkError("form_identifier_not_found", message, param="identifier")


def _save(clerk: LocalClerk, sign_in: SignIn) -> None:
    sign_in.updated_at = clerk.now
    clerk.store.put(sign_in)
