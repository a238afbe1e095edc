import apsw
import pytest
from twisted.internet.defer import fail
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import FakeClock, memory_gateway, memory_store, result_of
from ttgateway.feeds import events as feed
from ttgateway.feeds.events import Events
from ttgateway.gateway import Gateway
from ttgateway.orders.order import OrderType
from ttgateway.refusals import ChangesGone, NotNow, TooMany
from ttgateway.store.damage.soundness import DamagedStoreError


class Till:
    """A gateway, and the events of its journal."""

    def __init__(self) -> None:
        self.timers = Clock()
        clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=clock)
        self.gateway: Gateway = memory_gateway(self.store, clock)
        self.events = Events(self.store.journal, self.gateway.epoch, self.timers)

    def post(self, *names: str) -> None:
        for name in names:
            result_of(self.gateway.post(name, OrderType.TO_GO, ""))

    def seqs_after(self, since: int, limit: int = 100) -> list[int]:
        return [entry.seq for entry in result_of(self.events.after(since, limit))]


def test_what_follows_a_seq_comes_in_order_and_no_more_than_asked_for() -> None:
    till = Till()
    till.post("1", "2", "3")
    assert till.seqs_after(0) == [1, 2, 3]
    assert till.seqs_after(1) == [2, 3]
    assert till.seqs_after(0, limit=2) == [1, 2]
    assert till.seqs_after(3) == []


def test_what_is_no_longer_in_memory_is_read_from_the_file() -> None:
    till = Till()
    till.post("1", "2", "3")
    till.store.journal._recent.clear()
    assert till.seqs_after(1) == [2, 3]
    assert till.seqs_after(0, limit=1) == [1]


def test_another_epoch_and_a_seq_that_is_trimmed_are_gone() -> None:
    till = Till()
    till.post("1", "2", "3")
    till.events.check(3, till.gateway.epoch)
    till.events.check(0, None)
    with pytest.raises(ChangesGone):
        till.events.check(0, "another")
    till.store.journal.trimmed_to(2)
    till.events.check(2, None)
    with pytest.raises(ChangesGone):
        till.events.check(1, None)


def test_what_is_trimmed_just_as_it_is_read_is_gone_and_not_left_out() -> None:
    till = Till()
    till.post(*map(str, range(1, 6)))
    till.store.journal._recent.clear()
    till.events.check(1, None)
    result_of(till.store.write(lambda db: db.execute("DELETE FROM changes WHERE seq = 3")))
    result_of(till.store.write(lambda db: db.execute("UPDATE gateway SET trimmed = 4")))
    with pytest.raises(ChangesGone):
        till.seqs_after(1)


def test_who_waits_is_woken_by_the_next_change_once_it_is_durable() -> None:
    till = Till()
    woken: list[None] = []
    till.events.wait(30).addCallback(woken.append)
    assert not woken
    till.post("1")
    assert woken == [None]
    assert till.timers.getDelayedCalls() == []


def test_who_waits_in_vain_goes_on_when_the_time_is_over() -> None:
    till = Till()
    woken: list[None] = []
    till.events.wait(30).addCallback(woken.append)
    till.timers.advance(29.9)
    assert not woken
    till.timers.advance(0.1)
    assert woken == [None]


def test_one_waiter_too_many_is_refused_and_one_that_left_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_WAITING", 2)
    till = Till()
    first, second = till.events.wait(30), till.events.wait(30)
    with pytest.raises(TooMany):
        till.events.wait(30)
    for waiter in (first, second):
        waiter.addErrback(lambda _: None)
    first.cancel()
    till.events.wait(30)
    till.post("1")


def test_a_change_that_is_damaged_is_gone() -> None:
    till = Till()
    till.post("1", "2", "3")
    till.store.write(lambda db: db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 2"))
    till.store.journal._recent.clear()
    with pytest.raises(ChangesGone):
        till.seqs_after(0)
    assert till.seqs_after(2) == [3]


@pytest.mark.parametrize("error", [apsw.IOError, apsw.CorruptError, DamagedStoreError])
def test_a_journal_that_cannot_be_read_is_told_and_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, logged: Logged, error: type[Exception]
) -> None:
    till = Till()
    till.post("1", "2")
    till.store.journal._recent.clear()
    monkeypatch.setattr(till.store.journal, "page", lambda after: fail(error()))
    with pytest.raises(NotNow):
        till.seqs_after(0)
    assert len(logged.flush()) == 1
