from ipaddress import ip_address
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests.notifier.network import FakeDial, Peer, fake_network, pass_time
from tests.support import Names, open_policy, result_of
from ttgateway.commands.chaos.line import Line
from ttgateway.commands.chaos.script import Manner
from ttgateway.notifier.attempts.outcome import Outcome, Verdict
from ttgateway.notifier.callbacks.callback import CallbackURL

REQUEST = b"POST / HTTP/1.1\r\nHost: 10.0.0.5\r\nContent-Length: 2\r\n\r\n{}"
BROKEN_OFF = [Manner.HALF, Manner.UNREAD]


class Wire:
    """A line to a peer of the test's; ``outcome`` is what the sending came to, once it has."""

    def __init__(self, url: str = "http://10.0.0.5/", **network: Any) -> None:
        self.timers = Clock()
        self.dial = FakeDial()
        self.line = Line(CallbackURL.parse(url), fake_network(self.timers, dial=self.dial, **network), self.timers)

    def send(self, manner: Manner) -> "Deferred[Outcome | None]":
        return ensureDeferred(self.line.send(REQUEST, manner))

    @property
    def peer(self) -> Peer:
        return self.dial.peer

    def end(self) -> None:
        self.line.close()
        pass_time(self.timers, 1.0)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_whole_request_goes_on_a_connection_that_is_kept(wire: Wire) -> None:
    for _ in range(2):
        sending = wire.send(Manner.WHOLE)
        assert wire.peer.received() == REQUEST
        wire.peer.answer(204)
        outcome = result_of(sending)
        assert outcome is not None
        assert (outcome.verdict, outcome.status) == (Verdict.DELIVERED, 204)
    assert len(wire.dial.peers) == 1
    wire.end()


@pytest.mark.parametrize("manner", BROKEN_OFF)
def test_a_request_is_broken_off_without_reading_an_answer(wire: Wire, manner: Manner) -> None:
    sending = wire.send(manner)
    got = wire.peer.received()
    assert got == (REQUEST if manner is Manner.UNREAD else REQUEST[: len(got)])
    assert len(got) > len(REQUEST) / 2
    pass_time(wire.timers, 0.2)
    assert result_of(sending) is None
    assert not wire.peer.open


def test_half_a_request_is_not_all_of_it(wire: Wire) -> None:
    wire.send(Manner.HALF)
    assert len(wire.peer.received()) < len(REQUEST)
    pass_time(wire.timers, 0.2)


def test_a_slow_request_comes_in_pieces_and_its_answer_counts(wire: Wire) -> None:
    sending = wire.send(Manner.SLOW)
    got = [wire.peer.received()]
    while sum(map(len, got)) < len(REQUEST):
        wire.timers.advance(0.25)
        got.append(wire.peer.received())
    assert b"".join(got) == REQUEST
    assert len(got) == 4
    wire.peer.answer()
    outcome = result_of(sending)
    assert outcome is not None
    assert outcome.verdict is Verdict.DELIVERED
    assert not wire.peer.open


def test_a_listener_that_answers_before_it_has_all_is_sent_no_more(wire: Wire) -> None:
    sending = wire.send(Manner.SLOW)
    wire.peer.received()
    wire.peer.answer(400)
    wire.timers.pump([0.25] * 4)
    outcome = result_of(sending)
    assert outcome is not None
    assert outcome.verdict is not Verdict.DELIVERED
    assert wire.peer.received() == b""


def test_a_slow_request_that_is_never_answered_has_a_deadline(wire: Wire) -> None:
    sending = wire.send(Manner.SLOW)
    pass_time(wire.timers, 12.0)
    outcome = result_of(sending)
    assert outcome is not None
    assert (outcome.verdict, outcome.cause) == (Verdict.DOWN, "timeout")
    assert not wire.peer.open


@pytest.mark.parametrize("manner", list(Manner))
def test_nobody_there_is_an_outcome(manner: Manner) -> None:
    refusing, silent, unknown = Wire(), Wire(), Wire("http://nobody.local/")
    refusing.dial.down.add("10.0.0.5")
    silent.dial.silent.add("10.0.0.5")
    causes = []
    for wire in (refusing, silent, unknown):
        sending = wire.send(manner)
        pass_time(wire.timers, 4.0)
        outcome = result_of(sending)
        assert outcome is not None
        assert outcome.verdict is Verdict.DOWN
        causes.append(outcome.cause)
        wire.end()
    assert causes == ["refused", "timeout", "dns"]


@pytest.mark.parametrize("manner", list(Manner))
def test_nobody_is_called_whom_the_policy_forbids(manner: Manner) -> None:
    wire = Wire("http://203.0.113.5/", policy=open_policy(allow=[]))
    outcome = result_of(wire.send(manner))
    assert outcome is not None
    assert outcome.cause == "forbidden"
    assert wire.dial.dialled == []
    wire.end()


@pytest.mark.parametrize("manner", list(Manner))
def test_of_a_name_with_two_addresses_the_second_is_dialled_where_the_first_is_down(manner: Manner) -> None:
    wire = Wire("http://pager/", names=Names(pager=(ip_address("10.0.0.5"), ip_address("10.0.0.6"))))
    wire.dial.down.add("10.0.0.5")
    wire.send(manner)
    assert wire.dial.dialled == ["10.0.0.5", "10.0.0.6"]
    assert wire.peer.received()
    pass_time(wire.timers, 12.0)
    wire.end()
