"""A client of the WebSocket that knows as much of frames as the tests need."""

import json
from typing import Any

from tests.api.client import PEER, Connection, House
from tests.protocol.common import V2

PATH = f"{V2}/websocket"
TEXT, CLOSE = 0x81, 0x88


class Reader:
    """A client of the WebSocket; ``authorization`` goes into its handshake."""

    def __init__(self, house: House, authorization: str | None = None) -> None:
        self.connection = Connection(house.site, PEER)
        self._read = 0
        lines = [
            f"GET {PATH} HTTP/1.1",
            "Host: gateway",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        self.connection.send("\r\n".join([*lines, "", ""]).encode())
        self.head, _, _ = self._sent().partition(b"\r\n\r\n")
        self._read = len(self.head) + 4

    def _sent(self) -> bytes:
        return bytes(self.connection.transport.value())

    def says(self, text: str | bytes) -> None:
        """Send a text message, masked with zeros."""
        data = text.encode() if isinstance(text, str) else text
        assert len(data) < 126
        self.connection.send(bytes([TEXT, 0x80 | len(data), 0, 0, 0, 0]) + data)

    def shows(self, secret: str) -> None:
        """Show a secret in the first message."""
        self.says(json.dumps({"accesstoken": secret}))

    def frames(self) -> list[tuple[int, bytes]]:
        """Return what came since this was last asked: the first byte of each frame, and what it holds."""
        found = []
        data = self._sent()
        while self._read < len(data):
            kind, length, start = data[self._read], data[self._read + 1], self._read + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            found.append((kind, data[start : start + length]))
            self._read = start + length
        return found

    def told(self) -> list[dict[str, Any]]:
        """Return the messages that came since this was last asked; nothing else may have come."""
        frames = self.frames()
        assert {kind for kind, _ in frames} <= {TEXT}
        return [json.loads(text) for _, text in frames]

    def ended(self) -> tuple[dict[str, Any], int]:
        """Return the error that came, and the code of the close that follows it."""
        (first, text), (second, close) = self.frames()
        assert (first, second) == (TEXT, CLOSE)
        return json.loads(text), int.from_bytes(close[:2], "big")
