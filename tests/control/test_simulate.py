from pathlib import Path

import pytest

from tests.control.stand_ins import House
from tests.support import result_of
from ttgateway.control.simulate import simulate
from ttgateway.orders.order import OrderType


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_it_makes_changes_clears_its_orders_and_sums_up(house: House) -> None:
    result_of(house.gateway.post("5", OrderType.TO_GO, ""))
    result = house.invoke(simulate, "--changes", "30", "--pace", "10", "--seed", "3")
    assert result.exit_code == 0
    assert result.stdout.startswith("30 changes in ")
    cleared = house.store.journal.last - 31
    assert result.stdout.endswith(f" 0 failures; {cleared} open orders cleared at the end.\n")
    assert [order.name for order in result_of(house.gateway.active_orders())] == ["5"]
    assert house.names() == []


def test_a_secret_that_was_given_is_used(house: House) -> None:
    secret = result_of(house.gateway.secrets.create("pos")).secret
    assert house.invoke(simulate, "--changes", "3", "--token", secret).exit_code == 0
    assert house.control.asked == []


def test_a_gateway_that_cannot_be_reached_is_told_in_one_line(house: House) -> None:
    house.stop_daemon()
    result = house.invoke(simulate, "--token", "some")
    assert result.exit_code == 1
    assert result.stderr == "ttgateway: no gateway can be reached at http://127.0.0.1:8000: connection refused\n"
    assert result.stdout == ""


def test_a_secret_that_the_gateway_does_not_know_is_told_in_one_line(house: House) -> None:
    result = house.invoke(simulate, "--token", "unknown")
    assert result.exit_code == 1
    assert "does not know this secret" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_end_on_demand_is_a_clean_one(house: House) -> None:
    house.reactor.callLater(4.0, house.ending.ask)
    result = house.invoke(simulate)
    assert result.exit_code == 0
    assert result.stdout.startswith("8 changes in ")
    assert result_of(house.gateway.active_orders()) == []


def test_orders_that_stay_behind_are_told(house: House) -> None:
    secret = result_of(house.gateway.secrets.create("pos")).secret
    house.reactor.callLater(4.0, house.stop_daemon)
    house.reactor.callLater(5.0, house.ending.ask)
    result = house.invoke(simulate, "--token", secret)
    assert result.exit_code == 1
    assert "could not be cleared, and are still active" in result.stderr


@pytest.mark.parametrize("arguments", [["--tables", "0"], ["--pace", "0"], ["--changes", "0"], ["--gateway", "x"]])
def test_options_that_make_no_sense_are_a_usage_error(house: House, arguments: list[str]) -> None:
    assert house.invoke(simulate, *arguments).exit_code == 2
