"""The API as a client meets it: bytes into the channel of the real site, and the reply out of it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.support import DEFAULTS, AtOnce, FakeClock, OnDemand, memory_gateway, memory_store, result_of
from ttgateway.api.app import api_resource
from ttgateway.api.routes import Routes
from ttgateway.api.server.site import ApiSite
from ttgateway.feeds.audience import Audience
from ttgateway.figures import DeliveryFigures
from ttgateway.metrics import Metrics
from ttgateway.settings import Settings

PEER = "10.0.0.7"


class Answer(msgspec.Struct, frozen=True):
    """A reply, taken apart; ``json`` is its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json"
        parsed: dict[str, Any] = json.loads(self.body)
        assert parsed["status"] == self.status
        return parsed

    def refuses(self, status: int, code: int | None, message: str | None = None) -> None:
        """Check that this is an error, with this returnCode (``None``: none, as in version 1)."""
        expected = {"status": status, "message": message or self.json.get("message")}
        if code is not None:
            expected["returnCode"] = code
        assert self.json == expected
        assert isinstance(self.json["message"], str)


class Connection:
    """One client's end of a connection."""

    def __init__(self, site: ApiSite, peer: str) -> None:
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", peer, 40_000))
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def end(self) -> None:
        self.transport.producer = None  # as a real one does
        self.channel.connectionLost(Failure(ConnectionDone()))

    def answer(self) -> Answer:
        head, _, body = bytes(self.transport.value()).partition(b"\r\n\r\n")
        status, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert int(headers["content-length"]) == len(body) or not body
        return Answer(int(status.split(" ")[1]), headers, body)


def request(
    method: str, path: str, body: object = None, *, secret: str | None = None, headers: dict[str, str] | None = None
) -> bytes:
    """Return the bytes of a request; a ``body`` that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent = {"Host": "gateway", "Content-Type": "application/json", **(headers or {})}
    if secret is not None:
        sent["Authorization"] = f"Bearer {secret}"
    if raw:
        sent["Content-Length"] = str(len(raw))
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + raw


def basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"{secret}:".encode()).decode()


class House:
    """A gateway with its API, one token, and a client that shows it."""

    def __init__(
        self,
        *,
        settings: Settings = DEFAULTS,
        callbacks: Any = None,
        executor: AtOnce | OnDemand | None = None,
        timers: Clock | None = None,
        also: Callable[[Routes], None] | None = None,
    ) -> None:
        self.timers = timers or Clock()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock, settings=settings, executor=executor)
        self.gateway = memory_gateway(self.store, self.clock, settings=settings, callbacks=callbacks)
        self.secret = ""
        if executor is None:
            self.secret = result_of(self.gateway.secrets.create("till")).secret
        self.audience = Audience(self.gateway, self.timers)
        metrics = Metrics(self.gateway, self.store, DeliveryFigures())
        resource = api_resource(self.gateway, self.timers, metrics, self.audience, also)
        self.hosts = {"gateway"}
        self.site = ApiSite(resource, self.timers, self.hosts.__contains__, frozenset())

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        known: bool = True,
        headers: dict[str, str] | None = None,
        peer: str = PEER,
    ) -> Answer:
        """Make one request on a connection of its own; ``known``: show the secret."""
        connection = Connection(self.site, peer)
        connection.send(request(method, path, body, secret=self.secret if known else None, headers=headers))
        connection.end()
        return connection.answer()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: object = None) -> Answer:
        return self.ask("POST", path, body)

    def delete(self, path: str, body: object = None) -> Answer:
        return self.ask("DELETE", path, body)
