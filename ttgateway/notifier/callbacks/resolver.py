"""Names to addresses: a small cache in front of the system's resolver.

The system's resolver blocks, and takes as long as it likes. So look-ups run on threads of their own, never on the
reactor's shared ones (fault finding 5); nobody waits for one longer than `DEADLINE`; and a name that was known
within the hour stays known while the DNS is away.
"""

import socket
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NoReturn, Protocol

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from ttgateway.machine import IPAddress

DEADLINE = 2.0
"""Seconds that a caller waits for a look-up."""
FRESH = 60.0
"""Seconds for which an answer is served without looking up again."""
KEPT = 3600.0
"""Seconds for which an answer serves at all."""
MOST_NAMES = 1024
"""Names that are remembered, and names that are looked up at one time."""
MOST_ADDRESSES = 16

Addresses = tuple[IPAddress, ...]
Lookup = Callable[[str], Deferred[Addresses]]


class NameNotFound(Exception):
    """No address is known for a name; the text says why."""


class Resolver(Protocol):
    """Knows the addresses of names."""

    def resolve(self, name: str) -> Deferred[Addresses]:
        """Return the addresses of ``name``, at least one; fail with `NameNotFound`."""

    def forget(self, name: str) -> None:
        """Take what is known of ``name`` for doubtful: a connection to one of its addresses failed."""


class _Answer(msgspec.Struct):
    addresses: Addresses
    at: float
    doubted: bool = False


class SystemResolver:
    """Resolves by ``lookup``, and remembers.

    ``lookup`` returns the addresses of a name, at least one, or fails with `NameNotFound`; ``clock`` measures ages and
    the deadline.
    """

    _log = Logger()

    def __init__(self, lookup: Lookup, clock: IReactorTime) -> None:
        self._lookup = lookup
        self._clock = clock
        self._answers: OrderedDict[str, _Answer] = OrderedDict()  # the least recently used one first
        self._waiting: dict[str, list[Deferred[Addresses]]] = {}  # a key for each look-up that runs

    def resolve(self, name: str) -> Deferred[Addresses]:
        """Return the addresses of ``name``, at least one; fail with `NameNotFound`.

        A fresh answer is served as it is; an older one too, while a look-up runs in the background. Where there is
        none, or it is doubted, the caller waits for the look-up, and may cancel that without disturbing others.
        """
        answer = self._known(name)
        if answer is not None and not answer.doubted:
            addresses = answer.addresses
            if self._clock.seconds() - answer.at >= FRESH:
                self._look_up(name)
            return succeed(addresses)
        # It has no canceller: a Deferred without one, once cancelled, ignores the result that comes later.
        waiter: Deferred[Addresses] = Deferred()
        result = waiter.addTimeout(DEADLINE, self._clock, onTimeoutCancel=_too_late)
        result.addErrback(self._last_good, name)
        self._look_up(name, waiter)
        return result

    def forget(self, name: str) -> None:
        """Look ``name`` up before serving it again; should that fail, the last good answer still serves."""
        answer = self._answers.get(name)
        if answer is not None:
            answer.doubted = True

    def _known(self, name: str) -> _Answer | None:
        answer = self._answers.get(name)
        if answer is None:
            return None
        if self._clock.seconds() - answer.at >= KEPT:
            del self._answers[name]
            return None
        self._answers.move_to_end(name)
        return answer

    def _look_up(self, name: str, *waiters: Deferred[Addresses]) -> None:
        """Let ``waiters`` have the result of the look-up that runs already, or of a new one."""
        if name in self._waiting:
            self._waiting[name].extend(waiters)
            return
        if len(self._waiting) >= MOST_NAMES:
            for waiter in waiters:
                waiter.errback(NameNotFound("too many names are looked up at present"))
            return
        self._waiting[name] = list(waiters)
        found = maybeDeferred(self._lookup, name)
        found.addCallbacks(self._found, self._not_found, callbackArgs=(name,), errbackArgs=(name,))

    def _found(self, addresses: Addresses, name: str) -> None:
        self._answers[name] = _Answer(addresses, self._clock.seconds())
        self._answers.move_to_end(name)
        if len(self._answers) > MOST_NAMES:
            self._answers.popitem(last=False)
        for waiter in self._waiting.pop(name):
            waiter.callback(addresses)

    def _not_found(self, failure: Failure, name: str) -> None:
        if not isinstance(failure.value, NameNotFound):
            self._log.failure("The look-up of {name} went wrong", failure, name=name)
        for waiter in self._waiting.pop(name):
            waiter.errback(NameNotFound(failure.getErrorMessage()))

    def _last_good(self, failure: Failure, name: str) -> Addresses | Failure:
        answer = self._known(name) if isinstance(failure.value, NameNotFound) else None
        return failure if answer is None else answer.addresses


def thread_lookup(reactor: IReactorFromThreads, pool: ThreadPool) -> Lookup:
    """Return a look-up by the system's resolver, on the threads of ``pool``, which serves nothing else."""
    return lambda name: deferToThreadPool(reactor, pool, system_addresses, name)


def _too_late(_result: object, seconds: float) -> NoReturn:
    raise NameNotFound(f"no answer within {seconds:g} s")


def system_addresses(name: str) -> Addresses:
    """Return the addresses that the system's resolver knows, however long that takes; raise `NameNotFound`."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter: a label that IDNA does not take
        raise NameNotFound(str(error)) from None
    addresses = _chosen(found)
    if not addresses:
        raise NameNotFound("it has no address that can be called")
    if len(addresses) > MOST_ADDRESSES:  # to leave some out would be to call a name of which not all was judged
        raise NameNotFound(f"it has more than {MOST_ADDRESSES} addresses")
    return addresses


def _chosen(found: list[tuple[Any, ...]]) -> Addresses:
    """Return the addresses in a reply of ``getaddrinfo``: IPv4 first, each once, without those that need a zone."""
    addresses: dict[IPAddress, None] = {}
    for wanted in (socket.AF_INET, socket.AF_INET6):
        for family, _, _, _, at in found:
            needs_zone = family == socket.AF_INET6 and ("%" in at[0] or at[3] != 0)
            if family == wanted and not needs_zone:
                addresses[ip_address(at[0])] = None
    return tuple(addresses)
