"""Where the bridge connects to us."""

import contextlib
import stat
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from ttgateway.bridge.connections import Connections
from ttgateway.gateway import Gateway
from ttgateway.settings import StreamAddress

SOCKET_MODE = 0o660


class Listening(Service):
    """Listens at ``address`` for a bridge; the newest one that connects counts."""

    def __init__(self, address: StreamAddress, gateway: Gateway, reactor: Any) -> None:
        self._address = address
        self._reactor = reactor
        self._connections = Connections(gateway, reactor)
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Begin to listen; raises ``CannotListenError``. A second call does nothing."""
        if self._port is None:
            super().startService()  # type: ignore[no-untyped-call]
            self._port = self._listen()

    def stopService(self) -> Deferred[None] | None:
        """Listen no more, and end the connection."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._connections.close()
        port, self._port = self._port, None
        return port.stopListening() if port is not None else None

    def _listen(self) -> IListeningPort:
        address, connections = self._address, self._connections
        if address.kind == "tcp":
            port: IListeningPort = self._reactor.listenTCP(address.number, connections, interface=address.where)
            return port
        with contextlib.suppress(OSError):  # binding says what is wrong
            path = Path(address.where)
            if stat.S_ISSOCK(path.lstat().st_mode):  # left by a process that was killed
                path.unlink()
        listening: IListeningPort = self._reactor.listenUNIX(address.where, connections, mode=SOCKET_MODE)
        return listening
