"""One attacking process: ``python -m tests.abuse.attacker PORT`` does the `Attack` that stands on its standard input.

Raw non-blocking sockets in one epoll loop, after the gateway where the processors are few. It ends when its
standard input does, or after `LONGEST` seconds, and prints its `Toll` as JSON.
"""

import dataclasses
import json
import re
import resource
import select
import socket
import struct
import sys
import time
from collections import deque

from tests.abuse.attack import Attack, Toll
from tests.abuse.precedence import second

LONGEST = 60.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_TURN = 0.02
_PIECE = 65_536
_READ_AT_ONCE = 262_144
_RECEIVES = 4_096
"""The receive buffer of a connection that does not read."""


@dataclasses.dataclass(eq=False)
class _Connection:
    number: int
    end: socket.socket
    opened: float
    unsaid: bytes = b""
    said: int = 0
    due: float = 0.0
    up: bool = False


class Swarm:
    """All connections of one attack."""

    def __init__(self, attack: Attack, port: int) -> None:
        self.toll = Toll()
        self._attack = attack
        self._port = port
        self._epoll = select.epoll()
        self._by_fd: dict[int, _Connection] = {}
        self._free = deque(range(attack.connections))
        self._due: deque[_Connection] = deque()
        self._waits = attack.drip != b"" or attack.pace > 0
        self._budget = 0.0
        self._topped_up = time.monotonic()

    def turn(self) -> None:
        """Do what there is to do, for at most about `_TURN` seconds."""
        now = time.monotonic()
        self._open_some(now)
        self._drip(now)
        for fd, event in self._epoll.poll(_TURN, 512):
            connection = self._by_fd.get(fd)
            if connection is not None:
                self._happened(connection, event)
        if self._attack.stays < 1e9:
            self._leave(time.monotonic())

    def close(self) -> None:
        """Close every connection."""
        self.toll.standing = sum(connection.up for connection in self._by_fd.values())
        for connection in list(self._by_fd.values()):
            self._close(connection)
        self._epoll.close()

    def _open_some(self, now: float) -> None:
        self._budget = min(100.0, self._budget + (now - self._topped_up) * self._attack.rate)
        self._topped_up = now
        while self._free and self._budget >= 1:
            self._budget -= 1
            self._open(self._free.popleft(), now)

    def _open(self, number: int, now: float) -> None:
        end = socket.socket()
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: ports are plenty, for each destination
        if not self._attack.reads:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVES)
        if self._attack.resets:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            end.bind((self._attack.address(number), 0))
            end.connect(("127.0.0.1", self._port))
        except BlockingIOError:
            pass
        except OSError:
            self._refused(number, end)
            return
        connection = _Connection(number, end, now, self._attack.opening)
        self._by_fd[end.fileno()] = connection
        self._epoll.register(end, select.EPOLLOUT | select.EPOLLIN)
        if self._waits:
            connection.due = now + (self._attack.every if self._attack.drip else self._attack.pace)
            self._due.append(connection)

    def _happened(self, connection: _Connection, event: int) -> None:
        try:
            if not connection.up:
                if error := connection.end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(error, "not connected")
                connection.up = True
                self.toll.opened += 1
            if event & select.EPOLLIN and not self._read(connection):
                return
            if event & select.EPOLLOUT:
                self._write(connection)
            elif event & (select.EPOLLHUP | select.EPOLLERR):
                self._ended(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._ended(connection)

    def _read(self, connection: _Connection) -> bool:
        """Read what there is; return whether the connection still stands."""
        if not self._attack.reads:
            self._epoll.modify(connection.end, select.EPOLLOUT)
            return True
        data = connection.end.recv(_READ_AT_ONCE)
        if not data:
            self._ended(connection)
            return False
        self.toll.heard += len(data)
        statuses = _STATUS.findall(data)
        for status in statuses:
            self.toll.replies[status.decode()] = self.toll.replies.get(status.decode(), 0) + 1
        if self._attack.asks and statuses and not self._attack.pace:
            connection.unsaid += self._attack.opening
            self._epoll.modify(connection.end, select.EPOLLIN | select.EPOLLOUT)
        return True

    def _write(self, connection: _Connection) -> None:
        attack = self._attack
        if not connection.unsaid and attack.flood and connection.said < attack.most:
            connection.unsaid = attack.flood
        if connection.unsaid:
            sent = connection.end.send(connection.unsaid[:_PIECE])
            connection.said += sent
            self.toll.said += sent
            connection.unsaid = connection.unsaid[sent:]
        if not connection.unsaid and (not attack.flood or connection.said >= attack.most):
            self._epoll.modify(connection.end, select.EPOLLIN if attack.reads else 0)

    def _drip(self, now: float) -> None:
        attack = self._attack
        while self._due and self._due[0].due <= now:
            connection = self._due.popleft()
            if self._by_fd.get(connection.end.fileno()) is not connection:
                continue
            if connection.up:
                connection.unsaid += attack.drip or attack.opening
                self._epoll.modify(connection.end, (select.EPOLLIN if attack.reads else 0) | select.EPOLLOUT)
            connection.due = now + (attack.every if attack.drip else attack.pace)
            self._due.append(connection)

    def _leave(self, now: float) -> None:
        for connection in list(self._by_fd.values()):
            if now - connection.opened < self._attack.stays:
                break  # the others are younger
            self._close(connection)
            self._free.append(connection.number)

    def _ended(self, connection: _Connection) -> None:
        if connection.up:
            self.toll.ended += 1
        else:
            self.toll.refused += 1
        self._close(connection)
        self._free.append(connection.number)

    def _refused(self, number: int, end: socket.socket) -> None:
        self.toll.refused += 1
        end.close()
        self._free.append(number)

    def _close(self, connection: _Connection) -> None:
        del self._by_fd[connection.end.fileno()]
        connection.end.close()


def main() -> None:
    """Attack, until standard input ends."""
    second()
    attack = Attack.from_json(sys.stdin.readline())
    swarm = Swarm(attack, int(sys.argv[1]))
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends and not select.select([sys.stdin], [], [], 0)[0]:
        swarm.turn()
    swarm.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    swarm.toll.cpu = used.ru_utime + used.ru_stime
    sys.stdout.write(json.dumps(dataclasses.asdict(swarm.toll)) + "\n")


if __name__ == "__main__":
    main()
