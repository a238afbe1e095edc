import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway import __version__
from ttgateway.commands.status import status, status_text
from ttgateway.orders.order import OrderType

WELL: dict[str, Any] = {
    "name": "ttgateway",
    "id": "0123456789abcdef",
    "version": "1.0",
    "uptimeSeconds": 7_380,
    "faults": [],
    "damage": "",
    "check": {"store": "ok", "notifier": "ok", "disk": "ok", "clock": "ok"},
    "freeBytes": 61_200_000_000,
    "time": "2016-09-22T19:08:52",
    "activeOrders": 12,
    "lastSeq": 1234,
    "listeners": {"healthy": 3, "down": 1},
    "waiting": {"changes": 12, "oldestSeconds": 45, "url": "http://10.0.1.18:8989/"},
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_a_daemon_one_line_says_so(house: House) -> None:
    house.stop_daemon()
    result = house.invoke(status)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("ttgateway: no gateway is running on the state directory ")


def test_all_of_it_fits_on_one_screen() -> None:
    assert status_text(WELL).splitlines() == [
        "gateway    ttgateway (0123456789abcdef), version 1.0, up 2:03:00",
        "health     well",
        "store      ok",
        "notifier   ok",
        "disk       ok, 58,365 MiB free",
        "clock      ok, 2016-09-22 19:08:52",
        "orders     12 active; seq 1234 was the last change",
        "listeners  3 healthy, 1 down",
        "waiting    12 changes, the oldest for 45 s: http://10.0.1.18:8989/",
    ]


def test_an_empty_gateway_has_a_screen_too() -> None:
    empty = {**WELL, "listeners": {}, "freeBytes": None, "waiting": {"changes": 0, "oldestSeconds": 0, "url": None}}
    lines = status_text(empty).splitlines()
    assert lines[4] == "disk       ok"
    assert lines[-2:] == ["listeners  none is registered", "waiting    nothing"]


def test_what_was_lost_is_told() -> None:
    lines = status_text({**WELL, "damage": "page 7", "faults": ["store damaged"]}).splitlines()
    assert lines[1] == "health     NOT WELL: store damaged"
    assert lines[3] == "lost       page 7"


def test_what_is_wrong_is_the_exit_code_as_well(house: House) -> None:
    # Nobody tells listeners anything in this house.
    result = house.invoke(status)
    assert result.exit_code == 1
    assert "NOT WELL: notifier stopped" in result.stdout


def test_a_gateway_that_is_well_ends_it_with_0(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(house.gateway.registry), "delivers", property(lambda _: True))
    result_of(house.gateway.post("66", OrderType.ON_PREMISE, "22"))
    result = house.invoke(status, "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert (shown["version"], shown["activeOrders"], shown["lastSeq"], shown["faults"]) == (__version__, 1, 1, [])
