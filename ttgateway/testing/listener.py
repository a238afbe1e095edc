"""A listener that records what it is told, and fails, hangs or is away when a test says so."""

import contextlib
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import urandom
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from ttgateway.commands.receiving.deliveries import Delivery, delivery_of

_LOOK_FOR_ITS_END = 0.02
_IDLE = 30.0
"""Seconds after which a connection on which nothing comes is closed."""


class Recorded(Delivery, frozen=True, kw_only=True):
    """One POST that the listener got.

    ``raw`` is the body as it came, ``headers`` have their names in lower case, ``status`` is what was answered (0:
    nothing), ``signed`` tells whether the signature is right (``None``: there was none).
    """

    raw: bytes
    headers: Mapping[str, str]
    status: int
    signed: bool | None


class RecordingListener:
    """An HTTP server on a free port of loopback, in a thread of its own."""

    def __init__(self) -> None:
        self.secret = self.new_secret()
        """To be given at registration, if deliveries shall be signed; ``Recorded.signed`` is by this one."""
        self.attempts: list[Recorded] = []
        """All that was sent, also what was not taken."""
        self._changed = threading.Condition()
        self._next: list[int] = []
        self._status = 200
        self._hangs: threading.Event | None = None
        self._server: _Server | None = None
        self._open(0)
        self.port = self._running().server_address[1]

    @staticmethod
    def new_secret() -> str:
        """Return a secret for signing that nobody else has."""
        return "whsec_" + b64encode(urandom(32)).decode()

    @property
    def url(self) -> str:
        """What to register."""
        return f"http://127.0.0.1:{self.port}/orders"

    @property
    def deliveries(self) -> list[Recorded]:
        """What was sent and taken: answered with a 2xx."""
        with self._changed:
            return [one for one in self.attempts if 200 <= one.status < 300]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The bodies of what was taken, each change once; snapshots, which only tell how things stand, left out."""
        changes = {one.webhook_id: dict(one.body) for one in self.deliveries if one.is_change}
        return list(changes.values())

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """Return `deliveries` once there are ``count``; raise ``AssertionError`` after ``timeout`` seconds."""
        self._wait(lambda: len(self.deliveries) >= count, timeout, f"{count} deliveries")
        return self.deliveries

    def wait_for_attempts(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """Return `attempts` once there are ``count``; raise ``AssertionError`` after ``timeout`` seconds."""
        self._wait(lambda: len(self.attempts) >= count, timeout, f"{count} attempts")
        return list(self.attempts)

    # How it misbehaves.

    def fail_next(self, *statuses: int) -> None:
        """Answer the next deliveries with these statuses, in turn."""
        with self._changed:
            self._next += statuses

    @contextlib.contextmanager
    def failing(self, status: int = 503) -> Iterator[None]:
        """Answer each delivery with ``status`` within the block."""
        self._status = status
        try:
            yield
        finally:
            self._status = 200

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Answer no delivery within the block; at its end those that wait are closed."""
        self._hangs = until = threading.Event()
        try:
            yield
        finally:
            self._hangs = None
            until.set()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse all connections within the block, as a device does that is off."""
        self.close()
        try:
            yield
        finally:
            self._open(self.port)

    def close(self) -> None:
        """Close the port and every connection; nothing of it is left."""
        server, self._server = self._server, None
        if server is not None:
            if self._hangs is not None:
                self._hangs.set()
            server.end()

    def _open(self, port: int) -> None:
        self._server = _Server(port, self._answer)

    def _running(self) -> "_Server":
        if self._server is None:
            raise RuntimeError("the listener is closed")
        return self._server

    def _answer(self, raw: bytes, headers: Mapping[str, str]) -> int:
        """Return the status with which a POST is answered; 0: the connection is closed instead."""
        hangs = self._hangs
        with self._changed:
            status = 0 if hangs is not None else self._next.pop(0) if self._next else self._status
            self.attempts.append(self._recorded(raw, headers, status))
            self._changed.notify_all()
        if hangs is not None:
            hangs.wait()
        return status

    def _recorded(self, raw: bytes, headers: Mapping[str, str], status: int) -> Recorded:
        delivery = delivery_of(json.loads(raw), headers.get)
        fields = {name: getattr(delivery, name) for name in Delivery.__struct_fields__}
        return Recorded(**fields, raw=raw, headers=headers, status=status, signed=self._signed(raw, headers))

    def _signed(self, raw: bytes, headers: Mapping[str, str]) -> bool | None:
        if "webhook-signature" not in headers:
            return None
        try:
            Webhook(self.secret).verify(raw, dict(headers), json_parse=False)
        except WebhookVerificationError:
            return False
        return True

    def _wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                got = [(one.seq, one.body.get("type"), one.status) for one in self.attempts]
                raise AssertionError(f"not {what} within {timeout:g} s; it was sent (seq, type, answer): {got}")


class _Server(ThreadingHTTPServer):
    """Serves in a thread; `end` leaves no thread and no socket."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, port: int, answer: Callable[[bytes, Mapping[str, str]], int]) -> None:
        self.answer = answer
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(_LOOK_FOR_ITS_END,), daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin with a connection."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Be done with a connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        """Accept nobody more, and end every connection."""
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: _Server

    def do_HEAD(self) -> None:
        """Say that somebody is here."""
        self._reply(200)

    def do_POST(self) -> None:
        """Take a delivery."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self.server.answer(raw, {name.lower(): value for name, value in self.headers.items()})
        if status:
            self._reply(status)
        else:
            self.close_connection = True

    def _reply(self, status: int) -> None:
        with contextlib.suppress(OSError):  # whoever asked may be gone
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
