import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from tests.support import FakeClock, memory_gateway, memory_store, result_of
from tests.test_keys import ENTER, SPACE, press
from tests.told import Told
from ttgateway import button
from ttgateway.button import AGAIN_AFTER, ButtonDevice
from ttgateway.refusals import WindowShut


class Reactor(Clock):
    """Timers, and the turns of a reactor that reads."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:  # noqa: N802  # Twisted's name
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:  # noqa: N802
        self.readers.remove(reader)

    def turn(self) -> None:
        """Let each reader read once, and end those that cannot."""
        for reader in list(self.readers):
            if (error := reader.doRead()) is not None:
                self.removeReader(reader)
                self.readers.append(reader)  # the reader removes itself once more, as Twisted's may
                reader.connectionLost(Failure(error))


class Appliance:
    """A device node, and a gateway that watches it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "event0"
        self.reactor = Reactor()
        self.presses = 0
        self.device = ButtonDevice(self.path, ENTER, self._pressed, self.reactor)
        self._writer = -1

    def _pressed(self) -> None:
        self.presses += 1

    def plug_in(self) -> None:
        os.mkfifo(self.path)

    def speak(self, data: bytes) -> None:
        if self._writer < 0:
            self._writer = os.open(self.path, os.O_WRONLY)
        os.write(self._writer, data)
        self.reactor.turn()

    def pull_out(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
        self.path.unlink()
        self.reactor.turn()

    def close(self) -> None:
        self.device.stopService()
        if self._writer >= 0:
            os.close(self._writer)


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    appliance = Appliance(tmp_path)
    yield appliance
    appliance.close()
    assert not appliance.reactor.readers


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    with Told(LogLevel.warn) as told:
        yield told


def test_a_press_opens_the_window_and_is_logged_with_its_source() -> None:
    timers = Clock()
    store = memory_store(timers)
    secrets = memory_gateway(store, FakeClock(timers)).secrets
    with Told() as told:
        button.press(secrets, "SIGUSR1")
    assert told == ["The button was pressed (SIGUSR1): for 120 s one device can get a token"]
    assert result_of(secrets.create_in_window(None)).token.name == "default"
    with pytest.raises(WindowShut):
        result_of(secrets.create_in_window(None))


def test_the_key_of_the_device_presses_and_another_does_not(appliance: Appliance) -> None:
    appliance.plug_in()
    appliance.device.startService()
    appliance.speak(press(SPACE))
    assert appliance.presses == 0
    appliance.speak(press(ENTER))
    assert appliance.presses == 1


def test_a_device_that_is_silent_is_waited_for(appliance: Appliance) -> None:
    appliance.plug_in()
    appliance.device.startService()
    appliance.speak(press(SPACE))
    appliance.reactor.turn()  # nothing to read
    appliance.speak(press(ENTER))
    assert appliance.presses == 1


def test_a_device_that_is_absent_is_looked_for_again(appliance: Appliance, warnings: list[str]) -> None:
    appliance.device.startService()
    appliance.reactor.pump([AGAIN_AFTER] * 10)
    assert warnings == [f"No button at {appliance.path}, looking again: No such file or directory"]
    appliance.plug_in()
    appliance.reactor.advance(AGAIN_AFTER)
    appliance.speak(press(ENTER))
    assert appliance.presses == 1


def test_a_device_that_is_pulled_out_may_come_back(appliance: Appliance, warnings: list[str]) -> None:
    appliance.plug_in()
    appliance.device.startService()
    appliance.speak(press(ENTER)[:30])
    appliance.pull_out()
    assert warnings == [f"No button at {appliance.path}, looking again: No such device"]
    appliance.plug_in()
    appliance.reactor.advance(AGAIN_AFTER)
    appliance.speak(press(ENTER))
    assert appliance.presses == 1
    appliance.pull_out()
    assert len(warnings) == 2  # another outage


def test_a_file_that_is_no_device_is_not_read(appliance: Appliance, warnings: list[str]) -> None:
    appliance.path.write_bytes(press(ENTER))
    appliance.device.startService()
    appliance.reactor.turn()
    assert appliance.presses == 0
    assert warnings == [f"No button at {appliance.path}, looking again: not an input device"]


def test_what_comes_in_a_flood_is_read_in_turns(appliance: Appliance) -> None:
    appliance.plug_in()
    appliance.device.startService()
    appliance.speak(press(SPACE) * 10 + press(ENTER))
    assert appliance.presses == 0
    appliance.reactor.turn()
    assert appliance.presses == 1
