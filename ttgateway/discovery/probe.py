"""Can multicast be sent? A single query, as a client sends it that has not joined the group (RFC 6762, 5.1)."""

import socket
from collections.abc import Iterable

_GROUP = ("224.0.0.251", 5353)
_NAME = b"".join(bytes([len(label)]) + label for label in (b"_tracker-http", b"_tcp", b"local", b""))
_QUERY = bytes(4) + b"\0\1" + bytes(6) + _NAME + b"\0\x0c\0\1"  # one question: PTR, IN


def unsendable(addresses: Iterable[str]) -> str:
    """Return why no query can be sent from any of ``addresses``; ``""`` where one can, or there is none."""
    whys = []
    for address in addresses:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
                probe.sendto(_QUERY, _GROUP)
        except OSError as error:
            whys.append(f"{address}: {str(error.strerror or error).lower()}")
        else:
            return ""
    return "; ".join(whys)
