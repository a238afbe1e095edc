from pathlib import Path
from typing import Any

import apsw
import pytest
from twisted.logger import eventAsText

from tests.conftest import Logged
from tests.disks.recording import install
from tests.store.bench import Bench, Slip, insert, refuse
from tests.support import result_of
from ttgateway.refusals import DiskFull, NotNow
from ttgateway.sparing import BURST
from ttgateway.store.commits import APART, MEND_EVERY, SOON, WORTH_WHILE


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_write_has_its_result_only_after_the_commit(bench: Bench) -> None:
    result = bench.commits.write(insert(1))
    assert not result.called
    bench.disk.step()
    assert result_of(result) == 1
    assert bench.numbers() == [1]
    assert not bench.db.in_transaction


def test_what_arrives_during_a_commit_goes_into_one_next_one(bench: Bench) -> None:
    results = [bench.commits.write(insert(number)) for number in range(4)]
    assert len(bench.disk.waiting) == 1
    bench.disk.step()
    assert [result.called for result in results] == [True, False, False, False]
    bench.disk.step()
    assert [result_of(result) for result in results] == [0, 1, 2, 3]
    assert (bench.commits.commits, bench.commits.writes, bench.disk.waiting) == (2, 4, [])


def test_writes_are_made_in_the_order_in_which_they_came(bench: Bench) -> None:
    for number in (3, 1, 2):
        bench.commits.write(insert(number))
    bench.disk.step()
    bench.disk.step()
    assert bench.numbers() == [3, 1, 2]


def test_watchers_hear_of_a_commit_once_and_before_the_callers(bench: Bench) -> None:
    bench.write(insert(1), "first")
    bench.disk.step()
    bench.write(insert(2), "second")
    bench.write(insert(3), "third")
    bench.disk.step()
    bench.disk.step()
    assert bench.story == ["committed", "first written", "committed", "second written", "committed", "third written"]


def test_the_memory_is_brought_up_to_date_before_anybody_is_told(bench: Bench) -> None:
    bench.commits.write(insert(1), lambda: bench.story.append("noted")).addCallback(
        lambda _: bench.story.append("answered")
    )
    bench.disk.step()
    assert bench.story == ["noted", "committed", "answered"]


def test_a_watcher_that_fails_harms_nobody_else(bench: Bench, logged: Logged) -> None:
    def fail() -> None:
        raise RuntimeError("a bad watcher")

    bench.commits.watch(fail)
    bench.commits.watch(lambda: bench.story.append("the next watcher"))
    results = [bench.commits.write(insert(number)) for number in (1, 2)]
    bench.disk.step()
    bench.disk.step()
    assert [result_of(result) for result in results] == [1, 2]
    assert bench.story.count("the next watcher") == 2
    assert len(logged.flush()) == 2


def test_a_failed_write_refuses_its_group_and_all_that_waits(bench: Bench, logged: Logged) -> None:
    bench.write(insert(1), "first")
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.write(insert(2), "beside")
    bench.disk.step()
    bench.write(insert(3), "waiting")
    bench.disk.step()
    assert bench.story == [
        "committed",
        "first written",
        "memory reread",
        "bad refused",
        "beside refused",
        "waiting refused",
    ]
    assert bench.reread == [[1]]
    assert bench.numbers() == [1]
    assert len(logged.flush()) == 1
    bench.timers.advance(MEND_EVERY)


def test_failure_upon_failure_writes_no_line_for_each_onto_the_full_disk(bench: Bench, logged: Logged) -> None:
    for _ in range(500):
        bench.write(refuse, "bad")  # type: ignore[arg-type]
        bench.disk.step()
    assert sum(len(eventAsText(event)) for event in logged.flush()) < BURST
    assert bench.commits.failures == 500
    bench.timers.advance(MEND_EVERY)


def test_a_log_that_grows_is_told_once_and_once_more_the_next_time(tmp_path: Path, logged: Logged) -> None:
    recording = install().watch(tmp_path)
    bench = Bench(str(tmp_path / "numbers.db"))
    bench.db.execute("PRAGMA journal_mode = WAL")
    seen: list[BaseException] = []
    bench.commits.on_error(seen.append)
    for number in range(2):
        recording.fail("xWrite", apsw.IOError("disk I/O error"), ending=".db")
        for _ in range(3):
            bench.write(insert(number), "good")
            bench.disk.step()
        recording.mend()
        bench.write(insert(number), "good")
        bench.disk.step()
    told = [eventAsText(event) for event in logged.flush()]
    assert len(told) == len(seen) == 2
    assert "cannot be put into its file, and grows" in told[0]
    assert bench.story.count("good written") == 8
    bench.db.close()
    install().forget(recording)


def test_after_a_failure_the_next_write_is_tried_again(bench: Bench, logged: Logged) -> None:
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.disk.step()
    result = bench.commits.write(insert(1))
    bench.disk.step()
    assert result_of(result) == 1
    assert bench.commits.failures == 1
    logged.flush()


def test_a_full_disk_is_told_as_such(bench: Bench, logged: Logged) -> None:
    bench.db.execute("CREATE TABLE blobs (blob BLOB)")
    bench.db.execute("PRAGMA max_page_count = 10")
    result = bench.commits.write(lambda db: db.execute("INSERT INTO blobs VALUES (zeroblob(1000000))"))
    bench.disk.step()
    with pytest.raises(DiskFull):
        result_of(result)
    assert bench.reread == [[]]
    logged.flush()
    bench.timers.advance(MEND_EVERY)


def test_a_file_that_cannot_be_written_refuses_and_stays_readable(bench: Bench, logged: Logged) -> None:
    bench.commits.write(insert(1))
    bench.disk.step()
    bench.db.execute("PRAGMA query_only = ON")
    result = bench.commits.write(insert(2))
    bench.disk.step()
    with pytest.raises(NotNow) as refusal:
        result_of(result)
    assert not isinstance(refusal.value, DiskFull)
    assert bench.reread == [[1]]
    assert result_of(bench.commits.settled())
    logged.flush()
    bench.timers.advance(MEND_EVERY)


def test_riders_ride_with_the_next_commit_and_wait_for_none(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    assert bench.disk.waiting == []
    result = bench.commits.write(insert(1))
    bench.disk.step()
    assert result_of(result) == 1
    assert sorted(bench.numbers()) == [1, 7]
    assert bench.commits.commits == 1


def test_what_a_write_decides_comes_after_the_riders_news(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.write(insert(1))
    bench.disk.step()
    assert bench.numbers() == [7, 1]


def test_soon_writes_the_riders_news_within_50_ms_though_nothing_else_comes(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    bench.commits.soon()
    bench.timers.advance(SOON - 0.001)
    assert bench.disk.waiting == []
    bench.timers.advance(0.001)
    bench.disk.step()
    assert bench.numbers() == [7]
    assert SOON <= 0.05


def test_news_that_come_during_a_commit_are_written_soon_after_it(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    bench.commits.write(insert(1))
    slip.news = [7]
    bench.commits.soon()
    bench.disk.step()
    bench.timers.advance(SOON)
    bench.disk.step()
    assert bench.numbers() == [1, 7]


def test_a_commit_that_comes_first_spares_the_timer(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    bench.timers.advance(WORTH_WHILE)
    bench.commits.write(insert(1))
    assert bench.timers.getDelayedCalls() == []
    bench.disk.step()
    assert sorted(bench.numbers()) == [1, 7]


def test_news_that_have_just_come_wait_for_a_later_commit_and_not_for_long(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    bench.timers.advance(WORTH_WHILE - 0.001)
    bench.commits.write(insert(1))
    bench.commits.write(insert(2))
    bench.disk.step()
    bench.disk.step()
    assert bench.numbers() == [1, 2]
    bench.timers.advance(SOON - WORTH_WHILE + 0.001)
    bench.disk.step()
    assert bench.numbers() == [1, 2, 7]
    assert bench.timers.getDelayedCalls() == []


def test_riders_that_did_not_ride_have_lost_nothing_with_a_commit_that_fails(bench: Bench, logged: Logged) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.write(insert(1))  # they ride
    bench.disk.step()
    slip.news = [8]
    bench.commits.soon()
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.disk.step()
    assert slip.losses == 0
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    assert bench.numbers() == [7, 1, 8]
    logged.flush()


def test_news_that_others_read_go_with_the_next_commit(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    bench.commits.soon(with_next=True)
    bench.commits.write(insert(1))
    bench.disk.step()
    assert bench.numbers() == [7, 1]


def test_while_writes_come_together_transactions_begin_apart(bench: Bench) -> None:
    results = [bench.commits.write(insert(number)) for number in range(3)]
    bench.disk.step()
    bench.disk.step()  # it held two
    results.append(bench.commits.write(insert(3)))
    settled = bench.commits.settled()
    bench.timers.advance(APART - 0.0001)
    assert bench.disk.waiting == []
    results.append(bench.commits.write(insert(4)))
    assert not settled.called
    bench.timers.advance(0.0001)
    bench.disk.step()
    assert result_of(settled)
    assert [result_of(result) for result in results] == [0, 1, 2, 3, 4]
    assert bench.timers.getDelayedCalls() == []


def test_a_clock_that_goes_on_meanwhile_makes_no_wait_negative(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    call_later = bench.timers.callLater

    def checked(delay: float, call: Any, *args: Any) -> Any:
        assert delay >= 0  # as a reactor does
        return call_later(delay, call, *args)

    monkeypatch.setattr(bench.timers, "callLater", checked)
    for number in range(3):
        bench.commits.write(insert(number))
    bench.disk.step()
    bench.disk.step()  # it held two
    readings = iter([APART - 0.000001, APART + 0.000001])
    bench.commits.now = lambda: next(readings, 1.0)
    bench.commits.write(insert(3))
    bench.timers.advance(APART)
    bench.disk.step()
    assert bench.numbers() == [0, 1, 2, 3]


def test_who_writes_one_at_a_time_waits_for_nothing(bench: Bench) -> None:
    for number in range(3):
        result = bench.commits.write(insert(number))
        bench.disk.step()
        assert result_of(result) == number


def test_a_stop_does_not_wait_for_more_to_come_together(bench: Bench) -> None:
    for number in range(3):
        bench.commits.write(insert(number))
    bench.disk.step()
    bench.disk.step()
    last = bench.commits.write(insert(3))
    stopped = bench.commits.stop()
    bench.disk.step()
    assert result_of(last) == 3
    assert stopped.called
    assert bench.timers.getDelayedCalls() == []


def test_at_a_stop_the_latest_news_are_written_too(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.commits.soon()
    stopped = bench.commits.stop()
    bench.disk.step()
    assert stopped.called
    assert bench.numbers() == [7]


def test_riders_lost_with_a_commit_are_taken_again_though_nothing_else_comes(bench: Bench, logged: Logged) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    slip.news = [7]
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.disk.step()
    assert (slip.losses, bench.numbers()) == (1, [])
    bench.timers.advance(MEND_EVERY)
    bench.disk.step()
    assert bench.numbers() == [7]
    logged.flush()


def test_each_commit_is_counted_by_its_writes_and_its_time(bench: Bench) -> None:
    slip = Slip()
    bench.commits.add_rider(slip)
    bench.write(insert(1))
    bench.timers.advance(0.25)
    bench.disk.step()
    slip.news = [7]
    for number in (2, 3):
        bench.write(insert(number))
    bench.timers.advance(4.0)
    bench.disk.step()
    bench.disk.step()
    figures = bench.commits.figures
    assert (figures.sizes.count, figures.sizes.total) == (3, 4.0)
    assert (figures.seconds.count, figures.seconds.total) == (3, 4.25)


def test_what_fails_is_told_until_a_commit_succeeds_and_is_no_commit(bench: Bench, logged: Logged) -> None:
    assert bench.commits.failing is None
    bench.write(refuse, "bad")  # type: ignore[arg-type]
    bench.disk.step()
    assert isinstance(bench.commits.failing, NotNow)
    assert (bench.commits.figures.sizes.count, bench.commits.failures) == (0, 1)
    bench.write(insert(1))
    bench.disk.step()
    assert bench.commits.failing is None
    assert len(logged.flush()) == 1


def test_that_it_stops_is_told(bench: Bench) -> None:
    assert not bench.commits.stopping
    result_of(bench.commits.stop())
    assert bench.commits.stopping
