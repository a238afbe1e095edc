from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.simulate import simulate
from ttgateway.orders.order import OrderType
from ttgateway.store.tables.entry import Entry


def changes_of(result: Result) -> int:
    return int(result.stdout.split()[0])


def entries(house: House) -> list[Entry]:
    return result_of(house.store.journal.page(0))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_it_makes_changes_clears_its_orders_and_sums_up(house: House) -> None:
    result_of(house.gateway.post("5", OrderType.TO_GO, ""))
    result = house.invoke(simulate, "--changes", "30", "--speed", "300", "--seed", "3")
    assert result.exit_code == 0
    assert result.stdout.startswith("30 changes in ")
    cleared = house.store.journal.last - 31
    assert result.stdout.endswith(f" 0 failures; {cleared} open orders cleared at the end.\n")
    assert [order.name for order in result_of(house.gateway.active_orders())] == ["5"]
    assert house.names() == []


def test_a_secret_that_was_given_is_used(house: House) -> None:
    secret = result_of(house.gateway.secrets.create("pos")).secret
    assert house.invoke(simulate, "--changes", "3", "--token", secret).exit_code == 0
    assert house.control.asked == [("GET", "http://daemon/view")], "where it serves, and no secret"


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
    began = house.reactor.seconds()
    house.reactor.callLater(4.0, house.ending.ask)
    result = house.invoke(simulate, "--seed", "5")
    assert result.exit_code == 0
    assert 4.0 <= house.reactor.seconds() - began < 6.0
    assert changes_of(result) > 4
    assert result_of(house.gateway.active_orders()) == []


def test_it_ends_by_itself_after_the_wanted_time(house: House) -> None:
    began = house.reactor.seconds()
    result = house.invoke(simulate, "--for", "0.1m", "--tables", "40", "--seed", "5")
    assert result.exit_code == 0
    assert 6.0 <= house.reactor.seconds() - began < 8.0
    assert changes_of(result) > 10


def test_the_same_seed_makes_the_same_orders_and_any_seed_is_told(tmp_path: Path) -> None:
    told = []
    for number in range(2):
        house = House(tmp_path / str(number))
        result = house.invoke(simulate, "--seed", "5", "--changes", "20", "--speed", "600", "--tables", "30")
        told.append([(entry.type, msgspec.json.decode(entry.body)["name"]) for entry in entries(house)][:20])
        assert "(--seed 5)" in result.stderr
    assert told[0] == told[1]
    assert "--seed " in House(tmp_path / "any").invoke(simulate, "--changes", "1").stderr


def test_the_story_begins_when_it_is_told_to(house: House) -> None:
    result = house.invoke(simulate, "--from", "18:30", "--changes", "1")
    assert "from 18:30 on" in result.stderr


def test_at_night_there_is_an_order_at_once(house: House) -> None:
    began = house.reactor.seconds()
    result = house.invoke(simulate, "--from", "2:00", "--changes", "1")
    assert "from 11:00 on" in result.stderr
    assert house.reactor.seconds() - began < 2.0


def test_orders_that_stay_behind_are_told(house: House) -> None:
    secret = result_of(house.gateway.secrets.create("pos")).secret
    house.reactor.callLater(4.0, house.stop_daemon)
    house.reactor.callLater(5.0, house.ending.ask)
    result = house.invoke(simulate, "--token", secret, "--seed", "1")
    assert result.exit_code == 1
    assert "could not be cleared, and are still active" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "--tables 0",
        "--speed 0",
        "--speed nan",
        "--speed inf",
        "--orders-per-hour nan",
        "--orders-per-hour inf",
        "--changes 0",
        "--gateway x",
        "--from 24:00",
        "--from noon",
        "--for 0",
        "--for soon",
    ],
)
def test_options_that_make_no_sense_are_a_usage_error(house: House, arguments: str) -> None:
    assert house.invoke(simulate, *arguments.split()).exit_code == 2


@pytest.mark.parametrize(
    "option",
    ["--only gap", "--api 1", "--secret whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "--allow 10.0.0.0/8", "--json"],
)
def test_what_goes_with_chaos_alone_is_refused_without_it(house: House, option: str) -> None:
    result = house.invoke(simulate, *option.split())
    assert result.exit_code == 2
    assert f"{option.split()[0]} goes only with --chaos" in result.stderr


@pytest.mark.parametrize("option", ["--gateway http://10.0.0.5", "--token some", "--nights"])
def test_what_is_for_a_gateway_is_refused_with_chaos(house: House, option: str) -> None:
    result = house.invoke(simulate, "--chaos", "http://127.0.0.1:8990/", *option.split())
    assert result.exit_code == 2
    assert f"{option.split()[0]} goes not with --chaos" in result.stderr
    assert house.web.asked == []
