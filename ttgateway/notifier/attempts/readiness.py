"""Which connections have something to read: an epoll of our own, which the reactor takes for one descriptor.

Twisted's reactor makes a logging context and a dozen calls for each descriptor that is ready. Where a hundred listeners
answer in one turn, that is a third of what a delivery costs. The connections stay Twisted's in all else: it connects
them, writes what the kernel does not take at once, and closes them.
"""

import select
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

MOST = 256
"""How many connections are read in one turn."""


class Transport(Protocol):
    """What is used of a Twisted transport."""

    def fileno(self) -> int: ...  # noqa: D102
    def doRead(self) -> Exception | None: ...  # noqa: D102, N802
    def stopReading(self) -> None: ...  # noqa: D102, N802
    def connectionLost(self, reason: Failure) -> None: ...  # noqa: D102


@implementer(IReadDescriptor)
class Readiness:
    """Reads transports in the reactor's place. Needs Linux."""

    _log = Logger()

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._reactor = reactor
        self._epoll = select.epoll()
        self._watched: dict[int, Transport] = {}

    def watch(self, transport: Transport) -> int:
        """Read ``transport`` whenever there is something; return what `forget` wants when the connection is lost."""
        transport.stopReading()
        descriptor = transport.fileno()
        self._epoll.register(descriptor, select.EPOLLIN)
        if not self._watched:
            self._reactor.addReader(self)
        self._watched[descriptor] = transport
        return descriptor

    def forget(self, descriptor: int) -> None:
        """The connection with this descriptor is lost. That it is closed has already taken it out of the epoll."""
        self._watched.pop(descriptor, None)
        if not self._watched:
            self._reactor.removeReader(self)

    def fileno(self) -> int:
        """Return the epoll's own descriptor: it is ready when one of those in it is."""
        return self._epoll.fileno()

    def logPrefix(self) -> str:  # noqa: N802
        """Return what Twisted's log calls this."""
        return "listeners"

    def doRead(self) -> None:  # noqa: N802
        """Read what is ready."""
        for descriptor, _ in self._epoll.poll(0, MOST):
            transport = self._watched.get(descriptor)
            if transport is None:  # it was lost in this very turn
                continue
            try:
                lost = transport.doRead()
            except Exception as error:
                self._log.failure("Reading from a listener failed")
                lost = error
            if lost is not None:
                transport.connectionLost(Failure(lost))

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives up all that it has: it ends."""
