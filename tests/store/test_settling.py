"""What rests on writes that are not durable yet: `settled`, failures that last, and the stop."""

import gc
import traceback

import pytest

from tests.conftest import Logged
from tests.store.bench import Bench, Slip, insert, refuse
from tests.support import result_of
from ttgateway.refusals import DiskFull, NotNow
from ttgateway.store.commits import MEND_EVERY


@pytest.fixture
def bench() -> Bench:
    return Bench()


def broken(bench: Bench) -> None:
    """Let a commit fail while the file cannot be read either."""
    bench.can_read = False
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.disk.step()


def test_with_nothing_to_write_all_is_settled(bench: Bench) -> None:
    assert result_of(bench.commits.settled()) is True


def test_settled_waits_for_the_commit_that_runs(bench: Bench) -> None:
    bench.commits.write(insert(1))
    settled = bench.commits.settled()
    assert not settled.called
    bench.disk.step()
    assert result_of(settled) is True


def test_settled_waits_for_what_waits_too(bench: Bench) -> None:
    bench.commits.write(insert(1))
    bench.commits.write(insert(2))
    settled = bench.commits.settled()
    bench.disk.step()
    assert not settled.called
    bench.disk.step()
    assert result_of(settled) is True


def test_settled_is_false_when_the_commit_that_runs_is_lost(bench: Bench, logged: Logged) -> None:
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    settled = bench.commits.settled()
    bench.disk.step()
    assert result_of(settled) is False
    logged.flush()
    bench.timers.advance(MEND_EVERY)


def test_settled_is_false_when_what_waited_is_lost_with_it(bench: Bench, logged: Logged) -> None:
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.write(insert(2), "waiting")
    settled = bench.commits.settled()
    bench.disk.step()
    assert result_of(settled) is False
    assert bench.disk.waiting == []
    logged.flush()
    bench.timers.advance(MEND_EVERY)


def test_settled_is_false_when_the_next_commit_is_lost(bench: Bench, logged: Logged) -> None:
    bench.commits.write(insert(1))
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    settled = bench.commits.settled()
    bench.disk.step()
    assert not settled.called
    bench.disk.step()
    assert result_of(settled) is False
    logged.flush()
    bench.timers.advance(MEND_EVERY)


def test_who_asks_while_results_are_given_out_waits_for_what_has_come_meanwhile(bench: Bench) -> None:
    asked = []
    bench.commits.write(insert(1)).addCallback(lambda _: asked.append(bench.commits.settled()))
    bench.commits.write(insert(2))
    bench.disk.step()
    assert not asked[0].called, "2 is not durable yet"
    bench.disk.step()
    assert result_of(asked[0]) is True


def test_a_write_from_a_result_waits_with_all_others_for_one_commit(bench: Bench) -> None:
    bench.commits.write(insert(1)).addCallback(lambda _: bench.commits.write(insert(3)))
    bench.commits.write(insert(2))
    bench.disk.step()
    bench.disk.step()
    assert bench.numbers() == [1, 2, 3]
    assert bench.commits.commits == 2


def test_who_settles_may_write_and_settle_again(bench: Bench) -> None:
    asked = []

    def again(_: bool) -> None:
        bench.commits.write(insert(2))
        asked.append(bench.commits.settled())

    bench.commits.write(insert(1))
    bench.commits.settled().addCallback(again)
    bench.disk.step()
    assert not asked[0].called
    bench.disk.step()
    assert result_of(asked[0]) is True


def test_a_store_that_cannot_be_read_either_refuses_all_until_it_can(bench: Bench, logged: Logged) -> None:
    broken(bench)
    assert bench.reread == []
    with pytest.raises(NotNow):
        bench.commits.check()
    for pending in (bench.commits.write(insert(1)), bench.commits.settled()):
        with pytest.raises(NotNow):
            result_of(pending)
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    with pytest.raises(NotNow):
        bench.commits.check()
    bench.can_read = True
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    assert bench.reread == [[]]
    bench.commits.check()
    result = bench.commits.write(insert(1))
    bench.disk.step()
    assert result_of(result) == 1
    assert len(logged.flush()) == 1


def test_while_it_mends_the_riders_wait(bench: Bench, logged: Logged) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    broken(bench)
    bench.commits.soon()
    bench.can_read = True
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    bench.disk.step()
    assert bench.numbers() == [7]
    logged.flush()


def test_a_transaction_that_was_left_open_is_not_taken_for_what_the_file_holds(bench: Bench, logged: Logged) -> None:
    broken(bench)
    bench.db.execute("BEGIN IMMEDIATE")
    insert(1)(bench.db)
    bench.can_read = True
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    assert bench.reread == [[]]
    logged.flush()


def test_a_full_disk_that_cannot_be_read_is_still_told_as_such(bench: Bench, logged: Logged) -> None:
    bench.db.execute("CREATE TABLE blobs (blob BLOB)")
    bench.db.execute("PRAGMA max_page_count = 10")
    bench.can_read = False
    bench.commits.write(lambda db: db.execute("INSERT INTO blobs VALUES (zeroblob(1000000))")).addErrback(lambda _: 0)
    bench.disk.step()
    with pytest.raises(DiskFull):
        bench.commits.check()
    logged.flush()
    bench.can_read = True
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()


def test_refusing_for_long_piles_nothing_up(bench: Bench, logged: Logged) -> None:
    broken(bench)
    depths = []
    for _ in range(3):
        with pytest.raises(NotNow) as refusal:
            bench.commits.check()
        depths.append(len(traceback.extract_tb(refusal.value.__traceback__)))
    assert depths[0] == depths[1] == depths[2]
    logged.flush()
    bench.can_read = True
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()


def test_stopping_writes_what_waits_and_the_riders_news_and_refuses_the_rest(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    results = [bench.commits.write(insert(number)) for number in (1, 2)]
    stopped = bench.commits.stop()
    slip.news = [7]
    bench.commits.soon()
    with pytest.raises(NotNow, match="stopping"):
        result_of(bench.commits.write(insert(3)))
    with pytest.raises(NotNow, match="stopping"):
        bench.commits.check()
    bench.disk.step()
    assert not stopped.called
    while bench.disk.waiting:
        bench.disk.step()
    assert [result_of(result) for result in results] == [1, 2]
    assert stopped.called
    assert sorted(bench.numbers()) == [1, 2, 7]
    assert bench.timers.getDelayedCalls() == []


def test_stopping_an_idle_store_writes_the_riders_news_now(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    stopped = bench.commits.stop()
    assert not stopped.called
    bench.disk.step()
    assert stopped.called
    assert bench.numbers() == [7]
    assert bench.timers.getDelayedCalls() == []


def test_a_failure_during_the_stop_does_not_keep_it_up(bench: Bench, logged: Logged) -> None:
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    stopped = bench.commits.stop()
    bench.disk.step()
    assert stopped.called
    assert bench.timers.getDelayedCalls() == []
    logged.flush()


def test_a_store_that_is_mending_can_be_stopped(bench: Bench, logged: Logged) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    broken(bench)
    bench.timers.advance(MEND_EVERY)
    stopped = bench.commits.stop()
    assert stopped.called
    bench.can_read = True
    bench.disk.step()
    assert bench.disk.waiting == [], "nothing is begun on a connection that may be closed"
    assert bench.timers.getDelayedCalls() == []
    logged.flush()
    gc.collect()
