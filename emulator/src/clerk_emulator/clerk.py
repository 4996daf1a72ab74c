"""The running instance: what every part of the emulator shares."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from flask import current_app, has_request_context, request

from .config import EmulatorConfig, RefusalError
from .settings import InstanceSettings, SettingsError
from .settings.source import SettingsSource
from .store import Store
from .tokens import TokenSigner
from .urls import origin_aliases, origin_of, public_base

Clock = Callable[[], int]
EXTENSION = "clerk_emulator"
OTHERS = "clerk_emulator_others"
CHOSEN = "clerk_emulator.instance"
"""In the WSGI environment: the publishable key of the instance that the path names."""
WITH_SECRET_KEY = ("/api/", "/emulator/")
CLOCK_OFFSET = "clock_offset"


def system_clock() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass
class LocalClerk:
    """One Clerk instance: its configuration, its memory, its key, its clock.

    :param source: the settings, which may change while it runs.
    :param clock: returns unix milliseconds; tests pass their own.
    :param on_event: called when a webhook is waiting to be sent.
    """

    config: EmulatorConfig
    store: Store
    signer: TokenSigner
    source: SettingsSource
    clock: Clock
    on_event: Callable[[], None] = lambda: None
    csrf_key: bytes = field(init=False, repr=False)
    offset: int = field(init=False)
    """Milliseconds by which the instance's time is ahead of the real one."""

    def __post_init__(self) -> None:
        self.csrf_key = _load_or_create_csrf_key(self.store)
        self.offset = int(self.store.setting(CLOCK_OFFSET) or 0)

    @property
    def now(self) -> int:
        """Unix milliseconds, as far as users and sessions are concerned."""
        return self.clock() + self.offset

    def travel(self, offset: int) -> None:
        """Put the instance's time so many milliseconds ahead of the real one."""
        self.store.set_setting(CLOCK_OFFSET, str(offset))
        self.offset = offset

    def reset(self) -> None:
        """Forget everybody and everything that happened. Keys and switched settings stay."""
        self.store.empty()
        self.travel(0)

    @property
    def settings(self) -> InstanceSettings:
        """What the instance allows now."""
        return self.source.current()

    @property
    def app_origin(self) -> str:
        """The app's origin."""
        return cast(str, origin_of(self.config.app_url))

    def app_page(self, path: str) -> str:
        """The URL of a page of the app.

        :param path: below the app's address.
        """
        return f"{self.config.app_url.rstrip('/')}{path}"


def open_clerk(config: EmulatorConfig, clock: Clock = system_clock) -> LocalClerk:
    """The instance in ``config.state``, which the first start makes.

    :raises RefusalError: if the state file or the settings file cannot be used.
    """
    store = Store(config.state)
    signer = TokenSigner(store, config.instance_id, config.issuer)
    try:
        source = SettingsSource(store, config.settings)
    except SettingsError as error:
        raise RefusalError(str(error)) from None
    return LocalClerk(config, store, signer, source, clock)


def _load_or_create_csrf_key(store: Store) -> bytes:
    key = store.setting("csrf_key")
    if key is None:
        key = secrets.token_hex(32)
        store.set_setting("csrf_key", key)
    return bytes.fromhex(key)


def current_clerk() -> LocalClerk:
    """The instance that the current request is about.

    The one that the path names; else, for the Backend API, the one whose secret key was sent;
    else the one whose proxy sent it on; else the first.
    """
    first, *others = instances()
    if not others or not has_request_context():
        return first
    key = request.environ.get(CHOSEN)
    if key is not None:
        return next((one for one in (first, *others) if one.config.publishable_key == key), first)
    return _with_secret_key(_secret_key_sent(), (first, *others)) or first


def instances() -> list[LocalClerk]:
    """All instances that the current Flask app serves; the first is the default."""
    found = current_app.extensions
    return [found[EXTENSION], *found.get(OTHERS, ())]


def _secret_key_sent() -> str:
    if request.path.startswith(WITH_SECRET_KEY):
        return request.headers.get("Authorization", "").partition(" ")[2]
    return request.headers.get("Clerk-Secret-Key", "")


def _with_secret_key(key: str, among: Sequence[LocalClerk]) -> LocalClerk | None:
    """Compared with each in constant time."""
    found = [c for c in among if hmac.compare_digest(c.config.secret_key.encode(), key.encode())]
    return found[0] if found else None


def base_url() -> str:
    """The address under which the current request's browser sees the emulator."""
    config = current_clerk().config
    return public_base(request.headers.get("Clerk-Proxy-Url"), config.app_url, config.own_url)


def authorized_party() -> str:
    """The ``azp`` for tokens of the current request: the origin the app is being used under."""
    clerk = current_clerk()
    origin = origin_of(base_url())
    return origin if origin in origin_aliases(clerk.config.app_url) else clerk.app_origin
