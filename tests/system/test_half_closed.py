"""Clients that close their half once they have asked, as ``nc -N`` and small devices do, get their answer."""

import json
import socket
from collections.abc import Callable

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener


def asked(daemon: Daemon, method: str, target: str, body: str = "") -> socket.socket:
    """Ask, and return the connection, of which our half is closed."""
    connection = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
    connection.sendall(
        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nAuthorization: Bearer {daemon.secret}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    connection.shutdown(socket.SHUT_WR)
    return connection


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Return what is read until the end."""
    with connection:
        said = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, content = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(content)


def test_an_order_is_answered(daemon: Daemon) -> None:
    body = '{"name": "901", "orderType": "TO_GO"}'
    for _ in range(20):
        status, fields = answer(asked(daemon, "POST", "/api/v2/activeorders", body))
        assert (status, fields["status"]) == (200, 200)


def test_a_registration_that_calls_the_listener_first_is_answered(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = listen()
    status, _ = answer(asked(daemon, "GET", f"/api/v1/register?http_client={listener.url}"))
    assert status == 200
    client.post_order(902)
    eventually(lambda: listener.told)


def test_who_waits_for_changes_and_hangs_up_is_let_go_at_once(daemon: Daemon) -> None:
    with asked(daemon, "GET", "/api/v2/events?since=0&wait=20") as connection:
        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
