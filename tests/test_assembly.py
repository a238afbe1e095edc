from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from twisted.internet.defer import ensureDeferred, succeed
from twisted.internet.task import Clock

from tests.notifier.network import fake_network
from tests.support import DEFAULTS, AtOnce, FakeClock, OnDemand, entropy, result_of
from ttgateway.assembly import Assembly, World
from ttgateway.store.copies import copying
from ttgateway.store.disk import BACKUPS, NoDisk


def test_a_stop_does_not_wait_for_a_copy_that_is_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 1)
    timers, copier = Clock(), OnDemand()
    world = World(
        clock=FakeClock(timers),
        timers=timers,
        executor=lambda name: copier if name == "store-copier" else AtOnce(),
        network=fake_network(timers),
        entropy=entropy(),
        jitter=lambda: 0.5,
        disk=lambda directory: NoDisk(),
    )
    assembly = Assembly(tmp_path, DEFAULTS, world)
    assembly.start()
    timers.advance(0.1)
    assert copier.waiting, "the first round begins with a copy"

    nothing: Callable[[], Awaitable[object]] = lambda: succeed(None)  # noqa: E731  # typed
    stopped = ensureDeferred(assembly.stop(nothing))
    while copier.waiting:
        copier.step()
        timers.advance(0.1)
    result_of(stopped)
    assert list((tmp_path / BACKUPS).iterdir()) == []
