import json
import os
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.error import ConnectError, ConnectionLost, ConnectionRefusedError  # noqa: A004

from tests.commands.stand_ins import House
from tests.commands.stored import stored
from tests.support import result_of
from ttgateway.commands.check import check
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.registry import Registration
from ttgateway.store import opening
from ttgateway.store.tables.listeners import Listener
from ttgateway.watcher import Status, Watcher


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A gateway that is well, with one listener, on a machine whose clock is kept right and whose network works."""
    house = stored(tmp_path / "state")
    (tmp_path / "state").chmod(0o700)
    monkeypatch.setattr("ttgateway.commands.checks.clock.is_kept", lambda: True)
    monkeypatch.setattr("ttgateway.commands.checks.network.unsendable", lambda addresses: "")
    monkeypatch.setattr("ttgateway.commands.checks.disk.SOON", 0)
    monkeypatch.setattr("ttgateway.orders.moment.PLAUSIBLE", 0.0)  # the made-up clock shows 2016
    monkeypatch.setattr("ttgateway.commands.check.MachineClock", lambda: house.clock)
    house.gateway.registry.watch(cast(Watcher, Delivering()))
    result_of(house.gateway.registry.register(Registration(url="http://10.0.0.7/", api=2, caller="")))
    return house


class Delivering:
    """A notifier that does all that it is asked for."""

    running = True

    def status(self, listener: Listener) -> Status:
        return Status("healthy", 0, 0.0, None)

    def __getattr__(self, name: str) -> Any:
        return lambda *given: None


def found(house: House, *options: str) -> dict[str, tuple[str, str]]:
    """Return severity and finding of each part; the exit code must be 1 if there is a fault."""
    ended = house.invoke(check, "--json", *options)
    assert ended.exception is None or isinstance(ended.exception, SystemExit)
    findings = json.loads(ended.stdout)
    assert ended.exit_code == (1 if any(one["severity"] == "fault" for one in findings) else 0)
    assert all((one["do"] == "") == (one["severity"] == "ok") for one in findings)
    return {one["part"]: (one["severity"], one["what"]) for one in findings}


def test_a_gateway_that_is_well_is_told_so_part_by_part(house: House) -> None:
    ended = house.invoke(check)
    assert ended.exit_code == 0, ended.stdout
    head, *lines, empty, last = ended.stdout.splitlines()
    assert head.split() == ["PART", "FINDING"]
    parts = ["gateway", "settings", "port", "store", "state", "disk", "clock", "network", "listener"]
    assert [line.split()[:2] for line in lines] == [["ok", part] for part in parts]
    assert (empty, last) == ("", "All is well.")


def test_without_a_gateway_what_would_be_started_is_looked_at(house: House) -> None:
    house.stop_daemon()
    told = found(house)
    assert told["gateway"][0] == "warning"
    assert told["port"] == ("ok", "port 8000 is free")
    assert told["store"][1].startswith("every page and row is sound")
    assert told["network"] == ("ok", "multicast can be sent")
    assert told["listener"] == ("ok", "none is registered")


def test_a_gateway_that_cannot_be_asked_is_a_fault(house: House) -> None:
    house.control.down = ConnectionLost()
    assert found(house)["gateway"][0] == "fault"


def test_who_may_not_ask_the_gateway_is_told_to_be_somebody_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.control.down = ConnectError(PermissionError(13, "Permission denied"))
    (house.console.state_dir / "control.sock").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    [gateway] = [one for one in json.loads(house.invoke(check, "--json").stdout) if one["part"] == "gateway"]
    assert (gateway["severity"], gateway["do"]) == (
        "fault",
        "Run this as the user that the gateway runs as, or as root",
    )


@pytest.mark.parametrize("down", [ConnectionLost(), ConnectError(OSError(2, "No such file or directory"))])
def test_where_a_gateway_holds_the_state_directory_nothing_is_said_of_a_port_that_it_may_not_have(
    house: House, down: Exception
) -> None:
    house.control.down = down
    held = opening.lock(house.console.state_dir)
    try:
        told = found(house)
    finally:
        os.close(held)
    assert (told["store"][0], "port" in told, "network" in told) == ("fault", False, False)


def test_another_version_or_a_gateway_that_tells_nobody_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttgateway.commands.check.__version__", "9.9")
    severity, what = found(house)["gateway"]
    assert (severity, "this command is of 9.9" in what) == ("warning", True)
    house.gateway.registry._watcher.running = False  # type: ignore[union-attr,misc]
    assert found(house)["gateway"] == ("fault", "listeners are told nothing: it stops")


class Presence:
    """A presence that is announced as ``announced_name``."""

    announced_name = "ttgateway"
    trouble = ""


@pytest.mark.parametrize("runs", [True, False])
def test_another_gateway_of_our_name_and_a_network_without_multicast_are_named(house: House, runs: bool) -> None:
    house.serves, house.presence = [("10.0.0.5", 8000)], Presence()
    if not runs:
        house.stop_daemon()
    ours = FoundGateway("ttgateway", "10.0.0.5", 8000, "", house.gateway.id if runs else "id-1")
    other = FoundGateway("ttgateway", "10.0.0.9", 8000, "", "id-2")
    house.found = [ours] if runs else []
    assert found(house)["network"][0] == "ok"
    house.found.append(other)
    house.web.down = ConnectionRefusedError()
    assert "another gateway is called ttgateway" in found(house)["network"][1]
    house.found = MulticastFailed("this machine has no network")
    assert found(house)["network"][0] == "fault"


def test_a_gateway_that_is_not_to_be_announced_is_not_looked_for(house: House) -> None:
    house.serves = [("10.0.0.5", 8000)]
    house.found = MulticastFailed("not to be asked")
    assert found(house)["network"] == ("ok", "not announced: discovery.enabled is off in the settings")


def test_settings_of_a_gateway_that_does_not_run_decide_what_it_would_call(house: House, tmp_path: Path) -> None:
    house.stop_daemon()
    (tmp_path / "settings.toml").write_text("[discovery]\nenabled = false\n")
    told = found(house, "--config", str(tmp_path / "settings.toml"))
    assert told["settings"] == ("ok", f"{tmp_path / 'settings.toml'} is right")
    assert told["network"][1] == "not announced: discovery.enabled is off in the settings"


def test_a_part_that_hangs_holds_up_no_other(house: House) -> None:
    house.hangs.add("look")
    told = found(house)
    assert told["disk"][0] == told["state"][0] == "warning"
    assert told["disk"][1].startswith("not looked at: no end within")
    assert told["port"][0] == "ok"


def test_ctrl_c_ends_it_with_one_line(house: House) -> None:
    house.hangs.add("look")
    house.ending.ask()
    ended = house.invoke(check)
    assert (ended.exit_code, ended.stderr) == (1, "ttgateway: interrupted\n")
