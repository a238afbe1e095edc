"""The real daemon in the namespace, as a store has it: on an address of the network; and who calls its API."""

import http.client
import json
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.callees.addresses import CLIENT, OWN
from tests.callees.table import API_PORT
from tests.system.daemon import Daemon

REGISTER = "/api/v2/register"

BOTH_FAMILIES = r"\:\:"
"""The interface of a socket to which a device with an IPv4 address comes as an IPv4-mapped one."""


class Reply(NamedTuple):
    """The status and the JSON of a reply."""

    status: int
    fields: dict[str, Any]


class Api:
    """Calls the API on one kept connection, with a secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._connection = http.client.HTTPConnection(OWN, API_PORT, timeout=20, source_address=(CLIENT, 0))

    def call(self, method: str, path: str, body: object = None) -> Reply:
        """Send one request, and return the reply."""
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, sent, {"Authorization": f"Bearer {self._secret}"})
        response = self._connection.getresponse()
        return Reply(response.status, json.loads(response.read()))

    def register(self, url: str, api: int) -> Reply:
        """Register a listener, by either version."""
        if api == 1:
            return self.call("GET", f"/api/v1/register?http_client={quote(url, safe='')}")
        return self.call("POST", REGISTER, {"http_client": url})

    def unregister(self, url: str) -> None:
        """Remove a listener, if it is registered."""
        self.call("DELETE", REGISTER, {"http_client": url})

    def post_order(self, number: int) -> None:
        """Start an order: a change that each listener is to be told of. The kept connection may be gone by now."""
        self.close()
        reply = self.call("POST", "/api/v2/activeorders", {"name": str(number), "orderType": "TO_GO"})
        assert reply.status == 200, reply

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class StoreGateway(Daemon):
    """A gateway on `OWN`; ``listen`` may put it elsewhere."""

    def __init__(self, folder: Path, settings: str, listen: str = OWN) -> None:
        folder.mkdir()
        super().__init__(folder, settings)
        self._listen = listen

    def command(self) -> list[str]:
        """Return the command line."""
        line = super().command()
        line[line.index("--listen") + 1] = f"tcp:{API_PORT}:interface={self._listen}"
        return line

    def serves(self) -> bool:
        """Tell whether it answers, on its control socket."""
        assert self.process.poll() is None, f"the daemon ended by itself: {self.log()[-2000:]}"
        try:
            return isinstance(self.control("GET", "/orders"), list)
        except OSError:
            return False

    def restart(self, settings: str | None = None) -> None:
        """End it in order and start it again, where ``settings`` are given with those."""
        self.stop()
        if settings is not None:
            self.settings.write_text(settings)
        self.start()

    def listeners(self) -> dict[str, dict[str, Any]]:
        """Return what the operator is shown of each listener, by URL."""
        return {shown["url"]: shown for shown in self.control("GET", "/listeners")}

    def waits(self, urls: Collection[str], holds: Callable[[dict[str, Any]], bool], within: float) -> list[str]:
        """Wait until ``holds`` is true of each listener in ``urls``; return those of which it is not true in time."""
        ends = time.monotonic() + within
        while True:
            shown = self.listeners()
            left = [url for url in urls if not holds(shown[url])]
            if not left or time.monotonic() > ends:
                return left
            time.sleep(0.1)
