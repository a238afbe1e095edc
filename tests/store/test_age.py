"""The age of the store, and of the orders where nothing but the wall clock is left to tell it."""

from pathlib import Path

import apsw
import pytest

from tests.store.files import clock_at, shop_in
from tests.support import FakeClock, memory_store, result_of
from ttgateway.orders.moment import Moment
from ttgateway.store import age
from ttgateway.store.age import LONGEST_OFF, MARK_EVERY
from ttgateway.store.store import Store

DAY = 86_400.0


@pytest.mark.parametrize(
    ("passed", "counted"),
    [
        (0.0, 0.0),
        (600.0, 600.0),
        (LONGEST_OFF, LONGEST_OFF),
        (LONGEST_OFF + 1, 0.0),
        (-1.0, 0.0),
        (56 * 365 * DAY, 0.0),
    ],
)
def test_a_gap_counts_where_it_can_be_believed(passed: float, counted: float) -> None:
    assert age.gap(1_000.0, 1_000.0 + passed) == counted


def marks(store: Store) -> list[tuple[int, float]]:
    def read(db: apsw.Connection) -> list[tuple[int, float]]:
        return [(int(str(seq)), float(str(old))) for seq, old in db.execute("SELECT seq, age FROM marks ORDER BY seq")]

    return result_of(store.write(read))


@pytest.fixture
def clock() -> FakeClock:
    return clock_at()


def test_a_quiet_hour_moves_the_mark_and_a_busy_one_adds_another(clock: FakeClock) -> None:
    store = memory_store(clock.timers, clock=clock)
    first = (0, 0.0)  # all that was there before ages were counted
    assert marks(store) == [first]
    clock.timers.advance(MARK_EVERY)
    assert marks(store) == [first, (1, MARK_EVERY)]
    clock.timers.advance(MARK_EVERY)
    assert marks(store) == [first, (1, 2 * MARK_EVERY)], "nothing was written since"
    result_of(store.write(lambda db: db.execute("UPDATE gateway SET trimmed = 5")))
    clock.timers.advance(MARK_EVERY - 1)
    assert marks(store) == [first, (1, 2 * MARK_EVERY)]
    clock.timers.advance(1)
    assert marks(store) == [first, (1, 2 * MARK_EVERY), (6, 3 * MARK_EVERY)]


def test_what_comes_before_a_mark_is_older_and_what_comes_after_it_may_be_younger(clock: FakeClock) -> None:
    store = memory_store(clock.timers, clock=clock)
    result_of(store.write(lambda db: db.execute("DELETE FROM marks")))

    def asked(db: apsw.Connection) -> list[int | None]:
        before = age.first_since(db, 0.0)
        db.execute("INSERT INTO marks VALUES (10, 0), (20, ?), (30, ?)", (DAY, 2 * DAY))
        since = (-1.0, MARK_EVERY, DAY + MARK_EVERY - 1, DAY + MARK_EVERY, 2 * DAY + MARK_EVERY)
        return [before, *(age.first_since(db, each) for each in since)]

    assert result_of(store.write(asked)) == [None, 10, 20, 20, 30, None]


@pytest.mark.parametrize(("wall", "old"), [(600.0, 600), (-600.0, 0), (56 * 365 * DAY, 0)])
def test_a_guess_at_an_age_believes_no_absurd_clock(clock: FakeClock, wall: float, old: int) -> None:
    store = memory_store(clock.timers, clock=clock)
    started = clock.now().wall
    columns = "uuid, name, type, location, state, started, changed, born, seq, paged"
    now = Moment(wall=started + wall, uptime=7.0)

    def guessed(db: apsw.Connection) -> float:
        row = (started, started)
        db.execute(f"INSERT INTO orders ({columns}) VALUES ('u', '1', 'TO_GO', '', 'started', ?, ?, 9e9, 1, 0)", row)  # noqa: S608
        age.guess(db, now)
        return now.uptime - float(db.execute("SELECT born FROM orders").get)

    assert result_of(store.write(guessed)) == old


def test_the_age_goes_on_over_restarts_and_reboots(clock: FakeClock, tmp_path: Path) -> None:
    seen = []
    for boot, off in (("boot-1", 50.0), ("boot-1", 60.0), ("boot-2", 10 * DAY), ("boot-3", 0.0)):
        clock.boot = boot
        store = shop_in(tmp_path, clock).store
        clock.timers.advance(100)
        seen.append(result_of(store.write(lambda db: age.at(db, clock.now().uptime))))
        result_of(store.stop())
        clock.timers.advance(off)
    assert seen == [100.0, 250.0, 350.0 + 60.0, 450.0 + 60.0]
