"""Devices that are told of orders: what they answer, in which mood, and where they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.simulation.network import Internet, Wire

PORT = 8989

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

GOOD, LATE = "good", "late"

_WELL = {
    GOOD: _OK,
    LATE: _OK,
    "two answers": _OK + _OK,
    "closing": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}
_NO_ANSWERS = {
    "torn head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "endless body": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
    "mid head": b"HTTP/1.1 2",
    "garbage": b"\x00\xff\x16\x03 no http\r\n\r\n",
    "long head": b"HTTP/1.1 200 OK\r\n" + b"X-Long: %s\r\n" % (b"y" * 900) * 20,
    "interim flood": b"HTTP/1.1 102 Wait\r\n\r\n" * 12 + _OK,
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}
_DOWN = ("503", "429", "408", "501")

BAD_MOODS = (
    *("deaf", "reset", "torn head", "endless body", "early", "garbage", "long head", "interim flood", "upgrade"),
    *("two answers", "closing", "accept only", "mid head"),
    *("500", "503", "404", "301", "429", "408", "501", "400"),
)
"""What a device may be like, besides well: a word that `Device._answer` knows, or a status."""


@dataclass
class Delivery:
    """One delivery as a device got it. ``sure``: its 2xx has reached the gateway, which must have understood it."""

    at: float
    url: str
    id: str
    seq: int
    flags: str
    previous: int
    body: bytes
    late: bool = False  # who sent it is no more
    acked: bool = False
    sure: bool = False
    refused: bool = False


@dataclass
class Wishes:
    """What a device asks for when it registers."""

    api: int = 2
    snapshot: bool = False
    latest: bool = False
    events: tuple[str, ...] = ()


@dataclass
class Device:
    """One listener: the address that it has, the name that it goes by (``""``: none), what it is like at present.

    ``told`` is called with each delivery as it comes, ``acked`` when its answer has reached the gateway.
    """

    label: str
    address: str
    name: str
    wishes: Wishes
    internet: Internet
    random: Random
    told: Callable[["Device", Delivery], None]
    acked: Callable[["Device", Delivery], None]
    mood: str = GOOD
    power: str = "on"  # or "off" (silent), "shut" (refuses)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The callback that it registers."""
        return f"http://{self.name or self.address}:{PORT}/{self.label}"

    def plug_in(self, address: str) -> None:
        """Be at ``address`` from now on."""
        self.internet.hosts.pop((self.address, PORT), None)
        self.address = address
        self.internet.hosts[address, PORT] = self
        if self.name:
            self.internet.names[self.name] = address

    def refuses(self) -> bool | None:
        return {"on": False, "off": None, "shut": True}[self.power]

    def accepted(self, wire: Wire) -> None:
        wire.stuck = self.mood in ("early", "accept only")
        if self.mood == "early":
            wire.send(_OK, 0.01)  # an answer to what was not read

    def received(self, wire: Wire, data: bytes) -> None:
        if self.power != "on":
            return
        wire.inbox += data
        head, blank, body = wire.inbox.partition(b"\r\n\r\n")
        if not blank:
            return
        first, *lines = head.decode("ascii").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(body) == int(headers.get("Content-Length", 0))
        wire.inbox = b""
        if first.startswith("HEAD"):
            self._answer(wire, None)
            return
        delivery = Delivery(
            at=self.internet.timeline.now,
            url=f"http://{headers['Host']}{first.split(' ')[1]}",
            id=headers["webhook-id"],
            seq=int(headers["webhook-id"].split(".")[1]),
            flags=headers.get("ttgateway-flags", ""),
            previous=int(headers["ttgateway-previous"]),
            body=body,
            late=not wire.process.alive,
        )
        self.deliveries.append(delivery)
        self.told(self, delivery)
        self._answer(wire, delivery)

    def _answer(self, wire: Wire, delivery: Delivery | None) -> None:
        random, mood = self.random, self.mood
        soon = 0.001 + random.random() * 0.02

        def arrived(*, sure: bool) -> None:
            if delivery is not None:
                delivery.acked, delivery.sure = True, sure
                self.acked(self, delivery)

        def refused() -> None:
            if delivery is not None:
                delivery.refused = True

        if mood in _WELL:
            delay = random.uniform(0.1, 6.0) if mood == LATE else soon
            wire.send(_WELL[mood], delay, lambda: arrived(sure=True), whole=True)
            if mood == "closing":
                wire.hang_up(soon + 0.001)
        elif mood.isdigit():
            extra = f"Retry-After: {random.randint(0, 90)}\r\n" if mood in ("429", "503") else ""
            status = f"HTTP/1.1 {mood} No\r\n{extra}Content-Length: 0\r\n\r\n".encode("ascii")
            wire.send(status, soon, None if mood in _DOWN else refused, whole=True)
        elif mood == "reset":
            wire.hang_up(soon, reset=True)
        else:
            self._misbehave(wire, mood, soon, lambda: arrived(sure=False))

    def _misbehave(self, wire: Wire, mood: str, soon: float, maybe: Callable[[], None]) -> None:
        """Answer with what is no answer, or not all of one; ``maybe``: the gateway may take it for one, some time."""
        if mood not in _NO_ANSWERS:
            return
        wire.send(_NO_ANSWERS[mood], soon, maybe if b" 200 OK" in _NO_ANSWERS[mood] else None)
        if mood == "endless body":
            wire.send(b"x" * self.random.choice((10, 5_000)), soon + self.random.random())
        elif self.random.random() < 0.5:
            wire.hang_up(soon + self.random.random(), reset=self.random.random() < 0.5)
