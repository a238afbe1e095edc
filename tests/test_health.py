"""The words for the parts, and which of them matter to whom."""

import apsw
import pytest
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import FakeClock, memory_gateway, memory_store, result_of
from ttgateway.health import BEHIND, SCARCE, STEP, Health, Parts
from ttgateway.orders.moment import PLAUSIBLE
from ttgateway.orders.order import OrderType
from ttgateway.refusals import NotNow
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.damage.findings import FRESH
from ttgateway.store.disk import LEAST_FREE

WELL = Parts(store="ok", notifier="ok", disk="ok", clock="ok")


class Ward:
    """The health of a store in memory, whose disk has as much room as the test wants."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.clock.wall_ahead = PLAUSIBLE
        self.store = memory_store(self.timers, clock=self.clock)
        self.delivers = True
        self.health = Health(self.store, self.clock, lambda: self.delivers)

    def leave_free(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        monkeypatch.setattr(self.store.disk, "free", lambda: free)

    def fail_a_commit(self, error: type[Exception]) -> None:
        def fail(db: apsw.Connection) -> None:
            raise error("it cannot be written")

        with pytest.raises(NotNow):
            result_of(self.store.write(fail))


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_gateway_that_lacks_nothing_is_well_and_ready(ward: Ward) -> None:
    assert ward.health.parts() == WELL
    assert (ward.health.faults(), ward.health.hindrances()) == ([], [])


def test_a_damaged_store_is_a_fault_but_takes_orders(ward: Ward) -> None:
    ward.store.findings.damage = "2 changes are lost"
    assert ward.health.parts().store == "damaged"
    assert (ward.health.faults(), ward.health.hindrances()) == (["store damaged"], [])


@pytest.mark.parametrize("error", [apsw.IOError, apsw.BusyError])
def test_a_store_that_cannot_be_written_is_mending_until_a_commit_succeeds(
    ward: Ward, logged: Logged, error: type[Exception]
) -> None:
    ward.fail_a_commit(error)
    logged.flush()
    assert ward.health.parts().store == "mending"
    assert (ward.health.faults(), ward.health.hindrances()) == (["store mending"], ["store mending"])
    ward.timers.advance(MEND_EVERY)
    assert ward.health.parts() == WELL


def test_a_store_that_mends_is_shown_so_although_it_has_lost_something_before(ward: Ward, logged: Logged) -> None:
    ward.store.findings.damage = "2 changes are lost"
    ward.fail_a_commit(apsw.IOError)
    logged.flush()
    assert ward.health.parts().store == "mending"
    ward.timers.advance(MEND_EVERY)
    assert ward.health.parts().store == "damaged"


@pytest.mark.parametrize(
    ("free", "word"), [(LEAST_FREE, "ok"), (LEAST_FREE - 1, "low"), (SCARCE, "low"), (SCARCE - 1, "full"), (0, "full")]
)
def test_the_disk_is_told_by_its_room(ward: Ward, monkeypatch: pytest.MonkeyPatch, free: int, word: str) -> None:
    ward.leave_free(monkeypatch, free)
    assert ward.health.parts().disk == word
    assert ward.health.hindrances() == ([] if word == "ok" else [f"disk {word}"])
    assert ward.health.faults() == []


def test_the_disk_is_full_when_sqlite_says_so_whatever_room_is_shown(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    ward.leave_free(monkeypatch, LEAST_FREE)
    ward.fail_a_commit(apsw.FullError)
    logged.flush()
    assert ward.health.parts() == Parts(store="ok", notifier="ok", disk="full", clock="ok")
    assert ward.health.hindrances() == ["disk full"]
    ward.timers.advance(MEND_EVERY)
    assert ward.health.parts() == WELL


def test_a_notifier_that_tells_nobody_is_a_fault_but_keeps_no_order_out(ward: Ward) -> None:
    ward.delivers = False
    assert ward.health.parts().notifier == "stopped"
    assert (ward.health.faults(), ward.health.hindrances()) == (["notifier stopped"], [])


def test_a_gateway_that_stops_takes_no_orders(ward: Ward) -> None:
    result_of(ward.store.stop())
    assert ward.health.hindrances() == ["stopping"]


def test_time_that_passes_is_no_step(ward: Ward) -> None:
    ward.timers.advance(1_000_000.0)
    assert ward.health.clock_drift() == pytest.approx(0.0)
    assert ward.health.parts().clock == "ok"


@pytest.mark.parametrize("step", [-3600.0, STEP + 0.1])
def test_a_step_of_the_wall_clock_shows_and_is_no_fault(ward: Ward, step: float) -> None:
    ward.clock.wall_ahead += 7200.0
    health = Health(ward.store, ward.clock, lambda: True)
    ward.clock.wall_ahead += step
    assert health.clock_drift() == pytest.approx(step)
    assert health.parts().clock == "stepped"
    assert (health.faults(), health.hindrances()) == ([], [])


def test_a_clock_that_is_behind_the_newest_change_of_an_earlier_run_shows_until_it_is_set(ward: Ward) -> None:
    ward.clock.wall_ahead += 86_400.0
    result_of(memory_gateway(ward.store, ward.clock).post("66", OrderType.TO_GO, ""))
    ward.clock.wall_ahead -= 86_400.0
    health = Health(ward.store, ward.clock, lambda: True)
    assert health.clock_behind() == pytest.approx(86_400.0)
    ward.timers.advance(100_000.0)
    assert health.clock_behind() == pytest.approx(86_400.0)
    assert health.parts().clock == "behind"
    assert (health.faults(), health.hindrances()) == ([], [])
    ward.clock.wall_ahead += 86_400.0 - BEHIND
    assert health.parts().clock == "stepped"
    ward.clock.wall_ahead += 86_400.0
    assert health.clock_behind() == 0.0


def test_a_clock_before_2024_was_never_set(ward: Ward) -> None:
    ward.clock.wall_ahead = PLAUSIBLE - 1
    assert not ward.health.clock_is_plausible()
    assert ward.health.parts().clock == "unset"
    assert (ward.health.faults(), ward.health.hindrances()) == ([], [])


def test_a_store_that_turns_out_to_be_damaged_shows_so(ward: Ward, logged: Logged) -> None:
    ward.fail_a_commit(apsw.CorruptError)
    ward.timers.advance(MEND_EVERY)
    logged.flush()
    assert ward.health.parts().store == "damaged"


def test_a_store_that_cannot_be_read_is_mending(ward: Ward) -> None:
    ward.store.findings.read(apsw.IOError())
    assert ward.health.hindrances() == ["store mending"]
    ward.timers.advance(FRESH + 0.1)
    assert ward.health.parts() == WELL
