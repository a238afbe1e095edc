"""A whole gateway in this process: the real site, routes, store and notifier; a clock, wires and listeners of fakes."""

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, LogLevel
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from tests.api.client import request
from tests.fuzz.judging import Answered, Wrong, check_frames, replies
from tests.fuzz.scripts import Script
from tests.notifier.network import Peer, fake_network
from tests.support import FakeClock, memory_gateway, memory_store, result_of
from ttgateway import settings
from ttgateway.api.app import api_resource
from ttgateway.api.parsing import MOST_BODY
from ttgateway.api.server.channel import ApiChannel
from ttgateway.api.server.request import ApiRequest
from ttgateway.api.server.site import ApiSite
from ttgateway.feeds.audience import Audience
from ttgateway.feeds.line import Line
from ttgateway.feeds.websocket import Feed
from ttgateway.machine import IPAddress
from ttgateway.metrics import Metrics
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.notifier.notifier import Notifier
from ttgateway.store.tables.entry import COLUMNS, Entry

MOST_LISTENERS = 5
SETTINGS = settings.Settings(listeners=settings.Listeners(most=MOST_LISTENERS))

MOST_WAIT = 75.0
"""Seconds after which no connection may be open: the longest deadline (65 s) and the time to be cut off after it."""

PASSING = (ApiChannel, ApiRequest, Feed, Line, ListenerConnection)
"""What must be gone when its connection is."""


@implementer(ILogObserver)
class Complaints:
    """What was logged and should not have been."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") in (LogLevel.error, LogLevel.critical) or "log_failure" in event:
            failure = event.get("log_failure")
            self.found.append(str(failure.getTraceback() if failure else event.get("log_format")))


class Listeners:
    """Listeners that are dialled: one in four addresses is down, one in four refuses all, the others take all."""

    def __init__(self) -> None:
        self._asked: list[_Listener] = []

    def __call__(self, address: IPAddress, port: int, host: str | None) -> Deferred[ListenerConnection]:
        connecting: Deferred[ListenerConnection] = Deferred()
        if int(address) % 4 == 0:
            connecting.errback(ConnectError())
        else:
            connection = ListenerConnection(tls=host is not None)
            _Listener(connection, address, port, host).asked = self._asked.append
            connecting.callback(connection)
        return connecting

    def answer(self) -> None:
        """Let every listener that was sent something answer it."""
        while self._asked:
            listener = self._asked.pop()
            if listener.open:
                listener.answer(404 if int(listener.address) % 4 == 1 else 200)


class _Listener(Peer):
    """One connection to a listener, which tells ``asked`` of each request, and keeps none of them."""

    asked: Callable[["_Listener"], None]

    def __init__(self, connection: ListenerConnection, address: IPAddress, port: int, host: str | None) -> None:
        super().__init__(connection, address, port, host)
        self.transport.write = self._write  # type: ignore[method-assign]

    def _write(self, data: bytes) -> None:
        self.asked(self)


class _Transport(StringTransport):
    """The server's end of a TCP connection: nothing goes out on it once it is closed, or half of it is."""

    half_closed = False

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        pass

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        pass

    def loseWriteConnection(self) -> None:  # noqa: N802
        self.half_closed = True

    def write(self, data: bytes) -> None:
        if not self.disconnected:
            super().write(data)  # type: ignore[no-untyped-call]


class Wire:
    """One client's connection to the gateway."""

    def __init__(self, site: ApiSite, peer: int) -> None:
        self.transport = _Transport(peerAddress=IPv4Address("TCP", f"10.9.0.{peer + 1}", 40_000))  # type: ignore[no-untyped-call]
        directlyProvides(self.transport, ITCPTransport)
        self.ended = False
        self._longest = 0
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    @property
    def closed(self) -> bool:
        """Whether the server has closed the connection, or cut it off."""
        return bool(self.transport.disconnecting or self.transport.disconnected)

    def send(self, data: bytes) -> None:
        """Send some bytes, unless the server has closed."""
        if not self.closed and not self.ended:
            self.channel.dataReceived(data)
            kept = sum(each.content_size for each in self.channel.requests)
            self._longest = max(self._longest, len(data))
            if kept > MOST_BODY + self._longest:
                raise Wrong(f"{kept} bytes of a body were taken")

    def end(self) -> None:
        """Let the connection be lost."""
        if not self.ended:
            self.ended = True
            self.channel.connectionLost(Failure(ConnectionDone()))

    def said(self) -> bytes:
        """Return all that the server has written."""
        return bytes(self.transport.value())  # type: ignore[no-untyped-call]

    def came(self, script: Script) -> list[Answered]:
        """Return what was answered; raises `Wrong`."""
        answers, frames = replies(self.said(), script, whole=not script.leaves)
        check_frames(frames)
        return answers


class Gateway:
    """The gateway; ``honest`` is the secret of an honest till, ``shown`` the one that scripts show."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock, settings=SETTINGS)
        self._listeners = Listeners()
        network = msgspec.structs.replace(fake_network(self.timers), dial=self._listeners)
        self.gateway = memory_gateway(self.store, self.clock, settings=SETTINGS, callbacks=Reach(network))
        self.notifier = Notifier(self.gateway, self.store, network, self.clock, self.timers, lambda: 0.5)
        self.notifier.start()
        self.audience = Audience(self.gateway, self.timers)
        metrics = Metrics(self.gateway, self.store, self.notifier.figures, self.audience.__len__)
        self.routes = api_resource(self.gateway, self.timers, metrics, self.audience)
        self.site = ApiSite(self.routes, self.timers, {"gateway"}.__contains__, frozenset())
        self.honest = self.new_secret("till")
        self.shown = self.new_secret("fuzz")
        self.posted: set[str] = set()
        self.document: dict[str, Any] = json.loads(self.asked("GET", "/api/openapi.json").body)

    def new_secret(self, name: str) -> str:
        """Make a token, and return its secret."""
        return result_of(self.gateway.secrets.create(name)).secret

    def asked(self, method: str, path: str, body: object = None) -> Answered:
        """Ask as an honest till does, on a connection of its own; raises `Wrong`."""
        data = request(method, path, body, secret=self.honest)
        wire = Wire(self.site, 200)
        wire.send(data)
        answers = wire.came(Script(data=data))
        wire.end()
        if len(answers) != 1:
            raise Wrong(f"an honest {method} {path} got {len(answers)} answers")
        return answers[0]

    def honest_order(self, number: int) -> None:
        """Post an order as a till does, and look for it; raises `Wrong` where that is not as on any other day."""
        self._listeners.answer()  # or a script that waits for one to be registered would go on in between
        name = str(4_000_000_000 + number)
        answer = self.asked("POST", "/api/v2/activeorders", {"name": name, "orderType": "TO_GO"})
        order = (answer.fields or {}).get("activeorder", {})
        if (answer.status, order.get("name"), order.get("state")) != (200, name, "started"):
            raise Wrong(f"an honest order got {answer.status} {answer.body[:300]!r}")
        self.note([answer])
        shown = self.asked("GET", f"/api/v2/activeorders/{order['uuid']}")
        if (shown.fields or {}).get("activeorder", {}).get("uuid") != order["uuid"]:
            raise Wrong(f"an honest order is not to be found: {shown.body[:300]!r}")
        self.asked("DELETE", f"/api/v2/activeorders/{name}")

    def note(self, answers: Iterable[Answered]) -> None:
        """Remember which orders were confirmed."""
        for answer in answers:
            order = (answer.fields or {}).get("activeorder")
            if answer.status == 200 and isinstance(order, dict):
                self.posted.add(order["uuid"])

    @property
    def opens(self) -> bool:
        """Whether the secret that scripts show opens anything: they may have revoked it."""
        return self.gateway.secrets.check(self.shown, "10.9.0.200") is not None

    def keep_secret(self) -> None:
        """See to it that the secret that scripts show opens something."""
        if not self.opens:
            self.shown = self.new_secret("fuzz")

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and listeners answer."""
        for _ in range(round(seconds)):
            self.timers.advance(1.0)
            self._listeners.answer()

    def check_bounds(self) -> None:
        """Raise `Wrong` where something has grown beyond its bound, or is left of connections that have ended."""
        counts = {
            "connections": (len(self.site.connections), 0),
            "readers": (len(self.audience), 0),
            "listeners": (len(self.gateway.registry.all()), MOST_LISTENERS),
            "tokens": (len(self.gateway.secrets.all()), 10_000),
        }
        over = {name: count for name, (count, most) in counts.items() if count > most}
        if over:
            raise Wrong(f"left, or too many: {over}")

    def close(self) -> None:
        """Stop; raises `Wrong` where a confirmed order is not in the journal, or something is left of the traffic."""
        self._check_journal()
        self._check_accounts()
        self.audience.stop()
        stopping = self.notifier.stop()
        self.pass_time(8)
        result_of(stopping)
        result_of(self.store.stop())
        left = [call for call in self.timers.getDelayedCalls() if call.active()]
        if left:
            raise Wrong(f"timers left: {left[:5]}")

    def _check_journal(self) -> None:
        entries = [Entry.from_row(row) for row in self._rows(f"SELECT {COLUMNS} FROM changes ORDER BY seq")]  # noqa: S608
        told = {entry.order_uuid for entry in entries}
        if [entry.seq for entry in entries] != list(range(entries[0].seq, entries[0].seq + len(entries))):
            raise Wrong("the journal has a gap")
        kept = {uuid for (uuid,) in self._rows("SELECT uuid FROM orders")}
        lost = [uuid for uuid in self.posted if uuid not in told or uuid not in kept]
        if lost:
            raise Wrong(f"confirmed, and not in the journal: {lost[:5]}")

    def _rows(self, query: str) -> list[Any]:
        return result_of(self.store.read(lambda db: list(db.execute(query))))

    def _check_accounts(self) -> None:
        for listener, progress in self.gateway.registry.all():
            settled = progress.delivered + progress.coalesced + progress.filtered + progress.parked
            if progress.cursor - progress.base != settled:
                raise Wrong(f"the accounts of {listener.url} do not balance")


def passing() -> Counter[str]:
    """Return how many things are alive that should have gone with their connections."""
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, PASSING))
