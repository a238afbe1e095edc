"""A reader of the WebSocket that notes when it is pinged, and answers."""

import base64
import os
import socket
import struct
import time

from tests.system.daemon import Daemon

_PING, _CLOSE = 9, 8


class Pinged:
    """One WebSocket, opened with the daemon's secret. ``pings`` holds their times, ``texts`` counts the messages."""

    def __init__(self, daemon: Daemon) -> None:
        self.pings: list[float] = []
        self.texts = 0
        self.opened = time.monotonic()
        self.closed = False
        self._unread = b""
        self._socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /api/v2/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {daemon.secret}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._unread:
            self._unread += self._socket.recv(4096)
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def read_until(self, ends: float) -> None:
        """Read whatever comes until ``ends`` on the monotonic clock, or the daemon closes."""
        while not self.closed and (left := ends - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return
            self._unread += data
            self.closed = self.closed or not data
            self._take_frames()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _take_frames(self) -> None:
        while len(self._unread) >= 2:
            length, begin = self._unread[1] & 0x7F, 2
            if length == 126:
                if len(self._unread) < 4:
                    return
                (length,), begin = struct.unpack("!H", self._unread[2:4]), 4
            if len(self._unread) < begin + length:
                return
            payload = self._unread[begin : begin + length]
            kind, self._unread = self._unread[0] & 0x0F, self._unread[begin + length :]
            self._take(kind, payload)

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == _PING:
            self.pings.append(time.monotonic())
            self._socket.sendall(bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload)  # masked with zeros
        elif kind == _CLOSE:
            self.closed = True
        else:
            self.texts += 1
