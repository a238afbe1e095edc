"""What system tests share: a daemon that must end well, and listeners that are closed in the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.daemon import Client, Daemon
from tests.system.lan import Lan
from tests.system.listeners import Listener


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Make daemons, not started; in the end each has ended with code 0 at SIGTERM, and logged no traceback."""
    made: list[Daemon] = []

    def make(settings: str = "") -> Daemon:
        folder = tmp_path / f"daemon{len(made)}"
        folder.mkdir()
        made.append(Daemon(folder, settings))
        return made[-1]

    yield make
    try:
        for daemon in made:
            if daemon.runs:
                daemon.stop()
            assert not daemon.complaints(), daemon.log()
    finally:
        for daemon in made:
            daemon.end()


@pytest.fixture
def daemon(daemons: Callable[..., Daemon]) -> Daemon:
    """A daemon that serves."""
    return daemons().start()


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    """A client of `daemon` that may call."""
    client = daemon.client()
    yield client
    client.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Make listeners that are open."""
    made: list[Listener] = []

    def make(**how: Any) -> Listener:
        made.append(Listener(**how).open())
        return made[-1]

    yield make
    for listener in made:
        listener.close()


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    """A network of several machines."""
    lan = Lan(tmp_path)
    try:
        yield lan.open()
    finally:
        lan.close()
