from pathlib import Path
from typing import Any

import pytest

from tests.control.stand_ins import House
from ttgateway.control.console import CommandFailed
from ttgateway.control.lending import lent_secret


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
