import json
from pathlib import Path

import pytest

from tests.control.stand_ins import House
from tests.support import result_of
from ttgateway.control.show import button, listeners, listeners_table, orders, orders_table
from ttgateway.orders.order import OrderType
from ttgateway.registry import Registration

LISTENER = {
    "id": "0123456789ab",
    "url": "http://10.0.1.18:8989/v1/notify",
    "api": 2,
    "state": "healthy",
    "delivered": 1234,
    "pending": 0,
    "parked": 0,
    "oldestPendingSeconds": 0.0,
    "lastFailureCause": None,
    "nextAttemptSeconds": None,
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_button_lets_one_device_have_a_token(house: House) -> None:
    assert house.invoke(button).exit_code == 0
    made = result_of(house.gateway.secrets.create_in_window(None))
    assert made.token.name == "default"


@pytest.mark.parametrize("command", [button, listeners, orders])
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


def test_listeners_are_shown(house: House) -> None:
    result_of(house.gateway.registry.register(Registration(url="http://10.0.0.7/", api=2, caller="")))
    assert "http://10.0.0.7/" in house.invoke(listeners).stdout
    assert json.loads(house.invoke(listeners, "--json").stdout)[0]["url"] == "http://10.0.0.7/"


def test_nothing_to_show_is_said(house: House) -> None:
    assert house.invoke(listeners).stdout == "No listener is registered.\n"
    assert house.invoke(orders).stdout == "No order is active.\n"


def test_a_listener_in_trouble_has_a_line_that_says_which() -> None:
    trouble = {
        **LISTENER,
        "state": "retrying",
        "pending": 12,
        "oldestPendingSeconds": 45.2,
        "lastFailureCause": "refused",
        "nextAttemptSeconds": 3.1,
    }
    lines = listeners_table([LISTENER, trouble]).splitlines()
    assert lines == [
        "ID            STATE     API  TOLD  WAITING  PARKED  URL",
        "0123456789ab  healthy     2  1234        0       0  http://10.0.1.18:8989/v1/notify",
        "0123456789ab  retrying    2  1234       12       0  http://10.0.1.18:8989/v1/notify",
        "  failed: refused, oldest waits 45 s, next try in 3 s",
    ]


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
