"""The gateway as systemd runs it: its socket is handed over, its signs of life are heard, its log is the journal's."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener
from tests.system.threads import stopped, threads_of

WATCHDOG = 2.0
STORE_WRITER = 0
"""Which of the threads it is: the first that is made."""


class Manager:
    """What systemd is to the gateway: a socket that hears it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        self._socket.setblocking(False)

    def listen(self) -> list[str]:
        """Return what was heard so far, line by line."""
        while True:
            try:
                self.heard += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def pings(self, seconds: float) -> int:
        """Return how many pings come in this time."""
        before = self.listen().count("WATCHDOG=1")
        time.sleep(seconds)
        return self.listen().count("WATCHDOG=1") - before

    def close(self) -> None:
        self._socket.close()


class Service(Daemon):
    """A gateway that systemd starts at the first connection to its port."""

    def __init__(self, folder: Path, manager: Manager) -> None:
        super().__init__(folder)
        self._manager = manager

    def command(self) -> list[str]:
        line = super().command()
        line[line.index("--listen") + 1] = "systemd:domain=INET:name=http"
        self.log_file.touch()
        journal = self.log_file.stat()
        environ = {
            "NOTIFY_SOCKET": self._manager.name,
            "WATCHDOG_USEC": str(round(WATCHDOG * 1_000_000)),
            "JOURNAL_STREAM": f"{journal.st_dev}:{journal.st_ino}",
        }
        activate = ["systemd-socket-activate", "--fdname=http", "-l", f"127.0.0.1:{self.port}"]
        return [*activate, *(f"--setenv={name}={value}" for name, value in environ.items()), *line]


@pytest.fixture(scope="module")
def manager() -> Iterator[Manager]:
    """A manager at an abstract address; ``tests/test_systemd.py`` has one at a path too."""
    manager = Manager(f"@ttgateway/test/{os.getpid()}")
    yield manager
    manager.close()


@pytest.fixture(scope="module")
def service(manager: Manager, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway, which must end well."""
    service = Service(tmp_path_factory.mktemp("service"), manager)
    try:
        service.start()
        yield service
        service.stop()
        assert manager.listen()[-2:] == ["STOPPING=1", "STATUS=stopping"]
        assert not service.complaints() or "No longer advancing" in service.log()
    finally:
        service.end()


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """A client that may call."""
    client = service.client()
    yield client
    client.close()


def test_it_says_when_it_serves_then_how_it_stands_and_pings_while_it_is_idle(
    manager: Manager, service: Service, client: Client
) -> None:
    assert client.call("GET", "/api/v2").status == 200
    eventually(lambda: "WATCHDOG=1" in manager.listen())
    said = manager.listen()
    assert said[:2] == [f"WATCHDOG_USEC={round(WATCHDOG * 1_000_000)}", "READY=1"]
    assert f"STATUS=0 active orders; 0 listeners; seq 0; serves at http://127.0.0.1:{service.port}/" in said
    assert manager.pings(WATCHDOG) >= 3


def test_the_port_that_was_handed_over_is_known_for_its_own(service: Service, client: Client) -> None:
    refused = client.register(f"http://127.0.0.1:{service.port}/orders")
    assert (refused.status, "is this gateway itself" in refused.fields["message"]) == (403, True)


def test_a_listener_that_is_down_is_no_reason_to_be_restarted(manager: Manager, client: Client) -> None:
    listener = Listener().open()
    assert client.register(listener.url).status == 200
    listener.close()
    assert client.post_order("1").status == 200
    assert manager.pings(WATCHDOG) >= 3
    eventually(lambda: any("1 active orders; 1 listeners (1 failing); seq 1;" in line for line in manager.listen()))


def test_a_store_that_hangs_stops_the_pings_though_the_api_answers_and_they_come_again(
    manager: Manager, service: Service, client: Client
) -> None:
    with stopped(threads_of(service.process.pid)[STORE_WRITER]):
        time.sleep(WATCHDOG / 2)  # what has come back already counts once more
        client.send("POST", "/api/v2/activeorders", {"name": "2", "orderType": "TO_GO", "locationName": ""})
        assert service.serves()
        assert manager.pings(WATCHDOG) == 0
        assert "No longer advancing: the thread that writes, commits" in service.log()
    assert client.receive().status == 200
    eventually(lambda: manager.pings(WATCHDOG) >= 3)


def test_each_line_of_its_log_has_a_priority_for_the_journal_and_no_secret(service: Service) -> None:
    lines = service.log().splitlines()
    ours = lines[next(n for n, line in enumerate(lines) if "twistd" in line and "starting up" in line) :]
    assert [line for line in ours if not line.startswith("<")] == []
    assert any(line.startswith("<6>[ttgateway.tap.GatewayService#info] ttgateway ") for line in ours)
    assert service.secret not in service.log()


def test_a_socket_that_was_not_handed_over_ends_the_start_with_one_line(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    code, said = daemon.run_to_its_end("--listen", "systemd:domain=INET:name=http")
    assert code == 2
    assert len(said) == 1
    assert "--listen systemd:domain=INET:name=http: " in said[0]


def test_the_signal_of_the_watchdog_ends_it_and_says_where_it_stood(tmp_path: Path) -> None:
    class Watched(Daemon):
        def command(self) -> list[str]:
            return ["env", "PYTHONFAULTHANDLER=1", "prlimit", "--core=0", *super().command()]

    daemon = Watched(tmp_path).start()
    try:
        daemon.process.send_signal(signal.SIGABRT)
        assert daemon.process.wait(10) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in daemon.log()
    finally:
        daemon.end()
