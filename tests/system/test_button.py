"""The button of a real daemon, pressed in each of its ways: each lets one device have one token."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.test_keys import ENTER, SPACE, press

TTGATEWAY = Path(sys.executable).with_name("ttgateway")


def by_command(daemon: Daemon) -> None:
    line = [str(TTGATEWAY), "--state-dir", str(daemon.state), "button"]
    assert subprocess.run(line, check=True, capture_output=True, timeout=30).stdout.startswith(b"Pressed.")  # noqa: S603


def by_signal(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGUSR1)


def by_line(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(daemon.state / "control.sock"))
        connection.sendall(b"button\n")
        with connection.makefile("rb") as answer:
            assert answer.readlines() == [b"Pressed. Within two minutes one device can get a token.\n"]


def ask(daemon: Daemon) -> int:
    """Ask for a token, as a device does that has none; return the status."""
    client = Client(daemon.port)
    try:
        return client.call("GET", "/api/v2/accesstoken/generate").status
    finally:
        client.close()


def lets_one_device_in(daemon: Daemon, source: str) -> None:
    eventually(lambda: f"The button was pressed ({source})" in daemon.log())
    assert [ask(daemon), ask(daemon)] == [201, 403]


@pytest.mark.parametrize(
    ("pressed", "source"),
    [(by_command, "ttgateway button"), (by_signal, "SIGUSR1"), (by_line, "the control socket")],
)
def test_a_press_lets_one_device_have_a_token(daemon: Daemon, pressed: Callable[[Daemon], None], source: str) -> None:
    assert ask(daemon) == 403
    pressed(daemon)
    lets_one_device_in(daemon, source)


def test_an_input_device_is_the_button_and_may_be_pulled_out_meanwhile(
    daemons: Callable[..., Daemon], tmp_path: Path
) -> None:
    device = tmp_path / "event0"
    os.mkfifo(device)
    daemon = daemons(f'[button]\ndevice = "{device}"\nkey = {ENTER}\n').start()
    for _ in range(2):
        with device.open("wb", buffering=0) as keypad:
            keypad.write(press(SPACE))
            keypad.write(press(ENTER))
            lets_one_device_in(daemon, str(device))
        before = daemon.log().count("The button is at ")
        eventually(lambda before=before: daemon.log().count("The button is at ") > before)  # type: ignore[misc]
    assert daemon.log().count(f"No button at {device}, looking again") == 2
