"""One HTTP request to a gateway, as tests make it: at once, over a connection of its own, without a reactor."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

LIMIT = 15.0
"""Seconds for connecting, and for each part of the answer."""


class Refused(Exception):
    """The gateway refused a request: ``status`` is that of HTTP, ``code`` the returnCode, the text its message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} ({code}): {message}")
        self.status = status
        self.code = code


class SocketConnection(http.client.HTTPConnection):
    """HTTP on the Unix socket at ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=LIMIT)
        self._path = str(path)

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def requested(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None, token: str = ""
) -> Any:
    """Return the JSON of the answer to one request, and close ``connection``; raise `Refused` unless it is a 2xx."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = None if body is None else json.dumps(body).encode()
    if sent is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, sent, headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    reply = json.loads(text) if text else {}
    if 200 <= answer.status < 300:
        return reply
    raise Refused(answer.status, int(reply.get("returnCode", 0)), str(reply.get("message", "")))
