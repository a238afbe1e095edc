"""Who follows the journal: screens on WebSockets, and programs that ask for what they missed."""

import json
from typing import Any

from tests.simulation.line import Line, request
from tests.simulation.orders import Change
from tests.simulation.people import V2, Client

_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_PONG = b"\x8a\x80\x00\x00\x00\x00"


class Screen(Client):
    """A kitchen display on a WebSocket: after the list, each change follows the one before, without a gap."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._socket: Line | None = None
        self._data = b""
        self._last: int | None = None
        self._list: list[Change] | None = None

    def act(self) -> None:
        """Connect, stall for a while, or go."""
        socket = self._socket
        if socket is None or not (socket.open and socket.process.alive):
            self._connect()
        elif self.random.random() < 0.3:
            socket.stall(True)
            self.timeline.after(self.random.uniform(0.1, 50.0), lambda: socket.stall(False))
        elif self.random.random() < 0.3:
            socket.hang_up()

    def leave(self) -> None:
        super().leave()
        if self._socket is not None:
            self._socket.hang_up()

    def _connect(self) -> None:
        process = self._found()
        if process is None:
            return
        self._data, self._last, self._list = b"", None, None
        self._socket = Line(process, self._peer, self._take)
        self._socket.ask(request("GET", f"{V2}/websocket", self.secret, None, _UPGRADE), lambda *_: None)

    def _take(self, data: bytes) -> None:
        self._data += data
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == 9 and self._socket is not None:
                self._socket.send(_PONG)
            elif kind == 1:
                self._read(json.loads(payload))

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self._data = data[start + size :]
        return data[0] & 15, data[start : start + size]

    def _read(self, message: dict[str, Any]) -> None:
        if message.get("type") == "ACTIVE_ORDERS":
            self._list = message["items"]
            for order in message["items"]:
                self.model.stands(order, "a WebSocket's list")
        elif "seq" in message:
            self.model.told(message, "a WebSocket")
            seq = message["seq"]
            if self._list is None or (self._last is not None and seq != self._last + 1):
                self.model.wrong(f"a WebSocket told change {seq} after {self._last}")
            elif self._last is None:
                self.model.goes_on(self._list, seq)
            self._last = seq


class Follower(Client):
    """A program that asks for what it missed: it must get each change once, in order, for as long as it lives."""

    since = 0
    busy = False

    def act(self) -> None:
        """Ask once, if the last answer is there."""
        if self.busy:
            return
        wait = self.random.choice((0, 0, 2, 30))
        path = f"{V2}/events?since={self.since}&epoch={self.model.epoch}&limit=50&wait={wait}"
        self.busy = self.ask("GET", path, None, self._heard, patience=40.0)

    def _heard(self, status: int, answer: Any, _: bytes) -> None:
        self.busy = False
        if status == 410:
            self.since = self.model.look()
        elif status == 200:
            for change in answer["items"]:
                self.model.told(change, "the events")
                if change["seq"] != self.since + 1:
                    self.model.wrong(f"the events told change {change['seq']} after {self.since}")
                self.since = change["seq"]
