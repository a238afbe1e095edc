"""Listeners that are told of order changes: one that records all, and the tools to build those that misbehave."""

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.system.daemon import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LONGEST = 20.0
"""Seconds after which a connection that the gateway does not end is given up here."""


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    """Return a whole reply."""
    lines = [f"HTTP/1.1 {code} Whatever", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Told:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    answered_at: float = 0.0

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object in the body."""
        return dict(json.loads(self.body))

    @property
    def id(self) -> str:
        """The ``webhook-id``."""
        return self.headers["webhook-id"]

    @property
    def seq(self) -> int:
        """The ``seq`` in the body."""
        return int(self.fields["seq"])

    @property
    def change(self) -> tuple[str, str, str]:
        """What the change tells of which order."""
        fields = self.fields
        return fields["uuid"], fields["state"], fields["locationName"]


@dataclass(eq=False)
class Peer:
    """One connection from the gateway. ``closed`` is when we saw that it had ended; ``given_up`` that it did not."""

    socket: socket.socket
    number: int
    opened: float = field(default_factory=time.monotonic)
    closed: float | None = None
    given_up: bool = False
    _unread: bytes = b""

    def read_request(self) -> Told | None:
        """Return the next request, ``None`` where the gateway has closed the connection."""
        while b"\r\n\r\n" not in self._unread:
            if not self._more():
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._unread) < length:
            if not self._more():
                return None
        body, self._unread = self._unread[:length], self._unread[length:]
        method, path, _ = request_line.split(" ")
        return Told(method, path, headers, body, time.monotonic(), self.number)

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self._unread += data
        if not data:
            self.closed = time.monotonic()
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send all of ``data``; notes the end where the gateway has hung up."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = self.closed or time.monotonic()
            raise

    def drip(self, data: bytes, every: float) -> None:
        """Send ``data`` byte by byte, for as long as the gateway listens."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            time.sleep(every)

    def flood(self, data: bytes, seconds: float = LONGEST) -> None:
        """Send ``data`` over and over, for as long as the gateway listens."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.send(data)
        self.given_up = True

    def wait_for_the_end(self) -> None:
        """Say nothing until the gateway hangs up."""
        try:
            while self._more():
                pass
        except TimeoutError:
            self.given_up = True
        except OSError:
            self.closed = time.monotonic()

    def listen_for(self, seconds: float) -> None:
        """Wait, and raise ``OSError`` where the gateway hangs up meanwhile."""
        readable, _, _ = select.select([self.socket], [], [], seconds)
        if readable and not self._more():
            raise ConnectionError("the gateway has hung up")

    def reset(self) -> None:
        """Break the connection off with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Manners = Callable[["Listener", Peer], None]


class Listener:
    """A server on loopback with a thread a connection. It answers well, unless it is told to misbehave."""

    def __init__(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, small_buffer: bool = False, port: int = 0
    ) -> None:
        self.host = host
        self.port = port or free_port(host)
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}/notify"
        self.told: list[Told] = []
        self.heads: list[Told] = []
        self.peers: list[Peer] = []
        self.manners: Manners = answer_all
        self.replies: deque[bytes] = deque()
        """What is replied to the next POSTs; when it is empty, 200."""
        self.held = threading.Event()
        """Set while replies flow; cleared, they wait."""
        self.held.set()
        self._small_buffer = small_buffer
        self._threads: list[threading.Thread] = []
        self._server: socket.socket | None = None

    def open(self) -> "Listener":
        """Begin to accept connections."""
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._small_buffer:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        server.bind((self.host, self.port))
        server.listen(128)
        self._server = server
        self._start(self._accept, server)
        return self

    def close(self) -> None:
        """Refuse connections from now on, and break off those that are open."""
        server, self._server = self._server, None
        if server is not None:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
        self.held.set()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST)
        self._threads.clear()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, server: socket.socket) -> None:
        with server:
            while True:
                try:
                    accepted, _ = server.accept()
                except OSError:
                    return
                accepted.settimeout(LONGEST)
                peer = Peer(accepted, len(self.peers))
                self.peers.append(peer)
                self._start(self._serve, peer)

    def _serve(self, peer: Peer) -> None:
        try:
            if self.tls is not None:
                peer.socket = self.tls.wrap_socket(peer.socket, server_side=True)
            self.manners(self, peer)
        except (OSError, ValueError):
            pass  # the gateway has hung up, or does not speak as it should
        finally:
            peer.socket.close()
            if not peer.given_up:
                peer.closed = peer.closed or time.monotonic()

    def note(self, request: Told) -> None:
        """Record a request."""
        (self.heads if request.method == "HEAD" else self.told).append(request)

    def seqs(self) -> list[int]:
        """Return the seqs that it was told, in order of arrival."""
        return [told.seq for told in list(self.told)]

    def misbehave(self, manners: Manners) -> None:
        """Change how connections are served from now on; forget the ones so far."""
        self.manners = manners
        self.peers = []

    def lifetimes(self) -> list[float]:
        """Return for how long the gateway kept each connection; infinity where it never ended it."""
        return [(peer.closed - peer.opened) if peer.closed else float("inf") for peer in self.peers]


def answer_all(listener: Listener, peer: Peer) -> None:
    """Answer every request on the connection, and record it."""
    while (request := peer.read_request()) is not None:
        listener.note(request)
        if request.method == "HEAD":
            peer.send(OK)
            continue
        listener.held.wait(LONGEST)
        request.answered_at = time.monotonic()
        peer.send(listener.replies.popleft() if listener.replies else OK)
