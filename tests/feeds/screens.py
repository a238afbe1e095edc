"""A kitchen display on a WebSocket, over a string transport: what it sends, what it was sent, how it was closed."""

import json
from typing import Any

from wsproto.connection import Connection as WebSocket
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from tests.api.client import PEER, Connection, House, request

PATH = "/api/v2/websocket"
HANDSHAKE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def handshake(secret: str | None = None, **headers: str) -> bytes:
    """Return the handshake of a WebSocket that shows ``secret``."""
    return request("GET", PATH, secret=secret, headers={**HANDSHAKE, **headers})


def text(message: object) -> TextMessage:
    """Return a text message, of JSON unless it is text."""
    return TextMessage(message if isinstance(message, str) else json.dumps(message))


class Screen:
    """One display, connected and upgraded. ``early`` is what it sends before it knows that it was."""

    def __init__(
        self,
        house: House,
        secret: str | None = None,
        *,
        peer: str = PEER,
        early: tuple[Event, ...] = (),
        **headers: str,
    ) -> None:
        self._socket = WebSocket(ConnectionType.CLIENT)
        self._seen = 0
        self._texts: list[str] = []
        self._code: int | None = None
        self._pings = 0
        self._pongs = 0
        self.connection = Connection(house.site, peer)
        self.transport = self.connection.transport
        self.connection.send(handshake(secret, **headers) + b"".join(self._socket.send(event) for event in early))

    def send(self, event: Event) -> None:
        """Send a frame."""
        self.raw(self._socket.send(event))

    def send_together(self, *events: Event) -> None:
        """Send frames that arrive as one piece."""
        self.raw(b"".join(self._socket.send(event) for event in events))

    def say(self, message: object) -> None:
        """Send a text message."""
        self.send(text(message))

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self.connection.channel.dataReceived(data)

    def show(self, secret: str) -> None:
        """Show a secret as the first message."""
        self.say({"accesstoken": secret})

    def stall(self) -> None:
        """Read nothing: the transport's buffer is full."""
        assert self.transport.producer is not None
        self.transport.producer.pauseProducing()

    def read_on(self) -> None:
        """Have read all."""
        assert self.transport.producer is not None
        self.transport.producer.resumeProducing()

    def end(self) -> None:
        """Lose the connection."""
        self.connection.end()

    @property
    def told(self) -> list[Any]:
        """All messages that came, as JSON."""
        self._look()
        return [json.loads(message) for message in self._texts]

    @property
    def seqs(self) -> list[int]:
        """The seq of each change that came."""
        return [message["seq"] for message in self.told if "seq" in message]

    @property
    def code(self) -> int | None:
        """The code with which it was closed; ``None`` while it is open."""
        self._look()
        assert self.transport.disconnecting == (self._code is not None)
        return self._code

    @property
    def pings(self) -> int:
        """How many pings came."""
        self._look()
        return self._pings

    @property
    def pongs(self) -> int:
        """How many pongs came."""
        self._look()
        return self._pongs

    @property
    def cut_off(self) -> bool:
        """Whether the connection was aborted."""
        return self.transport.disconnected

    def refused(self, status: int, code: int, close: int) -> None:
        """Check that the last text is this error, without any field besides, and that then came this close."""
        error = self.told[-1]
        assert error == {"status": status, "returnCode": code, "message": error["message"]}
        assert isinstance(error["message"], str)
        assert self.code == close

    def _look(self) -> None:
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        if self._code is None:
            self._socket.receive_data(body[self._seen :])
        self._seen = len(body)
        for event in self._socket.events():
            if isinstance(event, TextMessage):
                assert event.message_finished
                self._texts.append(event.data)
            elif isinstance(event, CloseConnection):
                self._code = event.code
            elif isinstance(event, Ping):
                self._pings += 1
            elif isinstance(event, Pong):
                self._pongs += 1
            else:
                assert not isinstance(event, BytesMessage)
