"""How many connections may be open, and which goes when there are too many (design section 5)."""

from collections import Counter, OrderedDict, defaultdict
from typing import Protocol

from ttgateway.api.server.rates import peer_group

MOST_UNTRUSTED = 512
"""The most connections that have shown no valid secret."""
MOST_A_PEER = 32
"""The most of those from one peer."""
MOST_IN_ALL = 4096
"""The most connections of all kinds."""


class Connection(Protocol):
    """What the table knows of a connection; it must be hashable by identity."""

    def abort(self) -> None:
        """Close at once, whatever waits to be written."""


class ConnectionTable:
    """All open connections of one site.

    A connection is *trusted* once it has shown a valid secret. One that is not is *idle* unless a request of its
    own is being answered. Where a newcomer is one too many, the connection that has been idle for longest is cut
    off; only where none is idle, the newcomer is. Each operation takes constant time.
    """

    def __init__(
        self, most_untrusted: int = MOST_UNTRUSTED, most_a_peer: int = MOST_A_PEER, most_in_all: int = MOST_IN_ALL
    ) -> None:
        self.stopping = False  # then no further request is taken
        self._most_untrusted = most_untrusted
        self._most_a_peer = most_a_peer
        self._most_in_all = most_in_all
        self._trusted: set[Connection] = set()
        self._peer_of: dict[Connection, str] = {}  # of the untrusted ones
        self._count_of: Counter[str] = Counter()
        self._idle: OrderedDict[Connection, None] = OrderedDict()  # the one that has been idle for longest is first
        self._idle_of: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._trusted) + len(self._peer_of)

    @classmethod
    def within(cls, descriptors: int) -> "ConnectionTable":
        """Return a table for a process that may open so many files.

        Half of them are left for the store, for what we call, and for who is let in only to be sent away: where
        there are none left, nobody could be let in, and nobody be cut off for a newcomer either.
        """
        untrusted = min(MOST_UNTRUSTED, descriptors // 4)
        return cls(untrusted, min(MOST_A_PEER, max(1, untrusted // 2)), min(MOST_IN_ALL, descriptors // 2))

    @property
    def untrusted(self) -> int:
        """Return how many connections have shown no valid secret."""
        return len(self._peer_of)

    def add(self, connection: Connection, peer: str | None) -> bool:
        """Take in a new connection, idle, from the IP address ``peer``; return whether there is room for it.

        ``None`` is a peer on this machine's own Unix socket, whom the file's permissions have let in: trusted.
        Others may be cut off to make room.
        """
        if peer is None:
            self._trusted.add(connection)
            return True
        group = peer_group(peer)
        if not self._has_room(group):
            return False
        self._peer_of[connection] = group
        self._count_of[group] += 1
        self.idle(connection)
        return True

    def busy(self, connection: Connection) -> None:
        """Note that a request of ``connection`` is being answered."""
        group = self._peer_of.get(connection)
        if group is not None:
            self._forget_idle(connection, group)

    def idle(self, connection: Connection) -> None:
        """Note that no request of ``connection`` is being answered any more."""
        group = self._peer_of.get(connection)
        if group is not None:
            self._idle[connection] = None
            self._idle_of[group][connection] = None

    def trust(self, connection: Connection) -> None:
        """Note that ``connection`` has shown a valid secret. One that is gone stays gone."""
        if connection in self._peer_of:
            self.remove(connection)
            self._trusted.add(connection)

    def trusts(self, connection: Connection) -> bool:
        """Return whether ``connection`` is open and has shown a valid secret."""
        return connection in self._trusted

    def remove(self, connection: Connection) -> None:
        """Forget ``connection``, which has ended; one that is not there is no error."""
        self._trusted.discard(connection)
        group = self._peer_of.pop(connection, None)
        if group is None:
            return
        self._forget_idle(connection, group)
        self._count_of[group] -= 1
        if not self._count_of[group]:
            del self._count_of[group]

    def _has_room(self, group: str) -> bool:
        """Return whether a newcomer of ``group`` fits in, once idle ones were cut off for it."""
        if self._count_of[group] >= self._most_a_peer and not self._evict(self._idle_of.get(group)):
            return False
        full = len(self._peer_of) >= self._most_untrusted or len(self) >= self._most_in_all
        return not full or self._evict(self._idle)

    def _evict(self, idle: OrderedDict[Connection, None] | None) -> bool:
        """Cut off the first connection in ``idle``; return whether there was one."""
        if not idle:
            return False
        oldest = next(iter(idle))
        self.remove(oldest)
        oldest.abort()
        return True

    def _forget_idle(self, connection: Connection, group: str) -> None:
        self._idle.pop(connection, None)
        of_peer = self._idle_of.get(group)
        if of_peer is not None:
            of_peer.pop(connection, None)
            if not of_peer:
                del self._idle_of[group]
