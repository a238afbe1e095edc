import json
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.commands.stored import stored
from ttgateway.commands.allow import allow
from ttgateway.openings import MOST, opening
from ttgateway.store.tables import openings

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return stored(tmp_path / "state")


@pytest.fixture(params=[True, False], ids=["daemon", "no daemon"])
def either(request: pytest.FixtureRequest, house: House) -> House:
    """A house with a daemon, and one without."""
    if not request.param:
        house.stop_daemon()
    return house


def test_what_is_opened_is_shown_with_what_opens_it_and_closed_again(either: House) -> None:
    ended = either.invoke(allow, "203.0.113.0/24")
    assert ended.exit_code == 0
    assert ended.stdout.startswith("Opened 203.0.113.0/24")
    assert either.invoke(allow, "203.0.113.0/24").stdout.startswith("Was open already: 203.0.113.0/24")
    assert either.invoke(allow, "10.0.0.9", "port", "9100").exit_code == 0
    shown = [line.split("  ")[0] for line in either.invoke(allow).stdout.splitlines() if "ttgateway allow" in line]
    assert shown == ["203.0.113.0/24", "10.0.0.9/32 port 9100"]
    assert either.invoke(allow, "--remove", "203.0.113.0/24").stdout.startswith("Closed 203.0.113.0/24")
    rules = json.loads(either.invoke(allow, "--json").stdout)
    assert rules == {
        "private": PRIVATE,
        "settings": [],
        "command": ["10.0.0.9/32 port 9100"],
        "loopback": False,
        "sourceOnly": False,
    }


def test_what_is_opened_holds_at_once(house: House) -> None:
    house.invoke(allow, "203.0.113.0/24")
    house.network.policy.check(ip_address("203.0.113.9"), 80)
    assert [str(entry) for entry in house.gateway.openings.entries] == ["203.0.113.0/24"]


def test_without_a_daemon_it_says_when_it_holds_and_that_the_settings_are_not_known(house: House) -> None:
    house.stop_daemon()
    assert (
        house.invoke(allow, "203.0.113.0/24").stdout == "Opened 203.0.113.0/24; that holds when the gateway starts.\n"
    )
    assert "--config names their file" in house.invoke(allow).stderr


def test_what_the_settings_open_is_shown_and_cannot_be_removed_here(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    file = tmp_path / "settings.toml"
    file.write_text('[callbacks]\nallow = ["198.51.100.0/24"]\nsource_only = true\n')
    ended = house.invoke(allow, "--config", str(file))
    assert ("198.51.100.0/24", "the settings: callbacks.allow") in [
        tuple(filter(None, map(str.strip, line.split("  ")))) for line in ended.stdout.splitlines()
    ]
    assert "callbacks.source_only" in ended.stdout
    ended = house.invoke(allow, "--config", str(file), "--remove", "198.51.100.0/24")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "take it out of callbacks.allow" in ended.stderr


def test_settings_that_cannot_be_used_are_told_in_one_line(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    (tmp_path / "settings.toml").write_text("nonsense = 1")
    ended = house.invoke(allow, "--config", str(tmp_path / "settings.toml"))
    assert ended.exit_code == 2
    assert "nonsense: no such key" in ended.stderr


def test_what_was_not_opened_cannot_be_closed(either: House) -> None:
    ended = either.invoke(allow, "--remove", "203.0.113.0/24")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "203.0.113.0/24 was not opened by this command" in ended.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["home"], "A network is like"),
        (["203.0.113.7/24"], "has host bits set"),
        (["169.254.169.254"], "is a cloud's metadata service. Nothing allows that."),
        (["224.0.0.0/8", "port", "80"], "is a multicast address. Nothing allows that."),
    ],
)
def test_what_cannot_be_opened_is_told_why(either: House, words: list[str], why: str) -> None:
    ended = either.invoke(allow, *words)
    assert ended.exit_code == 2
    assert why in ended.stderr


def test_there_is_a_bound_without_a_daemon_too(house: House) -> None:
    house.stop_daemon()
    many = [str(opening(f"10.0.{number}.0/24")) for number in range(MOST)]
    house.invoke(allow, many[0])
    from ttgateway.store import opening as files

    db = files.connect(str(house.console.state_dir / files.FILE))
    openings.saving(many)(db)
    db.close()
    ended = house.invoke(allow, "203.0.113.0/24")
    assert (ended.exit_code, "At most 256 may be opened" in ended.stderr) == (1, True)


@pytest.mark.parametrize(
    "words", [["--remove"], ["--test", "http://10.0.0.7/", "10.0.0.0/8"], ["--config", "nowhere", "--remove"]]
)
def test_what_does_not_go_together_is_a_usage_error(house: House, words: list[str]) -> None:
    assert house.invoke(allow, *words).exit_code == 2


def test_a_url_is_tried_by_each_of_its_addresses(house: House) -> None:
    house.dns.known["kds.shop"] = (ip_address("10.0.0.7"), ip_address("203.0.113.7"))
    ended = house.invoke(allow, "--test", "http://kds.shop:8080")
    assert ended.exit_code == 1
    head, good, bad = ended.stdout.splitlines()
    assert head == "http://kds.shop:8080/ would not be called."
    assert good == "  10.0.0.7: a private address"
    assert bad.startswith("  203.0.113.7: Callback refused: 203.0.113.7 is a public address.")
    assert "ttgateway allow 203.0.113.7/32" in bad
    house.invoke(allow, "203.0.113.7")
    ended = house.invoke(allow, "--test", "http://kds.shop:8080")
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[0] == "http://kds.shop:8080/ would be called."


def test_a_url_is_tried_without_a_daemon_too(house: House) -> None:
    house.stop_daemon()
    ended = house.invoke(allow, "--json", "--test", "http://203.0.113.7/")
    assert ended.exit_code == 1
    found = json.loads(ended.stdout)
    assert (found["called"], [one["address"] for one in found["addresses"]]) == (False, ["203.0.113.7"])
    house.invoke(allow, "203.0.113.7")
    assert house.invoke(allow, "--test", "http://203.0.113.7/").exit_code == 0


def test_what_is_no_url_is_told_without_what_a_terminal_obeys(house: House) -> None:
    ended = house.invoke(allow, "--test", "ftp://\x1b[2J")
    assert ended.exit_code == 1
    assert "\x1b" not in ended.stdout
    assert "It is not a URL that is called" in ended.stdout


@pytest.mark.parametrize("words", [(), ("--test", "http://10.0.0.9/")])
def test_where_no_gateway_has_its_state_that_is_all_that_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    house = House(tmp_path / "nothing")
    house.stop_daemon()
    ended = house.invoke(allow, *words)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
