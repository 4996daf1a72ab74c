"""Social login: a visit to the provider's page, and what comes of it.

Who starts one gets a verification whose secret ``state`` belongs to one browser. The provider's
page (:mod:`clerk_emulator.hosted.consent`) writes down whom it named, and sends the browser to
the callback, which redeems the state, once.
"""

from __future__ import annotations

import secrets

from .clerk import LocalClerk
from .errors import ClerkError, not_found, unsupported_strategy
from .external_accounts import PREFIX, Identity, connect, connected_account, fill_in
from .redirects import return_url
from .resources import (
    Client,
    EmailAddress,
    ExternalAccount,
    Session,
    SignIn,
    SignUp,
    User,
    Verification,
    new_id,
)
from .sessions import Visitor, client_sessions
from .sign_ins import begin_sign_in, finish_sign_in, give_first_factor
from .sign_ups import CLOSED, SignUpDetails, begin_sign_up, finish_sign_up
from .users import check_email_free, save_user
from .verifications import begin_verification


def is_oauth(strategy: str | None) -> bool:
    """Whether a strategy is a social login, such as ``oauth_google``."""
    return (strategy or "").startswith(PREFIX)


def begin_visit(
    clerk: LocalClerk, client: Client, strategy: str, target: str, redirect_url: str
) -> Verification:
    """Start a visit to the provider's page.

    :param target: id of the sign-in, sign-up or external account that it is for.
    :param redirect_url: where the browser goes afterwards.
    :raises ClerkError: for a provider that is not enabled, or a page that is not the app's.
    """
    if not is_oauth(strategy) or not clerk.settings.has_social(strategy.removeprefix(PREFIX)):
        raise unsupported_strategy()
    verification = begin_verification(
        clerk,
        strategy,
        target,
        client_id=client.id,
        redirect_url=return_url(clerk, redirect_url),
    )
    clerk.store.put(verification)
    return verification


def begin_oauth_sign_in(
    clerk: LocalClerk, client: Client, strategy: str, redirect_url: str
) -> SignIn:
    """Start signing in at a provider."""
    sign_in = begin_sign_in(clerk, client, None)
    prepare_oauth(clerk, client, sign_in, strategy, redirect_url)
    return sign_in


def prepare_oauth(
    clerk: LocalClerk, client: Client, sign_in: SignIn, strategy: str, redirect_url: str
) -> None:
    """Let a sign-in go on at a provider."""
    visit = begin_visit(clerk, client, strategy, sign_in.id, redirect_url)
    sign_in.first_verification_id = visit.id
    clerk.store.put(sign_in)


def begin_oauth_sign_up(
    clerk: LocalClerk, client: Client, sign_up: SignUp, strategy: str, redirect_url: str
) -> None:
    """Let a registration go on at a provider."""
    visit = begin_visit(clerk, client, strategy, sign_up.id, redirect_url)
    sign_up.external_verification_id = visit.id
    clerk.store.put(sign_up)


def transfer_to_sign_up(clerk: LocalClerk, client: Client, details: SignUpDetails) -> SignUp:
    """Register whom a provider named while nobody here has that identity.

    :raises ClerkError: if this browser's sign-in has nothing to transfer.
    """
    sign_in = clerk.store.get(SignIn, client.sign_in_id)
    visit = _transferable(clerk, client, sign_in.first_verification_id if sign_in else None)
    sign_up = begin_sign_up(clerk, client, details)
    _register(clerk, sign_up, visit)
    return sign_up


def transfer_to_sign_in(clerk: LocalClerk, client: Client) -> SignIn:
    """Sign in whom a provider named during a registration, though the account exists already.

    :raises ClerkError: if this browser's sign-up has nothing to transfer.
    """
    sign_up = clerk.store.get(SignUp, client.sign_up_id)
    visit = _transferable(clerk, client, sign_up.external_verification_id if sign_up else None)
    user = _owner(clerk, Identity(**visit.identity))
    if user is None:
        raise not_found("Account")
    sign_in = begin_sign_in(clerk, client, None)
    _sign_in(clerk, client, sign_in, visit, user)
    return sign_in


def _transferable(clerk: LocalClerk, client: Client, id: str | None) -> Verification:
    visit = clerk.store.get(Verification, id)
    usable = visit is not None and visit.status == "transferable" and visit.expire_at > clerk.now
    if visit is None or not usable or visit.client_id != client.id:
        raise ClerkError("account_transfer_invalid", "There is no account to transfer.", 400)
    return visit


def open_visit(clerk: LocalClerk, client: Client | None, state: str) -> Verification:
    """The visit with that state, as long as it can go on, for the browser that started it.

    :raises ClerkError: 403 for an unknown, used or expired state, and for another browser's.
    """
    visit = clerk.store.first(Verification, token=state) if state else None
    if (
        visit is None
        or client is None
        or not is_oauth(visit.strategy)
        or visit.client_id != client.id
        or visit.status != "unverified"
        or visit.expire_at <= clerk.now
    ):
        message = "This sign-in has expired or is from another browser. Start again in the app."
        raise ClerkError("authorization_invalid", message, 403)
    return visit


def consent(clerk: LocalClerk, visit: Verification, identity: Identity) -> str:
    """Write down whom the provider named; returns the authorization code for the callback."""
    visit.identity = identity.as_dict()
    visit.code = secrets.token_urlsafe(24)
    clerk.store.put(visit)
    return visit.code


def finish_visit(
    clerk: LocalClerk, client: Client, visit: Verification, code: str, visitor: Visitor
) -> None:
    """Redeem the authorization code; without the right one, the person has denied access.

    What is wrong with the identity becomes the verification's error, which Clerk.js shows.
    """
    visit.token = ""
    visit.updated_at = clerk.now
    clerk.store.put(visit)
    granted = bool(visit.code) and secrets.compare_digest(visit.code.encode(), code.encode())
    visit.code = ""
    try:
        if not granted:
            raise ClerkError("oauth_access_denied", "You did not grant access to your account.")
        with clerk.store.transaction():
            _apply(clerk, client, visit, visitor)
    except ClerkError as error:
        visit.status = "failed"
        visit.error = error.as_json()["errors"][0]
        clerk.store.put(visit)


def _apply(clerk: LocalClerk, client: Client, visit: Verification, visitor: Visitor) -> None:
    identity = Identity(**visit.identity)
    sign_in = clerk.store.get(SignIn, visit.target)
    sign_up = clerk.store.get(SignUp, visit.target)
    account = clerk.store.get(ExternalAccount, visit.target)
    owner = _owner(clerk, identity)
    if account is not None:
        _connect(clerk, account, visit, identity)
    elif owner is not None and (session := _session_of(clerk, client, owner)):
        message = "You're already signed in."
        raise ClerkError("identifier_already_signed_in", message, meta={"session_id": session.id})
    elif sign_in is not None and sign_in.created_session_id is None:
        if owner is None:
            _refuse_newcomers(clerk)
            _offer(clerk, visit, "external_account_not_found", "The External Account was not found")
            return
        _sign_in(clerk, client, sign_in, visit, owner)
        finish_sign_in(clerk, client, sign_in, visitor)
        _keep_in_view(clerk, client, sign_in, None)
    elif sign_up is not None and sign_up.created_user_id is None:
        if owner is not None:
            _offer(clerk, visit, "external_account_exists", "This external account already exists.")
            return
        _register(clerk, sign_up, visit)
        finish_sign_up(clerk, client, sign_up, visitor)
        _keep_in_view(clerk, client, None, sign_up)
    else:
        raise not_found("The sign-in or sign-up of this page")


def _refuse_newcomers(clerk: LocalClerk) -> None:
    """Where not everybody may sign up, a sign-in does not become a sign-up."""
    mode = clerk.settings.sign_up.mode
    if mode in CLOSED:
        raise ClerkError(*CLOSED[mode], 403)


def _offer(clerk: LocalClerk, visit: Verification, code: str, message: str) -> None:
    """Clerk.js may go on with the other form: sign-up instead of sign-in, or the reverse."""
    visit.status = "transferable"
    visit.error = ClerkError(code, message).as_json()["errors"][0]
    clerk.store.put(visit)


def _keep_in_view(
    clerk: LocalClerk, client: Client, sign_in: SignIn | None, sign_up: SignUp | None
) -> None:
    """Let Clerk.js find what the visit has finished, until it makes the session active."""
    client.sign_in_id = sign_in.id if sign_in else client.sign_in_id
    client.sign_up_id = sign_up.id if sign_up else client.sign_up_id
    clerk.store.put(client)


def _owner(clerk: LocalClerk, identity: Identity) -> User | None:
    """Whose account this is: by the provider's id, else by an address that both have verified."""
    account = connected_account(clerk, identity)
    if account is not None:
        return clerk.store.get(User, account.user_id)
    if not identity.email_verified:
        return None
    email = clerk.store.first(EmailAddress, email_address=identity.email_address, verified=True)
    return clerk.store.get(User, email.user_id) if email else None


def _session_of(clerk: LocalClerk, client: Client, user: User) -> Session | None:
    return next((s for s in client_sessions(clerk, client) if s.user_id == user.id), None)


def _sign_in(
    clerk: LocalClerk, client: Client, sign_in: SignIn, visit: Verification, user: User
) -> None:
    identity = Identity(**visit.identity)
    if sign_in.user_id not in (None, user.id):
        raise ClerkError("external_account_not_found", "This is not the account of that user.")
    if connected_account(clerk, identity) is None:
        connect(clerk, user, identity, visit.id)
        save_user(clerk, user)
    sign_in.user_id = user.id
    sign_in.identifier = sign_in.identifier or identity.email_address
    sign_in.first_verification_id = visit.id
    _verified(clerk, visit)
    give_first_factor(clerk, sign_in, visit.strategy)


def _register(clerk: LocalClerk, sign_up: SignUp, visit: Verification) -> None:
    """Fill in what the provider told; what the person has typed already stays."""
    identity = Identity(**visit.identity)
    if sign_up.email_address is None and clerk.settings.attributes.email_address.enabled:
        check_email_free(clerk, identity.email_address)
        sign_up.email_address = identity.email_address
    if sign_up.email_address == identity.email_address and identity.email_verified:
        sign_up.email_verified = True
    sign_up.first_name = sign_up.first_name or identity.first_name or None
    sign_up.last_name = sign_up.last_name or identity.last_name or None
    sign_up.external_account = identity.as_dict()
    sign_up.external_verification_id = visit.id
    sign_up.updated_at = clerk.now
    _verified(clerk, visit)
    clerk.store.put(sign_up)


def _verified(clerk: LocalClerk, visit: Verification) -> None:
    visit.status = "verified"
    visit.error = None
    clerk.store.put(visit)


def begin_connection(
    clerk: LocalClerk, client: Client, user: User, strategy: str, redirect_url: str
) -> ExternalAccount:
    """Start connecting an account at a provider to a user who is signed in."""
    now = clerk.now
    account = ExternalAccount(
        new_id("eac"), now, now, user.id, strategy.removeprefix(PREFIX), "", new_id("idn")
    )
    visit = begin_visit(clerk, client, strategy, account.id, redirect_url)
    for old in clerk.store.find(ExternalAccount, user_id=user.id, provider=account.provider):
        if not old.verified:
            clerk.store.delete(old)
    account.verification_id = visit.id
    clerk.store.put(account)
    return account


def reauthorize(
    clerk: LocalClerk, client: Client, account: ExternalAccount, redirect_url: str
) -> None:
    """Ask the provider again, for an account that is connected."""
    strategy = PREFIX + account.provider
    account.verification_id = begin_visit(clerk, client, strategy, account.id, redirect_url).id
    clerk.store.put(account)


def _connect(
    clerk: LocalClerk, account: ExternalAccount, visit: Verification, identity: Identity
) -> None:
    user = clerk.store.get(User, account.user_id)
    if user is None:
        raise not_found("User")
    other = connected_account(clerk, identity)
    if other is not None and other.id != account.id:
        message = "This external account is already connected."
        raise ClerkError("external_account_exists", message)
    if account.verified and account.provider_user_id != identity.provider_user_id:
        raise ClerkError("external_account_mismatch", "This is not the account to reauthorize.")
    fill_in(clerk, account, identity)
    _verified(clerk, visit)
    save_user(clerk, user)
