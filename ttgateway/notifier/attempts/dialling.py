"""Opening real connections: TCP to an address that was checked, TLS verified by service-identity."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, cast

import pem
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IAddress, IReactorFDSet, IReactorTCP, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates

from ttgateway.machine import IPAddress
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.attempts.readiness import Readiness

_CONNECT_TIMEOUT = 30  # seconds; a backstop only: an attempt gives up long before
TrustRoot = Any
"""An ``IOpenSSLTrustRoot``, which Twisted does not export."""


class _Connections(Factory):
    """Makes connections; says nothing in the log at each of them."""

    noisy = False

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls

    def buildProtocol(self, addr: IAddress | None) -> ListenerConnection:
        return ListenerConnection(tls=self._tls)


_PLAIN = _Connections(tls=False)
_TLS = _Connections(tls=True)


def trust(ca_file: str) -> TrustRoot:
    """Return who vouches for ``https`` listeners: the certificates in a PEM file, or (``""``) the system's.

    Raises ``OSError`` and ``ValueError``.
    """
    if not ca_file:
        return platformTrust()
    found = [Certificate.loadPEM(part.as_bytes()) for part in pem.parse_file(Path(ca_file))]
    if not found:
        raise ValueError(f"{ca_file}: holds no certificate")
    return trustRootFromCertificates(found)


class _Reactor(IReactorTCP, IReactorTime, IReactorFDSet):
    """What a dialler needs of the reactor."""


class Dialler:
    """A `Dial` on the real network."""

    def __init__(self, reactor: _Reactor, trust_root: TrustRoot) -> None:
        self._reactor = reactor
        self._trust_root = trust_root
        self._readiness = Readiness(reactor) if sys.platform == "linux" else None

    def __call__(self, address: IPAddress, port: int, host: str | None) -> Deferred[ListenerConnection]:
        """Connect to ``address``; with ``host``, by TLS, and the other side must prove to be it."""
        kind = TCP4ClientEndpoint if address.version == 4 else TCP6ClientEndpoint
        endpoint = kind(self._reactor, str(address), port, timeout=_CONNECT_TIMEOUT)
        if host is None:
            connecting = cast(Deferred[ListenerConnection], endpoint.connect(_PLAIN))
            return connecting.addCallback(self._take_over)
        verified = optionsForClientTLS(host, trustRoot=self._trust_root)
        wrapped = wrapClientTLS(verified, endpoint, self._reactor)
        return cast(Deferred[ListenerConnection], wrapped.connect(_TLS))

    def _take_over(self, connection: ListenerConnection) -> ListenerConnection:
        """Let what comes go the shortest way: past the endpoint's wrapper, and past the reactor's bookkeeping."""
        transport = cast(Any, connection.transport)
        transport.protocol = connection
        if self._readiness is not None:
            connection.lost = partial(self._readiness.forget, self._readiness.watch(transport))
        return connection
