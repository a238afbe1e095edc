"""A gateway in a process of its own, on a free port of loopback, with a state that is thrown away."""

import contextlib
import http.client
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ttgateway.control.server import SOCKET
from ttgateway.testing.calling import LIMIT, SocketConnection, requested

STARTS_WITHIN = 30.0
"""Seconds; usually it is one."""

ENDS_WITHIN = 20.0
"""Seconds after which a gateway that was asked to end is killed."""

_PROCESS = Path(__file__).with_name("process.py")
_SERVES = re.compile(r"serves at http://127\.0\.0\.1:(\d+)/")
_LOOK_EVERY = 0.01


class GatewayFailed(Exception):
    """The gateway did not start, or did not end as it should; the text has the end of its log."""


class RunningGateway:
    """A gateway for tests. ``settings`` is TOML, as in ``etc/ttgateway.toml``.

    The helpers return what the API replies (``docs/http-api.rst``); where it refuses, they raise
    `ttgateway.testing.Refused`.
    """

    def __init__(self, settings: str = "") -> None:
        self.port = 0
        """The TCP port, from the first start on; it stays the same."""
        self.token = ""
        """A secret that opens the API."""
        self._folder = tempfile.TemporaryDirectory(prefix="ttgateway-")
        self._state = Path(self._folder.name) / "state"
        self._log = Path(self._folder.name) / "log"
        self._settings = Path(self._folder.name) / "settings.toml"
        self._settings.write_text(settings, "utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._names = 100

    @property
    def url(self) -> str:
        """The gateway's address, ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    @property
    def log(self) -> str:
        """All that the gateway has logged, in all its lives."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    # Its life.

    def start(self) -> "RunningGateway":
        """Start it, and return when it serves; raise `GatewayFailed`."""
        before = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command(), cwd=self._folder.name, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        try:
            self.port = self._wait_until_it_serves(before)
            if not self.token:
                self.token = self._operate("POST", "/tokens", {"name": "tests"})["secret"]
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it in order; what it has acknowledged is kept. Raise `GatewayFailed` where it ends otherwise."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise GatewayFailed(f"the gateway did not end within {ENDS_WITHIN:g} s:\n{self.log[-2000:]}") from None
        self._forget()
        if code:
            raise GatewayFailed(f"the gateway ended with code {code}:\n{self.log[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        process = self._running()
        process.kill()
        process.wait()
        self._forget()

    def restart(self) -> None:
        """Stop it and start it again: same port, same orders, same listeners."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it, if it runs, and throw its state away."""
        try:
            if self.runs:
                self.stop()
        finally:
            self._folder.cleanup()

    def reset(self) -> None:
        """Clear all orders and remove all listeners, so that another test finds it as it was."""
        for order in self.orders():
            self.clear(order["uuid"])
        for listener in self.listeners():
            self.call("DELETE", f"/api/v2/listeners/{listener['id']}")

    # What devices do.

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make any call of the API, with the token; ``body`` is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        return requested(connection, method, path, body, self.token)

    def start_order(
        self, name: str | None = None, location: str = "", *, order_type: str = "ON_PREMISE"
    ) -> dict[str, Any]:
        """Start an order, under a new number unless ``name`` is one; ``location`` is a table. Return the order."""
        if name is None:
            self._names += 1
            name = str(self._names)
        return self._post(name, order_type, location)

    def locate(self, name: str, location: str) -> dict[str, Any]:
        """Move an active order to a table. Return the order."""
        order = self.order(name)
        return self._post(order["name"], order["orderType"], location)

    def page(self, name: str) -> None:
        """Page the guest of an active order; ``name`` may be its uuid, here and below."""
        self.call("POST", f"/api/v2/activeorders/{name}/page")

    def cancel_page(self, name: str) -> None:
        """End the paging of an active order."""
        self.call("DELETE", f"/api/v2/activeorders/{name}/page")

    def clear(self, name: str) -> None:
        """End an active order."""
        self.call("DELETE", f"/api/v2/activeorders/{name}")

    def order(self, name: str) -> dict[str, Any]:
        """Return an active order."""
        return dict(self.call("GET", f"/api/v2/activeorders/{name}")["activeorder"])

    def orders(self) -> list[dict[str, Any]]:
        """Return all active orders, oldest first."""
        return list(self.call("GET", "/api/v2/activeorders")["items"])

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the changes after ``since``: what a listener asks for that missed some."""
        return list(self.call("GET", f"/api/v2/events?{urlencode({'since': since})}")["items"])

    # What listeners do.

    def register(self, url: str, **wishes: object) -> None:
        """Register a listener of version 2; ``wishes`` are ``secret``, ``snapshot``, ``catch_up``, ``events``."""
        self.call("POST", "/api/v2/register", {"http_client": url, **wishes})

    def unregister(self, url: str) -> None:
        """Unregister a listener."""
        self.call("DELETE", "/api/v2/register", {"http_client": url})

    def listeners(self) -> list[dict[str, Any]]:
        """Return all listeners, with their state and their accounts."""
        return list(self.call("GET", "/api/v2/listeners")["items"])

    def wait_until_told(self, timeout: float = 10.0) -> None:
        """Return when nothing waits for any listener; raise ``AssertionError`` after ``timeout`` seconds."""
        ends = time.monotonic() + timeout
        while waiting := [one["url"] for one in self.listeners() if one["pending"]]:
            if time.monotonic() > ends:
                raise AssertionError(f"after {timeout:g} s changes still wait for {', '.join(waiting)}")
            time.sleep(_LOOK_EVERY)

    def _post(self, name: str, order_type: str, location: str) -> dict[str, Any]:
        body = {"name": name, "orderType": order_type, "locationName": location}
        return dict(self.call("POST", "/api/v2/activeorders", body)["activeorder"])

    def _operate(self, method: str, path: str, body: object) -> Any:
        return requested(SocketConnection(self._state / SOCKET), method, path, body)

    def _command(self) -> list[str]:
        twistd = [sys.executable, "-P", str(_PROCESS), "-n", "--pidfile="]
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        return [*twistd, "ttgateway", "--listen", listen, "--state-dir", "state", "--config", "settings.toml"]

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise GatewayFailed("the gateway does not run")
        return self._process

    def _forget(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = None

    def _wait_until_it_serves(self, before: int) -> int:
        """Return the port, which it logs once it serves; what stands ``before`` in the log is of earlier lives."""
        ends = time.monotonic() + STARTS_WITHIN
        while (found := _SERVES.search(self.log, before)) is None:
            if self._running().poll() is not None or time.monotonic() > ends:
                raise GatewayFailed(f"the gateway did not start:\n{self.log[-2000:]}")
            time.sleep(_LOOK_EVERY)
        return int(found[1])
