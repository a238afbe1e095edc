from pathlib import Path
from typing import Any

import pytest

from tests.commands.stand_ins import House
from ttgateway.commands.gateway.lending import lent_api, lent_secret
from ttgateway.commands.terminal.console import CommandFailed


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "state")


def test_a_secret_that_was_given_is_used_and_the_daemon_not_asked(house: House) -> None:
    async def work(reactor: Any, _: object) -> str:
        async with lent_secret(house.console, reactor, "given", "listen") as secret:
            return secret

    assert house.run(work) == "given"
    assert house.control.asked == []


def test_a_lent_secret_works_and_is_revoked_at_the_end(house: House) -> None:
    async def work(reactor: Any, _: object) -> None:
        async with lent_secret(house.console, reactor, None, "listen") as secret:
            assert house.gateway.secrets.check(secret, "") is not None
            assert house.names() == ["ttgateway listen"]
            raise ValueError

    with pytest.raises(ValueError):  # the one from above
        house.run(work)
    assert house.names() == []


def test_without_a_daemon_one_line_says_what_to_give(house: House) -> None:
    house.stop_daemon()

    async def work(reactor: Any, _: object) -> None:
        async with lent_secret(house.console, reactor, None, "listen"):
            pass

    with pytest.raises(CommandFailed, match="give --gateway and --token"):
        house.run(work)


def test_a_secret_that_cannot_be_revoked_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(reactor: Any, _: object) -> None:
        async with lent_secret(house.console, reactor, None, "listen"):
            house.stop_daemon()

    house.run(work)
    assert "is still valid: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gateway", "secret", "url"),
    [
        (None, None, "http://127.0.0.1:21200"),
        (None, "given", "http://127.0.0.1:21200"),
        ("http://10.0.0.5", "given", "http://10.0.0.5"),
    ],
)
def test_the_api_is_that_of_the_gateway_on_the_state_directory_unless_named(
    house: House, gateway: str | None, secret: str | None, url: str
) -> None:
    house.serves = [("127.0.0.1", 21200)]

    async def work(reactor: Any, _: object) -> str:
        async with lent_api(house.console, reactor, gateway, secret, "tail") as api:
            return api.url

    assert house.run(work) == url
    assert house.names() == []


def test_a_lent_secret_is_shown_to_nobody_where_the_gateway_does_not_say_where_it_serves(house: House) -> None:
    house.serves = []

    async def work(reactor: Any, _: object) -> None:
        async with lent_api(house.console, reactor, None, None, "tail"):
            raise AssertionError

    with pytest.raises(CommandFailed, match="--gateway"):
        house.run(work)
    assert house.names() == []
