"""The ages of active orders, over restarts, reboots and wrong clocks (design section 6)."""

from pathlib import Path

import pytest

from tests.store.files import clock_at, shop_in
from tests.support import FakeClock, result_of
from ttgateway.store.age import LONGEST_OFF
from ttgateway.store.opening import NOTE_TIME_EVERY


def restarted(directory: Path, clock: FakeClock) -> int:
    """Open the store with ``clock``, and return the age that its one order is shown with."""
    shop = shop_in(directory, clock)
    [order] = shop.store.standing.orders
    age = order.elapsed(clock.now().uptime)
    result_of(shop.store.stop())
    return age


def stopped_at_age(directory: Path, seconds: float) -> FakeClock:
    clock = clock_at("boot-1")
    shop = shop_in(directory, clock)
    shop.post("1")
    clock.timers.advance(seconds)
    result_of(shop.store.stop())
    return clock


def test_within_one_boot_an_age_is_exact_whatever_the_wall_clock_says(tmp_path: Path) -> None:
    clock = stopped_at_age(tmp_path, 60)
    clock.wall_ahead -= 1e9
    clock.timers.advance(40)
    assert restarted(tmp_path, clock) == 100


def test_over_a_reboot_an_age_grows_by_the_gap_on_the_wall_clock(tmp_path: Path) -> None:
    before = stopped_at_age(tmp_path, 60)
    after = clock_at("boot-2")
    after.up_ahead = 5.0
    after.wall_ahead = before.now().wall + 30
    assert restarted(tmp_path, after) == 90


@pytest.mark.parametrize("wall", [0.0, 1e9])
def test_a_clock_that_wakes_in_the_past_takes_nothing_from_an_age(tmp_path: Path, wall: float) -> None:
    stopped_at_age(tmp_path, 60)
    after = clock_at("boot-2")
    after.up_ahead, after.wall_ahead = 5.0, wall
    assert restarted(tmp_path, after) == 60


def test_an_age_never_runs_back_over_many_reboots(tmp_path: Path) -> None:
    stopped_at_age(tmp_path, 60)
    ages = []
    for number, wall in enumerate((0.0, 1e9, 5.0, 2e9), start=2):
        clock = clock_at(f"boot-{number}")
        clock.up_ahead, clock.wall_ahead = 1.0, wall
        ages.append(restarted(tmp_path, clock))
    assert ages == sorted(ages)
    assert ages[0] == 60


def test_after_a_power_cut_an_age_is_no_less_than_what_was_told_before(tmp_path: Path) -> None:
    clock = clock_at("boot-1")
    shop = shop_in(tmp_path, clock)
    shop.post("1")
    clock.timers.advance(59.9)
    result_of(shop.store.write(lambda db: None))
    clock.timers.advance(NOTE_TIME_EVERY / 2)
    shop.post("1", "5")  # tells 60 seconds, and comes too early for another note of the time
    assert b'"elapsedTime":60,' in shop.store.journal.standing()[0].body
    after = clock_at("boot-2")
    after.up_ahead, after.wall_ahead = 1.0, 0.0
    assert restarted(tmp_path, after) == 60


@pytest.mark.parametrize("gap", [LONGEST_OFF + 1, 40 * 365 * 86_400.0])
def test_a_gap_that_cannot_be_believed_adds_nothing_to_an_age(tmp_path: Path, gap: float) -> None:
    """As where the machine had booted in 1970, and was restarted when it knew the date."""
    before = stopped_at_age(tmp_path, 60)
    after = clock_at("boot-2")
    after.up_ahead, after.wall_ahead = 5.0, before.now().wall + gap
    assert restarted(tmp_path, after) == 60


def test_a_machine_put_back_within_one_boot_takes_nothing_from_an_age(tmp_path: Path) -> None:
    """A snapshot of a virtual machine, or a container that was moved, may bring back an uptime that has been."""
    before = stopped_at_age(tmp_path, 60)
    after = clock_at("boot-1")
    after.up_ahead, after.wall_ahead = before.up_ahead - 500, before.now().wall + 30
    assert restarted(tmp_path, after) == 90
