from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.control.standing import Waiting, status_shape
from ttgateway.registry import Registration
from ttgateway.store.tables.listeners import Listener
from ttgateway.watcher import Status


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_waits_in_all_is_counted_and_whom_the_oldest_waits_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = {
        "http://10.0.0.7/": Status("healthy", 2, 0.4, None),
        "http://10.0.0.8/": Status("down", 40, 93.8, 2.0),
        "http://10.0.0.9/": Status("down", 0, 500.0, 2.0),
    }
    for url in standing:
        result_of(house.gateway.registry.register(Registration(url=url, api=2, caller="")))

    def status(listener: Listener) -> Status:
        return standing[listener.url]

    monkeypatch.setattr(house.gateway.registry, "status", status)
    shape = result_of(status_shape(house.gateway))
    assert shape.listeners == {"healthy": 1, "down": 2}
    assert shape.waiting == Waiting(changes=42, oldest_seconds=93, url="http://10.0.0.8/")


def test_where_nobody_is_registered_nothing_waits(house: House) -> None:
    shape = result_of(status_shape(house.gateway))
    assert (shape.listeners, shape.waiting) == ({}, Waiting(changes=0, oldest_seconds=0, url=None))
    assert shape.faults == ["notifier stopped"]
