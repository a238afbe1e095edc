"""Ending a connection so that its peer reads what was said last: in halves, for a bounded time, dropping what comes."""

import socket

from twisted.internet.interfaces import INegotiated, ITCPTransport

LINGER = 3.0
"""Seconds until a peer that does not let its connection end is cut off: all is to be as it was 5 s after a flood."""
MOST_DROPPED = 256 * 1024
"""Bytes that are still read and dropped after the end has begun; the rest may wait in the kernel until it is over."""
MOST_IN_KERNEL = 64 * 1024
"""Bytes that the kernel may hold for a peer; by itself it would take megabytes before it says that nobody reads."""


def closes_in_halves(transport: object) -> bool:
    """Tell whether our half can be closed alone: TLS does that by itself, and stumbles where the one below it does."""
    return bool(ITCPTransport.providedBy(transport)) and not INegotiated.providedBy(transport)


def keep_little(transport: object) -> None:
    """Let the kernel hold no more than `MOST_IN_KERNEL` for the peer of ``transport``, and from it, if it is a socket.

    By itself it takes megabytes each way, of hundreds of connections, from a peer that does not read or floods.
    """
    handle = getattr(transport, "getHandle", lambda: None)()
    if isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_IN_KERNEL)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_IN_KERNEL)
