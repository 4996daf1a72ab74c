"""Serving the emulator: a listening socket, threads, a request log, a clean stop."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .app import create_emulator
from .clerk import EXTENSION, OTHERS, LocalClerk
from .config import EmulatorConfig, RefusalError
from .webhooks import WebhookSender

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
QUIET_PATHS = ("/npm/", "/healthz", "/avatars/")


class RequestHandler(WSGIRequestHandler):
    """Keeps connections open, and logs one line per request: never a query, for it has tokens."""

    protocol_version = "HTTP/1.1"
    timeout = KEEP_ALIVE_SECONDS
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = quote(getattr(self, "path", "-").partition("?")[0], safe="/%")
        if not path.startswith(QUIET_PATHS):
            # What Clerk.js sends as POST may stand for another method.
            environ = getattr(self, "environ", {})
            method = environ.get("REQUEST_METHOD", getattr(self, "command", "-"))
            log.info("%s %s %s", method, path, code)

    def log(self, type: str, message: str, *args: Any) -> None:
        getattr(log, type)(message, *args)


def serve(
    config: EmulatorConfig,
    others: Sequence[EmulatorConfig] = (),
    announce: Callable[[EmulatorConfig], None] = lambda config: None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    :param others: more instances beside the first.
    :param announce: called when the server listens, with the port it has.
    :raises RefusalError: if the port is taken or the state file can't be used.
    """
    with _listen(config) as listener:
        port = listener.getsockname()[1]
        config = replace(config, port=port)
        app = create_emulator(config, others=[replace(other, port=port) for other in others])
        server = make_server(
            config.host,
            config.port,
            app,
            threaded=True,
            request_handler=RequestHandler,
            fd=listener.fileno(),
        )
        _serve(server, app, lambda: announce(config))


def _serve(server: BaseWSGIServer, app: Flask, announce: Callable[[], None]) -> None:
    clerk: LocalClerk = app.extensions[EXTENSION]
    senders = [WebhookSender(one) for one in (clerk, *app.extensions[OTHERS])]
    for sender in senders:
        sender.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        # From another thread: shutdown() waits for the loop that this signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    log.warning("LOCAL CLERK, FOR DEVELOPMENT ONLY: anyone on this computer can sign in.")
    print(f"Local Clerk ready on {clerk.config.own_url}", flush=True)
    announce()
    server.serve_forever(poll_interval=0.1)
    for sender in senders:
        sender.stop()
    server.server_close()


def _listen(config: EmulatorConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = "taken" if error.errno == errno.EADDRINUSE else f"unusable ({error.strerror})"
        raise RefusalError(
            f"Port {config.port} on {config.host} is {reason}. Expected a free port. Stop the "
            "other program (perhaps another local Clerk), or pass --port and change the addresses "
            "in the app's environment to match."
        ) from error
    return listener
