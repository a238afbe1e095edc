"""The API over TLS, for those who serve it so."""

import socket
from contextlib import suppress
from pathlib import Path

from tests.system.daemon import eventually
from tests.system.sealed import Sealed, trusting


def test_a_request_that_is_refused_is_answered_and_its_client_may_close_as_tls_does(tmp_path: Path) -> None:
    daemon = Sealed(tmp_path)
    try:
        daemon.start()
        for _ in range(3):
            plain = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
            with trusting().wrap_socket(plain, server_hostname="127.0.0.1") as client:
                client.sendall(b"GET /api/v2 HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
                reply = b""
                while data := client.recv(65_536):
                    reply += data
                assert reply.startswith(b"HTTP/1.1 421 ")
                assert reply.endswith(b"}")
                with suppress(OSError):  # who was quicker does not matter
                    client.unwrap()
        eventually(daemon.serves)
        daemon.stop()
        assert not daemon.complaints(), daemon.log()
    finally:
        daemon.end()
