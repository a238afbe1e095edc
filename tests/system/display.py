"""A kitchen display as devices in the field are: it finds the gateway, asks for a token, and lives on the WebSocket.

It holds the gateway to the rules that such devices rely on: success is 200 or 201, the count of a list is its length,
and ``"message":`` stands in acknowledgements and errors only.
"""

import http.client
import json
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from zeroconf import ServiceBrowser, Zeroconf

SERVICE = "_tracker-http._tcp.local."


def find(address: str, seconds: float = 10.0) -> tuple[str, int]:
    """Return address and port of the gateway that DNS-SD shows on the network of ``address``."""
    found: list[tuple[str, int]] = []
    seen = threading.Event()

    class Finder:
        def add_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            info = zeroconf.get_service_info(kind, name)
            if info is not None and info.port is not None:
                found.append((info.parsed_addresses()[0], info.port))
                seen.set()

        def update_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            self.add_service(zeroconf, kind, name)

        def remove_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
            pass

    zeroconf = Zeroconf(interfaces=[address])
    try:
        ServiceBrowser(zeroconf, SERVICE, Finder())  # type: ignore[arg-type]  # it only needs the three methods
        assert seen.wait(seconds), "no gateway was found"
    finally:
        zeroconf.close()
    return found[0]


class Display:
    """One kitchen display; ``told`` holds every change that it was told, ``orders`` what it shows, by uuid."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.secret = ""
        self.told: list[dict[str, Any]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, Any] = {}
        self.closed = 0
        self._socket: ClientConnection | None = None
        self._ends = threading.Thread(target=self._listen, daemon=True)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Make one request; return status and body, which keep the rules."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        headers = {"Content-Type": "application/json"}  # also where there is no body, as devices do
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        fields = json.loads(text)
        assert fields["status"] == response.status
        assert isinstance(fields["returnCode"], int)
        acknowledges = fields["returnCode"] > 1000 or fields["returnCode"] < 0
        assert ('"message":' in text) == acknowledges, text
        self._check_count(fields)
        return response.status, fields

    def good(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Make a request that must succeed; return its body."""
        status, fields = self.ask(method, path, body)
        assert status in (200, 201), fields
        return fields

    def watch(self) -> None:
        """Open the WebSocket, show the token in the first message, and take the list."""
        self._socket = connect(f"ws://{self._host}:{self._port}/api/v2/websocket", open_timeout=10)
        self._socket.send(json.dumps({"accesstoken": self.secret}))
        text = self._socket.recv(timeout=10)
        first = json.loads(text)
        assert first["type"] == "ACTIVE_ORDERS"
        assert "message" not in first
        self._check_count(first)
        self.orders = {item["uuid"]: item for item in first["items"]}
        self._ends.start()

    def gone(self, seconds: float = 10.0) -> bool:
        """Wait for the end of the WebSocket; return whether it came."""
        self._ends.join(seconds)
        return not self._ends.is_alive()

    def shown(self) -> list[tuple[str, str, str, bool]]:
        """Return what it shows: name, state, table and paging of each order, by name."""
        shown = [(o["name"], o["state"], o["locationName"], o["paged"]) for o in list(self.orders.values())]
        return sorted(shown)

    def _listen(self) -> None:
        assert self._socket is not None
        try:
            while True:
                self._take(json.loads(self._socket.recv()))
        except ConnectionClosed as end:
            self.closed = end.rcvd.code if end.rcvd is not None else 1006

    def _take(self, fields: dict[str, Any]) -> None:
        if "message" in fields:
            self.refused = fields
            return
        self.told.append(fields)
        if fields["state"] == "cleared":
            self.orders.pop(fields["uuid"], None)
        else:
            self.orders[fields["uuid"]] = fields

    @staticmethod
    def _check_count(fields: dict[str, Any]) -> None:
        if "count" in fields:
            assert fields["count"] == len(fields["items"])
