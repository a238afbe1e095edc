"""A DNS server for the daemon's resolver: it answers what it is told, changes its mind when told, and may be slow."""

import socket
import struct
import threading
from ipaddress import ip_address

from tests.callees import names

AT = ("127.0.0.53", 53)
_TYPES = {4: 1, 6: 28}  # A and AAAA
_CNAME = 5
_ALIAS = b"\x04real\x05alias\x04test\x00"
_NO_SUCH_NAME = 3


class Dns:
    """Serves on `AT` from a thread. ``answers`` holds what is known of a name; ``silent`` the names never answered."""

    def __init__(self) -> None:
        self.answers: dict[str, names.Answer] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(AT)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, peer = self._socket.recvfrom(4096)
            if (reply := self._reply(query)) is not None:
                self._socket.sendto(reply, peer)

    def _reply(self, query: bytes) -> bytes | None:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii").lower())
            at += 1 + query[at]
        question = query[12 : at + 5]
        name, kind = ".".join(labels), int.from_bytes(query[at + 1 : at + 3], "big")
        self.asked.append(name)
        if name in self.silent:
            return None
        known = self.answers.get(name)
        addresses = [a for a in map(ip_address, known or ()) if _TYPES[a.version] == kind]
        records = [_record(b"\xc0\x0c", _CNAME, _ALIAS)] if addresses and names.aliases(name) else []
        owner = _ALIAS if records else b"\xc0\x0c"
        records += [_record(owner, kind, address.packed) for address in addresses]
        code = _NO_SUCH_NAME if known is None else 0
        return query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(records), 0, 0) + question + b"".join(records)


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 0, len(data)) + data
