from collections.abc import Callable

import pytest
from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

from ttgateway.api.server.site import ApiSite
from ttgateway.control.socket import FIRST_LINE_WITHIN, ControlSocket


class Operator(Resource):
    """What is served on the control socket."""

    isLeaf = True  # noqa: N815  # Twisted's name

    def render_GET(self, request: IRequest) -> bytes:
        return b"an answer"


class Front:
    """A control socket with one connection to it."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.presses = 0
        site = ApiSite(
            Operator(),  # type: ignore[no-untyped-call]
            self.timers,
            lambda host: True,
            frozenset(),
        )
        self.transport = StringTransport()
        self.connection: Protocol = ControlSocket(site, self._press, self.timers).buildProtocol(UNIXAddress(""))
        self.connection.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def _press(self) -> None:
        self.presses += 1

    def say(self, *parts: bytes) -> bytes:
        """Send bytes, and return what is answered to them."""
        for part in parts:
            self.connection.dataReceived(part)
        return bytes(self.transport.value())

    def hang_up(self) -> None:
        self.connection.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def front() -> Front:
    return Front()


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise])
@pytest.mark.parametrize("line", [b"button\n", b"button\r\n"])
def test_the_line_presses_and_is_answered_with_one(
    front: Front, line: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    assert front.say(*cut(line)) == b"Pressed. Within two minutes one device can get a token.\n"
    assert front.presses == 1
    assert front.transport.disconnecting


def test_a_connection_presses_once(front: Front) -> None:
    front.say(b"button\nbutton\n", b"button\n")
    assert front.presses == 1


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise])
def test_whatever_else_comes_is_for_http(front: Front, cut: Callable[[bytes], list[bytes]]) -> None:
    assert front.say(*cut(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).endswith(b"\r\n\r\nan answer")
    assert front.presses == 0
    front.hang_up()


@pytest.mark.parametrize("line", [b"\n", b"buttons\n", b"button now\n", b"BUTTON\n", b"b\n", b" button\n"])
def test_a_line_that_is_not_quite_it_does_not_press(front: Front, line: bytes) -> None:
    front.say(line)
    assert front.presses == 0
    front.hang_up()


@pytest.mark.parametrize("start", [b"", b"butt", b"button", b"button\r"])
def test_who_does_not_end_the_line_is_cut_off(front: Front, start: bytes) -> None:
    front.say(start)
    front.timers.advance(FIRST_LINE_WITHIN)
    assert front.transport.disconnecting
    assert (front.transport.value(), front.presses) == (b"", 0)


def test_who_hangs_up_within_the_line_leaves_nothing_behind(front: Front) -> None:
    front.say(b"but")
    front.hang_up()
    assert front.timers.getDelayedCalls() == []
