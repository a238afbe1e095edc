"""A daemon that serves by TLS, and what clients need to trust it."""

import socket
import ssl
from pathlib import Path

import trustme

from tests.system.daemon import Daemon

AUTHORITY = trustme.CA()


def trusting() -> ssl.SSLContext:
    """Return what a client must be given to call a `Sealed`."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


class Sealed(Daemon):
    """A daemon that serves by TLS."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pem = folder / "server.pem"
        AUTHORITY.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(self._pem))

    def command(self) -> list[str]:
        line = super().command()
        line[line.index("--listen") + 1] = (
            f"ssl:{self.port}:interface=127.0.0.1:privateKey={self._pem}:certKey={self._pem}"
        )
        return line

    def serves(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
            return bool(self.secret)
        except OSError:
            return False
