import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import trustme
from twisted.internet.ssl import ClientContextFactory
from twisted.internet.testing import MemoryReactorClock, StringTransport

from tests.support import result_of
from ttgateway.notifier.attempts import dialling
from ttgateway.notifier.attempts.connection import ListenerConnection
from ttgateway.notifier.attempts.dialling import Dialler, trust

SHOP = trustme.CA()


def authority(folder: Path) -> str:
    path = folder / "shop.pem"
    SHOP.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize("address", ["10.0.0.5", "fd00::5"])
def test_the_address_is_dialled_as_it_is(address: str) -> None:
    network: Any = MemoryReactorClock()
    connecting = Dialler(network, None)(ip_address(address), 8080, None)
    ((host, port, factory, timeout, source),) = network.tcpClients
    assert (host, port, timeout, source) == (address, 8080, 30, None)
    made = factory.buildProtocol(None)._wrappedProtocol
    assert isinstance(made, ListenerConnection)
    assert not made._tls
    assert not factory._wrappedFactory.noisy
    assert not connecting.called


class Wire(StringTransport):
    """A transport with a socket, from whose other end a test can send."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ours, self.theirs = socket.socketpair()
        self.reads = True
        self.protocol: Any = None

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        pass

    def fileno(self) -> int:
        return self.ours.fileno()

    def stopReading(self) -> None:  # noqa: N802
        self.reads = False

    def doRead(self) -> None:  # noqa: N802
        self.protocol.dataReceived(self.ours.recv(100))


def test_what_a_listener_sends_goes_straight_to_its_connection_until_that_is_lost() -> None:
    network: Any = MemoryReactorClock()
    connecting = Dialler(network, None)(ip_address("10.0.0.5"), 8080, None)
    wire = Wire()
    factory = network.tcpClients[0][2]
    factory.buildProtocol(None).makeConnection(wire)
    connection: Any = result_of(connecting)
    assert isinstance(connection, ListenerConnection)
    assert wire.protocol is connection
    assert not wire.reads  # by the reactor itself
    [readiness] = network.getReaders()
    connection.request(b"", Mock())
    wire.theirs.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    readiness.doRead()
    assert connection.usable
    connection.connectionLost()
    assert network.getReaders() == []
    wire.ours.close()
    wire.theirs.close()


def test_without_an_epoll_the_reactor_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    network: Any = MemoryReactorClock()
    connecting = Dialler(network, None)(ip_address("10.0.0.5"), 8080, None)
    wire = Wire()
    network.tcpClients[0][2].buildProtocol(None).makeConnection(wire)
    connection: Any = result_of(connecting)
    assert wire.reads
    assert network.getReaders() == []
    connection.connectionLost()
    wire.ours.close()
    wire.theirs.close()


@pytest.mark.parametrize("address", ["10.0.0.5", "fd00::5"])
def test_by_tls_the_other_side_must_prove_to_be_the_host_to_whom_we_trust(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    asked: list[tuple[str, object]] = []

    def options(host: str, *, trustRoot: object) -> ClientContextFactory:  # noqa: N803
        asked.append((host, trustRoot))
        return ClientContextFactory()

    monkeypatch.setattr(dialling, "optionsForClientTLS", options)
    root: object = object()
    network: Any = MemoryReactorClock()
    Dialler(network, root)(ip_address(address), 8443, "kds.local")
    ((host, port, factory, timeout, _),) = network.tcpClients
    assert (host, port, timeout) == (address, 8443, 30)
    assert asked == [("kds.local", root)]
    wrapped = factory._wrappedFactory.buildProtocol(None)  # the TLS around the connection
    assert isinstance(wrapped.wrappedProtocol, ListenerConnection)
    assert wrapped.wrappedProtocol._tls


def test_without_a_file_the_systems_authorities_vouch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "platformTrust", lambda: "the system's")
    assert trust("") == "the system's"


def test_the_certificates_of_a_file_vouch_in_place_of_the_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dialling, "trustRootFromCertificates", list)
    (certificate,) = trust(authority(tmp_path))
    assert certificate.dumpPEM() == SHOP.cert_pem.bytes()


def test_a_file_without_a_certificate_vouches_for_nobody(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    with pytest.raises(ValueError, match=f"{empty}: holds no certificate"):
        trust(str(empty))
    with pytest.raises(OSError, match="nowhere"):
        trust(str(tmp_path / "nowhere.pem"))
