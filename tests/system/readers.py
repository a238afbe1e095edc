"""Readers on WebSockets, as raw sockets: a thousand of them in one thread that does nothing but read."""

import re
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator

_HANDSHAKE = (
    "GET /api/v2/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {secret}\r\n\r\n"
)
_SEQ = re.compile(rb'"seq":(\d+)')
_RECEIVES = 4096
"""The receive buffer of one that does not read: the kernel takes little for it."""
_AT_ONCE = 16
"""How many connect at once: of more than 32 of one peer whose secret was not read yet, some are cut off."""

TEXT, CLOSE, PING = 1, 8, 9


def connected(port: int, secret: str, *, reads: bool = True) -> socket.socket:
    """Return the socket of a reader that has asked for the upgrade."""
    end = socket.socket()
    if not reads:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVES)
    end.connect(("127.0.0.1", port))
    end.sendall(_HANDSHAKE.format(secret=secret).encode())
    return end


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of each whole frame that a server sent."""
    at = 0
    while at + 2 <= len(data):
        size, start = data[at + 1], at + 2
        if size >= 126:
            form, width = ("!H", 2) if size == 126 else ("!Q", 8)
            size, start = struct.unpack_from(form, data, start)[0], start + width
        if start + size > len(data):
            return
        yield data[at] & 0x0F, data[start : start + size]
        at = start + size


class Reader:
    """One reader, and what came when."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.pieces: list[tuple[float, bytes]] = []
        self.ended = False

    @property
    def listed(self) -> bool:
        """Whether the list of active orders has come."""
        return any(b"ACTIVE_ORDERS" in data for _, data in self.pieces)

    def take(self) -> None:
        """Read what there is."""
        try:
            data = self.end.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.pieces.append((time.monotonic(), data))
        self.ended = self.ended or not data

    def arrivals(self) -> list[tuple[int, float]]:
        """Return the seq of each change that came, and when its last byte did."""
        head, times, size = b"".join(data for _, data in self.pieces), [], 0
        for at, data in self.pieces:
            size += len(data)
            times.append((size, at))
        answer, _, body = head.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        found: list[tuple[int, float]] = []
        reached, piece = len(answer) + 4, 0
        for opcode, payload in frames(body):
            reached += len(payload) + (2 if len(payload) < 126 else 4 if len(payload) < 65_536 else 10)
            while times[piece][0] < reached:
                piece += 1
            seq = _SEQ.search(payload) if opcode == TEXT else None
            if seq is not None:
                found.append((int(seq[1]), times[piece][1]))
        return found


class Crowd:
    """Many readers, read by one thread until it is closed."""

    def __init__(self, port: int, secret: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._open = True
        self.readers: list[Reader] = []
        while len(self.readers) < count:
            ends = [connected(port, secret) for _ in range(min(_AT_ONCE, count - len(self.readers)))]
            for end in ends:
                end.recv(1, socket.MSG_PEEK)
            self.readers += map(Reader, ends)
        for reader in self.readers:
            reader.end.setblocking(False)
            self._selector.register(reader.end, selectors.EVENT_READ, reader)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._open:
            for key, _ in self._selector.select(0.2):
                key.data.take()
                if key.data.ended:
                    self._selector.unregister(key.data.end)

    def close(self) -> None:
        """Stop reading, and close every socket."""
        self._open = False
        self._thread.join()
        self._selector.close()
        for reader in self.readers:
            reader.end.close()
