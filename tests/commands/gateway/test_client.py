from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionRefusedError  # noqa: A004
from twisted.internet.testing import MemoryReactorClock

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.allow import allow
from ttgateway.commands.damage import damage
from ttgateway.commands.gateway.client import DaemonNotRunning, daemon_of, socket_requests
from ttgateway.commands.listeners import listeners
from ttgateway.commands.show import button
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.commands.tokens import token
from ttgateway.registry import Registration


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_daemon_is_asked_through_the_socket_in_the_state_directory() -> None:
    reactor = MemoryReactorClock()
    pending: Deferred[object] = socket_requests(reactor, Path("state")).request(
        "GET", "http://daemon/orders", reactor=reactor
    )
    assert [path for path, *_ in reactor.unixClients] == ["state/control.sock"]
    pending.addErrback(lambda _: None)
    pending.cancel()


def test_what_the_daemon_refuses_is_told_in_its_own_words(house: House) -> None:
    with pytest.raises(CommandFailed, match="Invalid token name"):
        house.run(lambda reactor, _: daemon_of(house.console, reactor).ask("POST", "tokens", name="a/b"))


def test_a_path_that_the_daemon_does_not_know_is_a_failure(house: House) -> None:
    with pytest.raises(CommandFailed, match="HTTP 404"):
        house.run(lambda reactor, _: daemon_of(house.console, reactor).ask("GET", "nothing"))


@pytest.mark.parametrize("error", [ConnectionRefusedError(), ConnectError(OSError(2, "No such file or directory"))])
def test_nobody_at_the_socket_is_a_daemon_that_does_not_run(house: House, error: Exception) -> None:
    house.control.down = error
    with pytest.raises(DaemonNotRunning, match="no gateway is running on the state directory"):
        house.run(lambda reactor, _: daemon_of(house.console, reactor).ask("GET", "orders"))


@pytest.mark.parametrize(
    ("command", "words", "shown_by"),
    [
        (allow, ["203.0.113.7"], "ttgateway allow"),
        (allow, ["--remove", "203.0.113.7"], "ttgateway allow"),
        (button, [], "ttgateway token list"),
        (token, ["create", "pos"], "ttgateway token list"),
        (token, ["revoke", "pos"], "ttgateway token list"),
        (damage, ["--seen"], "ttgateway damage"),
        (listeners, ["remove", "http://10.0.0.7/"], "ttgateway listeners show {}"),
        (listeners, ["resync", "http://10.0.0.7/"], "ttgateway listeners show {}"),
        (listeners, ["replay", "http://10.0.0.7/", "--since", "0"], "ttgateway listeners show {}"),
    ],
)
def test_a_change_to_which_no_answer_comes_is_said_to_be_done_perhaps(
    house: House, command: Any, words: list[str], shown_by: str
) -> None:
    listener = result_of(house.gateway.registry.register(Registration(url="http://10.0.0.7/", api=2, caller="")))
    house.control.silent = {"POST", "DELETE"}
    result = house.invoke(command, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"; it may still be done: look with {shown_by.format(listener.id)}\n")


@pytest.mark.parametrize(("command", "words"), [(token, ["list"]), (listeners, []), (allow, [])])
def test_where_nothing_was_to_be_changed_nothing_is_said_to_be_done(
    house: House, command: Any, words: list[str]
) -> None:
    house.control.silent = {"GET"}
    result = house.invoke(command, *words)
    assert (result.exit_code, "may still be done" in result.stderr) == (1, False)


def test_a_socket_that_is_somebody_elses_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (house.console.state_dir / "control.sock").touch()
    house.control.down = ConnectError(OSError(13, "Permission denied"))
    monkeypatch.setattr("ttgateway.commands.gateway.client.os.access", lambda path, mode: False)
    with pytest.raises(CommandFailed, match="run this as the user that the gateway runs as"):
        house.run(lambda reactor, _: daemon_of(house.console, reactor).ask("GET", "orders"))


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="too long a path for a Unix socket"):
        socket_requests(MemoryReactorClock(), tmp_path / ("x" * 120))
