"""What listens everywhere in the namespace, and what sees each packet that wants a connection."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Collection
from ipaddress import IPv4Address, ip_address

from tests.callees import dns
from tests.callees.addresses import CLIENT

SEEN_WITHIN = 0.3
"""Seconds after which a packet that was sent has been seen."""

_EVERY_PACKET = 3  # ETH_P_ALL of <linux/if_ether.h>
_OUTGOING = 4  # PACKET_OUTGOING of <linux/if_packet.h>
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17
_SYN, _SYN_OR_ACK = 0x02, 0x12
_CLIENT = IPv4Address(CLIENT).packed
_ROOM = 64 * 1024 * 1024

Target = tuple[str, int]
"""Address and port at which somebody would be called."""


class Watch:
    """Counts, by target, the TCP connections that are begun and the UDP packets that are sent, on all interfaces.

    Those of this process are not counted: they come from `CLIENT`, or are the answers of its DNS.
    """

    def __init__(self) -> None:
        self.begun: Counter[Target] = Counter()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PACKET))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, _ROOM)  # SO_RCVBUFFORCE
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            packet, about = self._socket.recvfrom(2048)
            if about[2] == _OUTGOING and (target := _wanted(packet, about[1])) is not None:
                self.begun[target] += 1

    def lost(self) -> int:
        """Return how many packets were not seen since this was last asked, for want of room."""
        statistics = self._socket.getsockopt(263, 6, 8)  # SOL_PACKET, PACKET_STATISTICS
        return int.from_bytes(statistics[4:8], "little")


def _wanted(packet: bytes, kind: int) -> Target | None:
    """Return whom a packet calls, if it begins a TCP connection or is of UDP."""
    if kind == _IPV4:
        protocol, at, to = packet[9], (packet[0] & 15) * 4, packet[16:20]
    elif kind == _IPV6:
        protocol, at, to = packet[6], 40, packet[24:40]
    else:
        return None
    source, port = int.from_bytes(packet[at : at + 2], "big"), int.from_bytes(packet[at + 2 : at + 4], "big")
    ours = source == dns.AT[1] or (kind == _IPV4 and packet[12:16] == _CLIENT)
    begins = protocol == _UDP or (protocol == _TCP and packet[at + 13] & _SYN_OR_ACK == _SYN)
    return (str(ip_address(to)), port) if begins and not ours else None


class Sinks:
    """TCP servers on all addresses of some ports. Each connection is counted; each request is answered by ``reply``."""

    def __init__(self, ports: Collection[int], reply: Callable[[str], bytes]) -> None:
        self.accepted: Counter[Target] = Counter()
        self.requests: list[tuple[Target, str]] = []
        self._reply = reply
        self._servers: dict[int, list[socket.socket]] = {}
        for port in ports:
            self.open(port)

    def open(self, port: int) -> None:
        """Begin to listen on a port."""
        for family, every in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104  # of the namespace
            server = socket.socket(family)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            server.bind((every, port))
            server.listen(512)
            self._servers.setdefault(port, []).append(server)
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def shut(self, port: int) -> None:
        """Refuse connections on a port from now on."""
        for server in self._servers.pop(port):
            server.shutdown(socket.SHUT_RDWR)
            server.close()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                here = connection.getsockname()
                target = (str(ip_address(here[0].partition("%")[0])), here[1])
                self.accepted[target] += 1
                threading.Thread(target=self._serve, args=(connection, target), daemon=True).start()

    def _serve(self, connection: socket.socket, target: Target) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            while first := lines.readline():
                length = 0
                while (line := lines.readline()).strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                lines.read(length)
                self.requests.append((target, first.decode("ascii", "replace").strip()))
                connection.sendall(self._reply(first.decode("ascii", "replace")))
