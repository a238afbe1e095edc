import json
from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.show import button, orders, orders_table
from ttgateway.orders.order import OrderType


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_button_lets_one_device_have_a_token(house: House) -> None:
    assert house.invoke(button).exit_code == 0
    made = result_of(house.gateway.secrets.create_in_window(None))
    assert made.token.name == "default"


@pytest.mark.parametrize("command", [button, orders])
def test_without_a_daemon_one_line_says_so(house: House, command: object) -> None:
    house.stop_daemon()
    result = house.invoke(command)
    assert result.exit_code == 1
    assert result.stderr.startswith("ttgateway: no gateway is running on the state directory ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_active_orders_are_shown(house: House) -> None:
    result_of(house.gateway.post("66", OrderType.ON_PREMISE, "22"))
    result_of(house.gateway.page("66"))
    result_of(house.gateway.post("7", OrderType.TO_GO, ""))
    house.reactor.advance(245)
    assert house.invoke(orders).stdout.splitlines() == [
        "ORDER  STATE    TABLE  TYPE        PAGED   AGE  STARTED",
        "   66  located     22  ON_PREMISE  paged  4:05  2016-09-22 19:08:52",
        "    7  started         TO_GO              4:05  2016-09-22 19:08:52",
    ]
    assert [one["name"] for one in json.loads(house.invoke(orders, "--json").stdout)] == ["66", "7"]


def test_nothing_to_show_is_said(house: House) -> None:
    assert house.invoke(orders).stdout == "No order is active.\n"


def test_orders_fit_eighty_columns() -> None:
    one = {
        "name": "1234567890",
        "state": "started",
        "locationName": "1234567890",
        "orderType": "ON_PREMISE",
        "paged": True,
        "elapsedTime": 7380,
        "created": "2016-09-22T19:08:52",
    }
    assert max(map(len, orders_table([one]).splitlines())) <= 80
