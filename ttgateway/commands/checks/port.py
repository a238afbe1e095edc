"""The API's port: does our gateway answer there, or could one listen, or who has it?"""

import errno
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.commands.checks.holders import holder, keeper, ports_of
from ttgateway.commands.gateway.calling import NoAnswer, Requests, call
from ttgateway.commands.terminal.console import Aside
from ttgateway.listening import is_loopback

PART = "port"
ANSWERS_WITHIN = 2.5

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  # to recognise it


class Place(msgspec.Struct, frozen=True):
    """Where a gateway listens, or would: whether only this machine can connect, and its TCP ports."""

    local: bool = False
    ports: tuple[int, ...] = ()


async def answers(reactor: Any, requests: Requests, serves: list[tuple[str, int]]) -> tuple[Findings, Place]:
    """Return whether the running gateway answers where it says that it serves."""
    findings = [await _answers(reactor, requests, host, port) for host, port in serves]
    place = Place(all(is_loopback(host) for host, _ in serves), tuple(port for _, port in serves))
    return findings or [ok(PART, "the gateway listens on no TCP port")], place


async def _answers(reactor: Any, requests: Requests, host: str, port: int) -> Finding:
    target = _ANY.get(host, f"[{host}]" if ":" in host else host)
    try:
        await call(requests, reactor, "GET", f"http://{target}:{port}/api/v2", limit=ANSWERS_WITHIN)
    except NoAnswer as error:
        if error.nobody or "within" in str(error):
            do = "Look at the gateway's log, and restart it: systemctl restart ttgateway"
            return fault(PART, f"the gateway does not answer at {target}, port {port}: {error}", do)
    return ok(PART, f"the gateway answers at {host}, port {port}")


def of_silent(lock: Path) -> tuple[Findings, Place]:
    """Return what is found of the ports of a gateway that holds ``lock``, but cannot be asked. Blocks."""
    pid = keeper(lock)
    ports = [] if pid is None else ports_of(pid)
    do = f"Look at its log: journalctl -u ttgateway; restart it: systemctl restart ttgateway, or end it: kill -9 {pid}"
    what = f"the gateway (pid {pid}) holds it, but cannot be asked"
    return [fault(PART, f"port {port}: {what}", do) for port in ports], Place(ports=tuple(ports))


async def is_free(reactor: Any, aside: Aside, listen: str) -> tuple[Findings, Place]:
    """Return whether a gateway could listen at ``listen``: by listening there for a moment."""
    try:
        endpoint = serverFromString(reactor, listen)
        listening: Any = await endpoint.listen(Factory())
    except CannotListenError as error:
        return await _taken(reactor, aside, error)
    except Exception as error:  # whatever a plug-in raises for what it cannot read
        do = "Name an endpoint like tcp:8000 or tcp:8000:interface=127.0.0.1, as the gateway is started with"
        return [warning(PART, f"--listen {listen} cannot be tried: {error or type(error).__name__}", do)], Place()
    at = listening.getHost()
    await maybeDeferred(listening.stopListening)
    if not hasattr(at, "port"):
        return [ok(PART, f"{listen} is free")], Place(local=True)
    return [ok(PART, f"port {at.port} is free")], Place(is_loopback(at.host), (at.port,))


async def _taken(reactor: Any, aside: Aside, error: CannotListenError) -> tuple[Findings, Place]:
    why = getattr(error.socketError, "errno", None)
    if not isinstance(error.port, int):
        return [fault(PART, f"cannot listen on {error.port!r}: {error.socketError}", "Name another path")], Place(True)
    place = Place(is_loopback(error.interface), (error.port,))
    if why == errno.EADDRINUSE:
        who = await aside(reactor, partial(holder, error.port)) or "another process"
        do = f"End {who}, or start the gateway on another port: --listen tcp:8001"
        return [fault(PART, f"port {error.port} is taken by {who}", do)], place
    if why == errno.EACCES:
        do = "Use a port from 1024 on, or let systemd open it: ttgateway.socket (docs/operations.rst)"
        return [fault(PART, f"this user may not listen on port {error.port}", do)], place
    do = "Name an address that this machine has: ip address"
    return [fault(PART, f"cannot listen on {error.interface}, port {error.port}: {error.socketError}", do)], place
