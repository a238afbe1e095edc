from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from ttgateway.commands.gateway.address import DEFAULT, address_here, address_here_or_default
from ttgateway.commands.terminal.console import CommandFailed


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "state")


@pytest.mark.parametrize(
    ("serves", "address"),
    [
        (("127.0.0.1", 21200), "http://127.0.0.1:21200"),
        (("10.0.0.5", 80), "http://10.0.0.5:80"),
        (("0.0.0.0", 8000), "http://127.0.0.1:8000"),  # noqa: S104
        (("::", 8000), "http://127.0.0.1:8000"),
        (("::1", 8000), "http://[::1]:8000"),
    ],
)
def test_a_gateway_is_reached_where_it_says_that_it_serves(house: House, serves: tuple[str, int], address: str) -> None:
    house.serves = [serves]
    assert house.run(lambda reactor, _: address_here(house.console, reactor)) == address


def test_one_that_serves_no_port_has_no_address(house: House) -> None:
    house.serves = []
    with pytest.raises(CommandFailed, match="--gateway"):
        house.run(lambda reactor, _: address_here(house.console, reactor))


def test_where_none_runs_the_address_is_the_one_that_a_gateway_has_by_itself(house: House) -> None:
    house.serves = [("127.0.0.1", 21200)]
    assert house.run(lambda reactor, _: address_here_or_default(house.console, reactor)) == "http://127.0.0.1:21200"
    house.stop_daemon()
    assert house.run(lambda reactor, _: address_here_or_default(house.console, reactor)) == DEFAULT
