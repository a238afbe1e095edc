import apsw
import pytest
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import AtOnce, OnDemand, memory_store, result_of
from ttgateway.refusals import NotNow
from ttgateway.store.pace import CommitPace, Pace


def test_a_thread_with_nothing_to_do_goes_on() -> None:
    pace = Pace(AtOnce())
    assert [pace.goes_on() for _ in range(5)] == [True] * 5


def test_a_thread_that_hangs_does_not_and_one_that_comes_back_does() -> None:
    thread = OnDemand()
    pace = Pace(thread)
    assert pace.goes_on()
    assert not pace.goes_on()
    assert not pace.goes_on()
    assert len(thread.waiting) == 1
    thread.step()
    assert pace.goes_on()


def test_a_thread_behind_which_much_work_waits_goes_on_while_any_of_it_ends() -> None:
    thread = OnDemand()
    pace = Pace(thread)
    results = [pace.run(lambda: None) for _ in range(10)]
    for _ in results:
        assert pace.goes_on()
        thread.step()
    assert pace.goes_on()
    assert not pace.goes_on()


def test_work_that_fails_has_ended_too_and_its_result_is_its_own() -> None:
    def broken() -> int:
        raise ValueError("broken")

    thread = OnDemand()
    pace = Pace(thread)
    results = [pace.run(broken) for _ in range(3)]
    for result in results:
        assert pace.goes_on()
        thread.step()
        with pytest.raises(ValueError, match="broken"):
            result_of(result)
    assert result_of(Pace(AtOnce()).run(lambda: 7)) == 7


def test_a_commit_that_does_not_end_stands_and_one_after_the_other_does_not() -> None:
    disk = OnDemand()
    store = memory_store(Clock(), executor=disk)
    pace = CommitPace(store.commits)
    assert pace.goes_on()
    assert pace.goes_on()
    for _ in range(3):  # one ends, and the next is under way already
        pending = [store.write(lambda db: None)]
        assert pace.goes_on()
        pending.append(store.write(lambda db: None))
        disk.step()
        assert pace.goes_on()
        disk.step()
        for written in pending:
            result_of(written)
    store.write(lambda db: None)
    assert pace.goes_on()
    assert not pace.goes_on()
    disk.step()
    assert pace.goes_on()


def test_a_disk_that_refuses_every_commit_does_not_stand(logged: Logged) -> None:
    def full(db: apsw.Connection) -> None:
        raise apsw.FullError("full")

    timers = Clock()
    store = memory_store(timers)
    pace = CommitPace(store.commits)
    for _ in range(5):
        with pytest.raises(NotNow):
            result_of(store.write(full))
        assert pace.goes_on()
        assert store.writer_pace.goes_on()
        timers.advance(1)
    logged.flush()
