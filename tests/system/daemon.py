"""The real daemon in a process of its own, and a client that calls it over real sockets."""

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

TWISTD = Path(sys.executable).with_name("twistd")
SERVES_WITHIN = 15.0
ENDS_WITHIN = 15.0

_COMPLAINT = re.compile(r"Traceback|Unhandled|#error\]|#critical\]")


PORTS = range(28_000, 32_000)
"""Below those that the kernel gives away, and none that policy keeps for other services."""

SHARE = 250


def _claimed() -> tuple[socket.socket | None, range]:
    """Return a share of the ports that no other process takes from, and what holds it until this process ends.

    A daemon that was killed frees its port until it is started again: somebody else could take it meanwhile.
    """
    for first in PORTS[::SHARE]:
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0ttgateway-tests-{first}")  # a name without a file, which is free when we end
        except OSError:
            holder.close()
            continue
        return holder, range(first, first + SHARE)
    return None, PORTS


_HOLDER, _OWN = _claimed()
_UNUSED: list[int] = []


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody has: it can be opened again later, and comes again only after all others."""
    for _ in range(2 * len(_OWN)):
        if not _UNUSED:
            _UNUSED.extend(random.sample(_OWN, len(_OWN)))
        port = _UNUSED.pop()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")


def eventually(condition: Callable[[], object], within: float = 10.0, every: float = 0.01) -> float:
    """Wait until ``condition`` holds; return how long that took, and fail the test if it takes too long."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < within, f"not within {within} s: {condition}"
        time.sleep(every)
    return time.monotonic() - began


class Reply(NamedTuple):
    """What was answered: the status, the JSON in the body, the headers in lower case."""

    status: int
    fields: Any
    headers: Mapping[str, str]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Calls the API on a connection that it keeps; after an error it makes a new one at the next call."""

    def __init__(self, port: int, secret: str = "", source: str = "127.0.0.1", timeout: float = 20.0) -> None:
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout, source_address=(source, 0))

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Send one request, and return the reply. Raises ``OSError`` and ``HTTPException``."""
        self.send(method, path, body, **headers)
        return self.receive()

    def send(self, method: str, path: str, body: object = None, **headers: str) -> None:
        """Send one request; ``body`` is JSON unless it is bytes."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            self._connection.request(method, path, sent, {**self.headers, **headers})
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def receive(self) -> Reply:
        """Return the reply to what was sent."""
        return _received(self._connection)

    def post_order(self, name: int | str, location: str = "", kind: str = "ON_PREMISE") -> Reply:
        """Start or move an order."""
        body = {"name": str(name), "orderType": kind, "locationName": location}
        return self.call("POST", "/api/v2/activeorders", body)

    def clear_order(self, name: int | str) -> Reply:
        """End an order."""
        return self.call("DELETE", f"/api/v2/activeorders/{name}")

    def register(self, url: str, **wishes: object) -> Reply:
        """Register a version 2 listener."""
        return self.call("POST", "/api/v2/register", {"http_client": url, **wishes})

    def close(self) -> None:
        """Close the kept connection."""
        self._connection.close()


def _received(connection: http.client.HTTPConnection) -> Reply:
    try:
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        raise
    shown = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, json.loads(text) if text else None, shown)


class Daemon:
    """One gateway and its state directory; the process is started in another folder than the repository."""

    def __init__(self, folder: Path, settings: str = "", twistd: Path = TWISTD, cwd: Path | None = None) -> None:
        self.folder = folder
        self._twistd = twistd
        self._cwd = cwd or folder
        self.state = folder / "state"
        self.port = free_port()
        self.log_file = folder / "log"
        self.started_at = 0.0
        self._secret = ""
        self._process: subprocess.Popen[bytes] | None = None
        self.settings = folder / "settings.toml"
        if settings:
            self.settings.write_text(settings)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def command(self) -> list[str]:
        """Return the command line."""
        line = [str(self._twistd), "-n", "--pidfile=", "ttgateway", "--listen", f"tcp:{self.port}:interface=127.0.0.1"]
        config = ["--config", str(self.settings)] if self.settings.exists() else []
        return [*line, "--state-dir", str(self.state), *config]

    def start(self) -> "Daemon":
        """Start, and wait until it serves."""
        self.begin()
        eventually(self.serves, SERVES_WITHIN)
        return self

    def begin(self) -> None:
        """Start, and do not wait."""
        assert self._process is None, "the daemon runs already"
        with self.log_file.open("ab") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(  # noqa: S603
                self.command(), cwd=self._cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def run_to_its_end(self, *options: str) -> tuple[int, list[str]]:
        """Run one that cannot start; return its exit code and the lines on its standard error."""
        line, log = [*self.command(), *options], subprocess.DEVNULL
        ended = subprocess.run(  # noqa: S603
            line, check=False, cwd=self._cwd, stdin=log, stdout=log, stderr=subprocess.PIPE, timeout=20
        )
        return ended.returncode, ended.stderr.decode().splitlines()

    def run_for(self, seconds: float) -> tuple[int, list[str]]:
        """Run one that may or may not start, and end it; return its exit code and the lines on its standard error."""
        process = subprocess.Popen(  # noqa: S603
            self.command(), cwd=self._cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
        _, errors = process.communicate(timeout=ENDS_WITHIN)
        return process.returncode, errors.decode().splitlines()

    def serves(self) -> bool:
        """Tell whether it answers."""
        assert self.process.poll() is None, f"the daemon ended by itself: {self.log()[-2000:]}"
        client = Client(self.port)
        try:
            return client.call("GET", "/api/v2").status == 200
        except OSError:
            return False
        finally:
            client.close()

    def terminate(self) -> None:
        """Ask it to end, and do not wait."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> float:
        """End it in order; return how long that took."""
        self.terminate()
        return self.wait()

    def wait(self) -> float:
        """Wait until it has ended, as it was asked to; return how long that took."""
        began = time.monotonic()
        code = self._ended()
        assert code == 0, f"exit code {code}: {self.log()[-2000:]}"
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._ended()

    def end(self) -> None:
        """Leave no process behind, whatever has happened."""
        if self._process is not None:
            self.kill()

    def _ended(self) -> int:
        code = self.process.wait(ENDS_WITHIN)
        self._process = None
        return code

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def log(self) -> str:
        """Return all that it has logged, in all its lives."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def complaints(self) -> list[str]:
        """Return the lines of the log that no input may bring about."""
        return [line for line in self.log().splitlines() if _COMPLAINT.search(line)]

    def resident(self) -> int:
        """Return how many bytes of memory it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask on the control socket, as the operator does."""
        connection = _UnixConnection(self.state / "control.sock")
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode())
            reply = _received(connection)
        finally:
            connection.close()
        assert reply.status == 200, reply
        return reply.fields

    @property
    def secret(self) -> str:
        """A secret that opens the API; the same one in all lives of the daemon."""
        if not self._secret:
            self._secret = self.control("POST", "/tokens", {"name": "t"})["secret"]
        return self._secret

    def client(self, source: str = "127.0.0.1") -> Client:
        """Return a client that may call."""
        return Client(self.port, self.secret, source)

    def account(self, url: str) -> dict[str, Any]:
        """Return what the operator is shown of one listener."""
        found = [shown for shown in self.control("GET", "/listeners") if shown["url"] == url]
        assert len(found) == 1, found
        return dict(found[0])

    def balance(self, url: str) -> int:
        """Return how many changes there were since the listener registered, by its accounts."""
        account = self.account(url)
        return sum(int(account[name]) for name in ("delivered", "coalesced", "filtered", "parked", "pending"))
