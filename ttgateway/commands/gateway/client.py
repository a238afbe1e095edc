"""The daemon, as a command sees it: through the Unix socket in the state directory."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from treq.client import HTTPClient
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from ttgateway.commands.gateway.calling import NoAnswer, Requests, call
from ttgateway.commands.terminal.busy import busy
from ttgateway.commands.terminal.console import CommandFailed, Console
from ttgateway.control.server import SOCKET

LIMIT = 5.0
"""Seconds for one question and its answer."""

_LONGEST_PATH = 107  # bytes of the name of a Unix socket, on Linux


class DaemonNotRunning(CommandFailed):
    """No gateway runs on this state directory."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"no gateway is running on the state directory {state_dir} (--state-dir names another)")


class DaemonClosed(CommandFailed):
    """Whoever asks may not ask the gateway."""

    def __init__(self, socket: Path) -> None:
        super().__init__(f"{socket}: permission denied; run this as the user that the gateway runs as")


class DaemonSilent(CommandFailed):
    """The gateway was asked, and no answer came: it may be slow, and do it all the same."""


class DaemonWantsRoom(CommandFailed):
    """The gateway refuses something because its disk is full."""


@implementer(IAgentEndpointFactory)
class _SocketEndpoints:
    """Leads to one Unix socket, whatever the URL says."""

    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._path = path

    def endpointForURI(self, uri: URI) -> UNIXClientEndpoint:  # noqa: N802
        """Return the endpoint."""
        return UNIXClientEndpoint(self._reactor, self._path, timeout=int(LIMIT))


def socket_requests(reactor: Any, state_dir: Path) -> Requests:
    """Return what sends HTTP requests to the control socket in ``state_dir``; raise `CommandFailed`."""
    path = min((str(state_dir / SOCKET), os.path.relpath(state_dir / SOCKET)), key=len)
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise CommandFailed(f"{path}: too long a path for a Unix socket; at most {_LONGEST_PATH} bytes")
    return HTTPClient(Agent.usingEndpointFactory(reactor, _SocketEndpoints(reactor, path)))


class Daemon:
    """What the daemon on one state directory can be asked."""

    def __init__(self, state_dir: Path, requests: Requests, timers: IReactorTime) -> None:
        self._state_dir = state_dir
        self._requests = requests
        self._timers = timers

    async def ask(self, method: str, *path: str, **body: object) -> Any:
        """Return what the daemon answers; raise `DaemonNotRunning`, or `CommandFailed` with what it refuses."""
        # Dots are legal in a token's name, and "." and ".." would be taken out of a URL.
        parts = "/".join(quote(part, safe="").replace(".", "%2E") for part in path)
        options = {"json": body} if body else {}
        try:
            answer = await call(self._requests, self._timers, method, f"http://daemon/{parts}", limit=LIMIT, **options)
            if answer.status == 200:
                return answer.parsed()
        except NoAnswer as error:
            raise self._failed(error) from None
        if answer.status in (400, 507):
            refused = CommandFailed if answer.status == 400 else DaemonWantsRoom
            raise refused(str(answer.parsed().get("message")))
        raise CommandFailed(f"the gateway failed at this (HTTP {answer.status}); its log says why")

    async def change(self, shown_by: str, method: str, *path: str, **body: object) -> Any:
        """Ask for a change, as `ask` does; where no answer comes, say that it may be done; ``shown_by`` shows it."""
        try:
            return await self.ask(method, *path, **body)
        except DaemonSilent as error:
            raise CommandFailed(f"{error}; it may still be done: look with {shown_by}") from None

    def _failed(self, error: NoAnswer) -> CommandFailed:
        path = self._state_dir / SOCKET
        if not error.nobody:
            return DaemonSilent(f"the gateway does not answer on {path}: {error}")
        try:
            path.stat()
        except PermissionError:
            return DaemonClosed(path)
        except OSError:
            return DaemonNotRunning(self._state_dir)
        if not os.access(path, os.W_OK):
            return DaemonClosed(path)
        return DaemonNotRunning(self._state_dir)


def daemon_of(console: Console, reactor: Any) -> Daemon:
    """Return the daemon on the console's state directory, which may not be running."""
    return Daemon(console.state_dir, console.control(reactor), reactor)


def change(console: Console, shown_by: str, method: str, *path: str) -> Any:
    """Ask the daemon for one change from a command that does nothing else; raise as `Daemon.change` does."""
    with busy("waiting for the gateway"):
        return console.run(lambda reactor, _: daemon_of(console, reactor).change(shown_by, method, *path))


def ask(console: Console, method: str, *path: str, **body: object) -> Any:
    """Ask the daemon one thing from a command that does nothing else; raise as `Daemon.ask` does."""
    with busy("waiting for the gateway"):
        return console.run(lambda reactor, _: daemon_of(console, reactor).ask(method, *path, **body))
