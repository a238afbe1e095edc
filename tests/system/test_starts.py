"""How the daemon starts, refuses to start, and ends."""

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.daemon import Daemon, eventually
from ttgateway.store import pages

Daemons = Callable[..., Daemon]
USAGE = 2
"""The exit code for settings and options that cannot be used."""


def check_refuses(daemon: Daemon, *words: str, options: tuple[str, ...] = ()) -> int:
    """Fail unless the daemon ends at once with one clear line that holds ``words``; return its exit code."""
    began = time.monotonic()
    code, lines = daemon.run_to_its_end(*options)
    assert len(lines) == 1, lines
    assert lines[0].startswith("ttgateway: ")
    for word in words:
        assert word in lines[0]
    assert code > 0
    assert time.monotonic() - began < 5.0
    return code


def left_clean(daemon: Daemon) -> bool:
    """Tell whether a daemon that has ended left the mark of a clean stop."""
    connection = pages.connect(str(daemon.state / "ttgateway.db"))
    try:
        return bool(connection.execute("SELECT clean FROM gateway").get)
    finally:
        connection.close()


def test_a_file_in_the_place_of_the_state_directory_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    daemon.state.write_text("not a folder")
    assert check_refuses(daemon, str(daemon.state), "cannot be written") != USAGE


def test_a_state_directory_below_a_file_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    (daemon.folder / "file").write_text("")
    daemon.state = daemon.folder / "file" / "state"
    check_refuses(daemon, str(daemon.state), "cannot be written")


def test_a_store_that_is_a_folder_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    (daemon.state / "ttgateway.db").mkdir(parents=True)
    check_refuses(daemon, "ttgateway.db")


def test_a_state_directory_with_too_long_a_path_for_a_socket_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    daemon.state = daemon.folder / ("x" * 100)
    check_refuses(daemon, "cannot listen", "control.sock", "too long")


def test_a_folder_in_the_place_of_the_control_socket_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    (daemon.state / "control.sock").mkdir(parents=True)
    check_refuses(daemon, "control.sock", "cannot be replaced")


def test_a_state_directory_may_be_odd(daemons: Daemons) -> None:
    daemon = daemons()
    # Short, as a Unix socket in it must be, below the folders that pytest makes.
    daemon.state = daemon.folder / "7: \\ü=,%41"
    daemon.start()
    assert daemon.secret


@pytest.mark.parametrize("name", ["backups", "ballast"])
def test_something_odd_in_the_place_of_what_we_keep_does_not_end_the_start(daemons: Daemons, name: str) -> None:
    daemon = daemons()
    (daemon.state / name).mkdir(parents=True)
    (daemon.state / name / "odd.db").write_text("not a number")
    daemon.start()


def test_a_store_of_a_newer_version_ends_the_start_and_is_left_alone(daemons: Daemons) -> None:
    daemon = daemons().start()
    assert daemon.secret
    daemon.stop()
    store = daemon.state / "ttgateway.db"
    connection = pages.connect(str(store))
    connection.pragma("user_version", 99)
    connection.close()
    before = store.read_bytes()
    check_refuses(daemon, str(store), "newer", "99")
    assert store.read_bytes() == before


def test_a_store_that_is_damaged_does_not_end_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    daemon.state.mkdir()
    (daemon.state / "ttgateway.db").write_bytes(b"this is no database" * 1000)
    daemon.start()
    daemon.stop()
    assert "The store was damaged" in daemon.log()
    assert list((daemon.state / "corrupt").rglob("ttgateway.db"))
    assert all("#critical" in line for line in daemon.complaints())
    daemon.log_file.unlink()  # it has told what it should


def test_a_port_in_use_ends_the_start(daemons: Daemons) -> None:
    daemon = daemons()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", daemon.port))
        taken.listen()
        check_refuses(daemon, "cannot listen", str(daemon.port), "in use")


def test_a_second_daemon_on_the_same_state_directory_ends_and_the_first_goes_on(daemons: Daemons) -> None:
    first, second = daemons().start(), daemons()
    second.state = first.state
    check_refuses(second, str(first.state), "another ttgateway")
    assert first.serves()
    assert first.control("GET", "/listeners") == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("thisDoesNotExist = 1", ["thisDoesNotExist", "no such key"]),
        ("[journal]\nkeep_dais = 7", ["journal.keep_dais", "no such key", "keep_days"]),
        ('[journal]\nkeep_days = "seven"', ["journal.keep_days", "seven", "int"]),
        ("[journal]\nkeep_days = 0", ["journal.keep_days", "0", ">= 1"]),
        ("journal = 7", ["journal", "7"]),
        ('timezone = "Mars/Olympus"', ["timezone", "Mars/Olympus"]),
        ('[callbacks]\nallow = ["everything"]', ["callbacks.allow", "everything"]),
        ("[callbacks]\nallow = [17]", ["callbacks.allow"]),
        ("[callbacks\n", ["not TOML"]),
        ("name = '\ud800'".encode("utf-8", "surrogatepass"), ["cannot be read"]),
    ],
)
def test_settings_that_cannot_be_used_end_the_start(daemons: Daemons, settings: str | bytes, words: list[str]) -> None:
    daemon = daemons()
    path = daemon.folder / "settings.toml"
    path.write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    assert check_refuses(daemon, str(path), *words) == USAGE
    assert not daemon.state.exists()


def test_a_settings_file_that_is_not_there_ends_the_start(daemons: Daemons) -> None:
    assert check_refuses(daemons(), "/nowhere.toml", options=("--config", "/nowhere.toml")) == USAGE


@pytest.mark.parametrize("listen", ["8000x:y", "tcp", "tcp:eighty", "tcp:70000", "carrier-pigeon:1", "", "tcp:-1"])
def test_a_listen_option_that_is_none_ends_the_start(daemons: Daemons, listen: str) -> None:
    code = check_refuses(daemons(), options=("--listen", listen))
    assert code in (USAGE, 69)


def test_an_address_that_is_not_ours_ends_the_start(daemons: Daemons) -> None:
    check_refuses(daemons(), "cannot listen", "192.0.2.1", options=("--listen", "tcp:8000:interface=192.0.2.1"))


def test_it_starts_from_any_folder_and_keeps_its_state_for_its_owner_only(daemons: Daemons) -> None:
    daemon = daemons().start()
    assert Path.cwd() != daemon.folder
    assert daemon.secret
    assert daemon.state.stat().st_mode & 0o777 == 0o700
    for name in ("control.sock", "ttgateway.db"):
        assert (daemon.state / name).stat().st_mode & 0o077 == 0
    assert daemon.secret not in daemon.log()
    assert daemon.secret.encode() not in (daemon.state / "ttgateway.db").read_bytes()


def test_a_relative_state_directory_is_made_where_it_was_started(daemons: Daemons) -> None:
    daemon = daemons()
    daemon.state = Path("here")
    daemon.start()
    assert (daemon.folder / "here" / "ttgateway.db").exists()


def test_sigterm_ends_it_with_code_0_and_leaves_the_clean_mark(daemons: Daemons) -> None:
    daemon = daemons().start()
    assert daemon.secret
    assert daemon.stop() < 3.0
    assert left_clean(daemon)
    daemon.start()
    daemon.kill()
    assert not left_clean(daemon)
    daemon.start()
    daemon.stop()
    assert left_clean(daemon)


def test_a_stop_refuses_new_connections_and_keeps_what_was_acknowledged(daemons: Daemons) -> None:
    daemon = daemons().start()
    client = daemon.client()
    for name in range(1, 51):
        assert client.post_order(name).status == 200
    daemon.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", daemon.port), timeout=2)
    client.close()
    daemon.start()
    assert client.call("GET", "/api/v2/activeorders").fields["count"] == 50
    client.close()


def test_a_second_sigterm_ends_it_at_once(daemons: Daemons) -> None:
    daemon = daemons().start()
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=5):
        daemon.terminate()
        time.sleep(0.02)
        daemon.terminate()
        eventually(lambda: daemon.process.poll() is not None, within=3.0)
    assert daemon.process.returncode in (0, -signal.SIGTERM)
    daemon.end()
