import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from twisted.internet.error import ConnectionRefusedError  # noqa: A004

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.history import history
from ttgateway.commands.tail import RETRY, WAIT, tail
from ttgateway.orders.order import OrderType


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def post(house: House, *names: str) -> None:
    for name in names:
        result_of(house.gateway.post(name, OrderType.TO_GO, ""))


def seqs(lines: str) -> list[int]:
    return [json.loads(line)["seq"] for line in lines.splitlines()]


def test_what_has_happened_since_some_change_is_printed_first(house: House) -> None:
    post(house, "5", "6", "7")
    result = house.invoke(tail, "--since", "1", "--count", "2", "--json")
    assert result.exit_code == 0
    assert seqs(result.stdout) == [2, 3]


def test_by_itself_it_begins_with_what_happens_next_and_leaves_no_secret(house: House) -> None:
    post(house, "5", "6")
    house.reactor.callLater(2 * WAIT + 1.0, post, house, "7")
    result = house.invoke(tail, "--count", "1")
    assert result.exit_code == 0
    head, line = result.stdout.splitlines()
    assert head.split()[:3] == ["TIME", "SEQ", "ORDER"]
    assert line.split()[1:4] == ["3", "7", "created"]
    assert house.names() == []


def test_ctrl_c_is_waited_for_by_nobody(house: House) -> None:
    house.reactor.callLater(1.0, house.ending.ask)
    began = house.reactor.seconds()
    assert house.invoke(tail).exit_code == 0
    assert house.reactor.seconds() - began < WAIT / 2


def test_a_gateway_that_is_away_is_waited_for_and_no_change_left_out(house: House) -> None:
    def away() -> None:
        house.web.down = ConnectionRefusedError()

    def back() -> None:
        house.web.down = None

    secret = result_of(house.gateway.secrets.create("office")).secret
    post(house, "5")
    house.reactor.callLater(0.5, away)
    house.reactor.callLater(WAIT + 1.0, post, house, "6", "7")
    house.reactor.callLater(WAIT + 4 * RETRY, back)
    result = house.invoke(tail, "--token", secret, "--since", "0", "--count", "3", "--json")
    assert result.exit_code == 0
    assert seqs(result.stdout) == [1, 2, 3]
    assert result.stderr.count("waiting for it") == 1


def test_changes_that_are_no_longer_kept_are_said_to_be_gone(house: House) -> None:
    post(house, "5", "6", "7")
    house.store.journal.trimmed_to(2)
    house.reactor.callLater(2.0, post, house, "8")
    result = house.invoke(tail, "--since", "1", "--count", "1", "--json")
    assert seqs(result.stdout) == [4]
    assert "no longer kept" in result.stderr
    assert "Going on after 3." in result.stderr


@pytest.mark.parametrize("words", [(), ("--token", "some")])
def test_a_gateway_that_is_not_there_is_told_in_one_line(house: House, words: tuple[str, ...]) -> None:
    house.stop_daemon()
    result = house.invoke(tail, *words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_a_secret_that_opens_nothing_is_told_in_one_line(house: House) -> None:
    result = house.invoke(tail, "--token", "unknown")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "does not know this secret" in result.stderr


def test_a_change_of_the_past_has_the_time_at_which_it_happened(house: House) -> None:
    post(house, "5")
    house.reactor.advance(75)
    result_of(house.gateway.page("5"))
    house.reactor.advance(3600)
    lines = house.invoke(tail, "--since", "0", "--count", "2").stdout.splitlines()
    started = datetime.fromisoformat(json.loads(house.invoke(history, "--json").stdout)[0]["orderStarted"])
    times = [started, started + timedelta(seconds=75)]
    assert [line.split()[0] for line in lines[1:]] == [f"{time:%H:%M:%S}" for time in times]


def test_a_beginning_that_has_not_come_yet_is_said(house: House) -> None:
    post(house, "5")
    house.reactor.callLater(1.0, post, house, "6", "7")
    result = house.invoke(tail, "--since", "2", "--count", "1", "--json")
    assert seqs(result.stdout) == [3]
    assert result.stderr == "The last change is 1; waiting for what comes after 2.\n"
    assert house.invoke(tail, "--since", "2", "--count", "1").stderr == ""
