import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ttgateway.systemd import Notices, is_journal


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager: what stands in ``NOTIFY_SOCKET``, and the socket there."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@ttgateway-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if request.param == "abstract" else name)
        manager.setblocking(False)
        yield name, manager


def test_a_notice_comes_as_it_was_sent(heard: tuple[str, socket.socket]) -> None:
    name, manager = heard
    Notices({"NOTIFY_SOCKET": name}, 1).send(READY=1, STATUS="two\nlines \N{EURO SIGN}")
    assert manager.recv(1_000).decode() == "READY=1\nSTATUS=two lines \N{EURO SIGN}"


def test_without_a_manager_nothing_is_sent_nor_due() -> None:
    notices = Notices({"WATCHDOG_USEC": "5000000"}, 1)
    assert not notices
    assert notices.watchdog == 0
    notices.send(READY=1)


def test_a_manager_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    Notices({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, 1).send(READY=1)


def test_one_that_does_not_read_does_not_hold_us_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        notices = Notices({"NOTIFY_SOCKET": str(tmp_path / "notify")}, 1)
        for _ in range(2_000):
            notices.send(STATUS="x" * 1_000)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_counts_where_it_is_meant_for_this_process(environ: dict[str, str], seconds: float) -> None:
    assert Notices({"NOTIFY_SOCKET": "/run/notify", **environ}, 7).watchdog == seconds


def test_the_watchdog_is_put_off_only_where_there_is_one(heard: tuple[str, socket.socket]) -> None:
    name, manager = heard
    Notices({"NOTIFY_SOCKET": name}, 1).send_watchdog(0)
    Notices({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"}, 1).send_watchdog(2.5)
    assert manager.recv(1_000) == b"WATCHDOG_USEC=2500000"


def test_a_stream_is_the_journal_when_device_and_inode_say_so(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        assert not is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"})
        assert not is_journal(stream.fileno(), {"JOURNAL_STREAM": "nonsense"})
        assert not is_journal(stream.fileno(), {})
    assert not is_journal(1_000_000, {"JOURNAL_STREAM": "1:1"})
