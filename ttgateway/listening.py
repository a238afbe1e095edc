"""Where the API listens: known only once it does, as the port may be any, or come from systemd."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

WAITING_ROOM = 256
"""Connections that the kernel keeps for us to accept. Whoever comes on top of them waits a second: TCP's own retry."""


def with_waiting_room(listen: str) -> str:
    """Return the description of an endpoint with our `WAITING_ROOM`, where it is one of TCP that says nothing of it."""
    if listen.startswith(("tcp:", "tcp6:", "ssl:")) and ":backlog=" not in listen:
        return f"{listen}:backlog={WAITING_ROOM}"
    return listen


def is_handed_over(listen: str) -> bool:
    """Tell whether the sockets of an endpoint come from systemd, which keeps them when this process ends."""
    return listen.startswith("systemd:")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can connect to ``host``, an address."""
    return host == "::1" or host.startswith("127.")


@implementer(IStreamServerEndpoint)
class NotedEndpoint:
    """An endpoint that notes where it listens. ``ports`` holds the TCP ports, and grows when it begins to."""

    def __init__(self, endpoint: IStreamServerEndpoint) -> None:
        self._endpoint = endpoint
        self._addresses: list[Any] = []
        self.ports: set[int] = set()

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803
        """Listen, and note where."""
        return self._endpoint.listen(protocolFactory).addCallback(self._listening)

    def is_local(self) -> bool:
        """Tell whether only this machine can connect: to a loopback address, or to a Unix socket."""
        hosts = [getattr(address, "host", "127.0.0.1") for address in self._addresses]
        return bool(hosts) and all(map(is_loopback, hosts))

    @property
    def tcp(self) -> list[tuple[str, int]]:
        """Return the addresses and ports at which it listens to TCP."""
        return [(address.host, address.port) for address in self._addresses if hasattr(address, "port")]

    def __str__(self) -> str:
        """Return where it listens, for people."""
        return ", ".join(
            f"http://{address.host}:{address.port}/" if hasattr(address, "port") else str(address)
            for address in self._addresses
        )

    def _listening(self, port: IListeningPort) -> IListeningPort:
        address: Any = port.getHost()
        self._addresses.append(address)
        if hasattr(address, "port"):
            self.ports.add(address.port)
        return port
