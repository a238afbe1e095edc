import re
from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands import open as opening
from ttgateway.commands.open import Seat, open_page, page_address, seat_of
from ttgateway.commands.terminal.console import CommandFailed

HERE = Seat(server="", screen=True)
OVER_SSH = Seat(server="10.0.0.5", screen=False)
CONSOLE = Seat(server="", screen=False)
LINK = re.compile(r"http://127\.0\.0\.1:8000/#open=([0-9a-f]{48})\n")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    for name in ("SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(opening, "_addresses", lambda: ["10.0.0.5"])
    return House(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was told to open."""
    links: list[str] = []

    def started(link: str) -> bool:
        links.append(link)
        return True

    monkeypatch.setattr("webbrowser.open", started)
    return links


def test_a_link_alone_is_printed_and_opens_a_session_once(house: House, opened: list[str]) -> None:
    result = house.invoke(open_page, "--print")
    assert (result.exit_code, result.stderr, opened) == (0, "", [])
    code = LINK.fullmatch(result.stdout)
    assert code is not None
    assert result_of(house.gateway.secrets.begin_session(code[1])).token.name == "staff page"


def test_where_there_is_a_screen_the_browser_opens_what_is_printed(
    house: House, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    result = house.invoke(open_page)
    assert opened == [result.stdout.rstrip("\n")]
    assert "This link is good once, within 120 s:" in result.stderr


def test_a_browser_that_does_not_start_is_told_of(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr("webbrowser.open", lambda link: False)
    assert "No browser could be started" in house.invoke(open_page).stderr


def test_over_ssh_no_browser_is_opened_and_a_gateway_behind_loopback_is_reached_by_a_tunnel(
    house: House, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.5 22")
    monkeypatch.setenv("DISPLAY", "localhost:10.0")
    result = house.invoke(open_page)
    assert LINK.fullmatch(result.stdout)
    assert "ssh -L 8000:127.0.0.1:8000 10.0.0.5" in result.stderr
    assert opened == []
    house.serves = [("0.0.0.0", 8000)]  # noqa: S104
    result = house.invoke(open_page)
    assert result.stdout.startswith("http://10.0.0.5:8000/#open=")
    assert "ssh -L" not in result.stderr


def test_the_address_may_be_given(house: House) -> None:
    house.serves = []
    assert house.invoke(open_page, "--print", "--at", "https://floor.example/").stdout.startswith(
        "https://floor.example/#open="
    )
    result = house.invoke(open_page, "--print")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--at" in result.stderr


@pytest.mark.parametrize(
    ("serves", "seat", "address"),
    [
        (("127.0.0.1", 8000), HERE, "http://127.0.0.1:8000"),
        (("127.0.0.1", 8000), OVER_SSH, "http://127.0.0.1:8000"),
        (("10.0.0.5", 80), HERE, "http://10.0.0.5:80"),
        (("::1", 8000), HERE, "http://[::1]:8000"),
        (("0.0.0.0", 8000), HERE, "http://127.0.0.1:8000"),  # noqa: S104
        (("::", 8000), OVER_SSH, "http://10.0.0.5:8000"),
        (("0.0.0.0", 8000), CONSOLE, "http://10.9.9.9:8000"),  # noqa: S104
    ],
)
def test_the_address_is_one_that_the_browser_reaches(serves: tuple[str, int], seat: Seat, address: str) -> None:
    assert page_address([serves], seat, lambda: ["10.9.9.9"]) == address


def test_without_a_network_loopback_is_all_there_is() -> None:
    assert page_address([("0.0.0.0", 8000)], CONSOLE, list) == "http://127.0.0.1:8000"  # noqa: S104


def test_without_a_port_there_is_no_address() -> None:
    with pytest.raises(CommandFailed):
        page_address([], HERE, list)


@pytest.mark.parametrize(
    ("environment", "platform", "seat"),
    [
        ({}, "linux", CONSOLE),
        ({"DISPLAY": ":0"}, "linux", HERE),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", HERE),
        ({}, "darwin", HERE),
        ({"SSH_CONNECTION": "a 1 10.0.0.5 22", "DISPLAY": ":10"}, "linux", OVER_SSH),
        ({"SSH_CONNECTION": "nonsense"}, "linux", CONSOLE),
    ],
)
def test_where_somebody_sits_is_told_by_the_environment(environment: dict[str, str], platform: str, seat: Seat) -> None:
    assert seat_of(environment, platform) == seat


def test_without_a_daemon_one_line_says_so(house: House) -> None:
    house.stop_daemon()
    result = house.invoke(open_page)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("ttgateway: no gateway is running on the state directory ")
