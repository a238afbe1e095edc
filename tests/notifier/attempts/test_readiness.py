import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure

from tests.conftest import Logged
from ttgateway.notifier.attempts.readiness import Readiness


class Wire:
    """A transport of ours, and the socket at its other end."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.read: list[bytes] = []
        self.reactor_reads = True
        self.lost: list[Failure] = []
        self.fails: Exception | None = None

    def fileno(self) -> int:
        return self.ours.fileno()

    def doRead(self) -> Exception | None:  # noqa: N802
        if self.fails is not None:
            raise self.fails
        data = self.ours.recv(100)
        self.read.append(data)
        return None if data else ConnectionDone()

    def stopReading(self) -> None:  # noqa: N802
        self.reactor_reads = False

    def connectionLost(self, reason: Failure) -> None:
        self.lost.append(reason)
        self.ours.close()


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    wires = [Wire(), Wire(), Wire()]
    yield wires
    for wire in wires:
        wire.ours.close()
        wire.theirs.close()


@pytest.fixture
def reactor() -> Any:
    return MemoryReactor()


def test_what_is_ready_is_read_in_one_turn_and_the_reactor_reads_none_of_it(wires: list[Wire], reactor: Any) -> None:
    readiness = Readiness(reactor)
    for wire in wires:
        readiness.watch(wire)
    wires[0].theirs.send(b"one")
    wires[2].theirs.send(b"three")
    readiness.doRead()
    assert [wire.read for wire in wires] == [[b"one"], [], [b"three"]]
    assert not any(wire.reactor_reads for wire in wires)


def test_the_reactor_watches_for_as_long_as_there_is_a_connection(wires: list[Wire], reactor: Any) -> None:
    readiness = Readiness(reactor)
    assert readiness not in reactor.getReaders()
    descriptors = [readiness.watch(wire) for wire in wires]
    readiness.forget(descriptors[0])
    assert readiness in reactor.getReaders()
    for descriptor in descriptors[1:]:
        readiness.forget(descriptor)
    assert readiness not in reactor.getReaders()


def test_a_connection_that_the_other_side_has_closed_is_lost(wires: list[Wire], reactor: Any) -> None:
    readiness = Readiness(reactor)
    readiness.watch(wires[0])
    wires[0].theirs.close()
    readiness.doRead()
    assert [failure.type for failure in wires[0].lost] == [ConnectionDone]


def test_one_that_fails_is_lost_and_told_of_and_the_others_are_read(
    wires: list[Wire], reactor: Any, logged: Logged
) -> None:
    readiness = Readiness(reactor)
    for wire in wires:
        readiness.watch(wire)
        wire.theirs.send(b"x")
    wires[0].fails = RuntimeError("a bad protocol")
    readiness.doRead()
    assert [failure.type for failure in wires[0].lost] == [RuntimeError]
    assert [wire.read for wire in wires[1:]] == [[b"x"], [b"x"]]
    assert len(logged.flush()) == 1


def test_what_was_lost_in_the_same_turn_is_not_read(wires: list[Wire], reactor: Any) -> None:
    readiness = Readiness(reactor)
    first, second = (readiness.watch(wire) for wire in wires[:2])
    for wire in wires[:2]:
        wire.theirs.send(b"x")
    wires[0].doRead = lambda: readiness.forget(second)  # type: ignore[method-assign]
    wires[1].doRead = lambda: readiness.forget(first)  # type: ignore[method-assign]
    readiness.doRead()
    assert readiness._watched.keys() in ({first}, {second})


def test_what_is_closed_is_not_read_any_more(wires: list[Wire], reactor: Any) -> None:
    readiness = Readiness(reactor)
    descriptor = readiness.watch(wires[0])
    readiness.watch(wires[1])
    wires[0].theirs.send(b"x")
    wires[0].ours.close()
    readiness.forget(descriptor)
    readiness.doRead()
    assert wires[0].read == []
