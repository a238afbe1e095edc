import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ttgateway import clock
from ttgateway.clock import MachineClock, steady


def test_two_clocks_of_one_machine_agree_on_the_boot() -> None:
    assert MachineClock().boot == MachineClock().boot != ""


def test_without_a_boot_id_every_start_counts_as_a_new_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "missing")
    assert MachineClock().boot != MachineClock().boot


def test_a_step_of_the_wall_clock_moves_the_wall_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = MachineClock()
    before = machine.now()
    monkeypatch.setattr(time, "time", lambda: 5.0)
    after = machine.now()
    assert after.wall == 5.0
    assert before.uptime <= after.uptime < before.uptime + 60


def test_a_steady_reactor_counts_on_the_monotonic_clock() -> None:
    reactor = SimpleNamespace(seconds=lambda: 0.0)
    steady(reactor)
    assert reactor.seconds is time.monotonic
