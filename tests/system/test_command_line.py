"""The operator's commands as processes of their own, at a real daemon, over real sockets."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.system.daemon import Client, Daemon, eventually, free_port
from tests.system.listeners import Listener

TTGATEWAY = Path(sys.executable).with_name("ttgateway")
ENDS_WITHIN = 30.0


class Shell:
    """Runs commands in one folder, and leaves none of them behind."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        self.folder = folder
        self.state = daemon.state
        self.gateway = ["--gateway", f"http://127.0.0.1:{daemon.port}"]
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=ENDS_WITHIN)
        return subprocess.CompletedProcess(arguments, process.returncode, out, errors)

    def start(
        self, *arguments: str, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
    ) -> "subprocess.Popen[str]":
        """Begin a command; what it prints goes into pipes, unless into the descriptors given."""
        process = subprocess.Popen(  # noqa: S603
            [str(TTGATEWAY), "--state-dir", str(self.state), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )
        self._started.append(process)
        return process

    def redirected(self, how: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end with its streams as the shell has them after ``how``."""
        words = ["sh", "-c", f'exec "$0" --state-dir "$@" {how}', str(TTGATEWAY), str(self.state), *arguments]
        return subprocess.run(  # noqa: S603
            words, cwd=self.folder, capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )

    def listen(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin to listen, and wait until that is registered."""
        process = self.start("listen", *self.gateway, "--port", str(free_port()), *arguments)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Listening at ")
        return process

    def close(self) -> None:
        """Leave no process behind, whatever has happened."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def interrupted(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """End a command as Ctrl-C does; return its exit code and the rest of what it printed."""
    process.send_signal(number)
    time.sleep(0.02)
    process.send_signal(number)  # as ``timeout`` does: this is still the same wish
    out, errors = process.communicate(timeout=ENDS_WITHIN)
    return process.returncode, out, errors


def seqs(lines: str) -> list[int]:
    return [json.loads(line)["seq"] for line in lines.splitlines()]


def names(shell: Shell) -> list[str]:
    return [token["name"] for token in json.loads(shell.run("token", "list", "--json").stdout)]


@pytest.fixture
def stopped(daemons: Callable[..., Daemon]) -> Daemon:
    """A daemon that was not started."""
    return daemons()


@pytest.fixture
def shell(stopped: Daemon, tmp_path: Path) -> Iterator[Shell]:
    """A shell beside the daemon."""
    shell = Shell(tmp_path, stopped)
    yield shell
    shell.close()


def test_secrets_work_whether_they_were_made_with_a_daemon_or_without(stopped: Daemon, shell: Shell) -> None:
    before = shell.run("token", "create", "before")
    assert before.returncode == 0, before
    stopped.start()
    during = shell.run("token", "create", "during", "--key")
    for made in (before, during):
        client = Client(stopped.port, made.stdout.splitlines()[-1])
        assert client.call("GET", "/api/v2/activeorders").status == 200
        client.close()
    assert names(shell) == ["before", "during"]
    assert shell.run("token", "revoke", "during").returncode == 0
    stopped.stop()
    assert names(shell) == ["before"]
    assert shell.run("token", "revoke", "before").returncode == 0
    nobody = shell.run("token", "revoke", "before")
    assert (nobody.returncode, nobody.stderr.count("\n"), nobody.stdout) == (1, 1, "")
    stopped.start()
    client = Client(stopped.port, before.stdout.splitlines()[-1])
    assert client.call("GET", "/api/v2/activeorders").status == 401
    client.close()


def test_the_button_lets_one_device_have_a_token(stopped: Daemon, shell: Shell) -> None:
    refused = shell.run("button")
    assert refused.returncode == 1
    assert refused.stderr.startswith("ttgateway: no gateway is running on the state directory")
    stopped.start()
    client = Client(stopped.port)
    assert client.call("GET", "/api/v2/accesstoken/generate").status == 403
    assert shell.run("button").returncode == 0
    assert client.call("GET", "/api/v2/accesstoken/generate").status == 201
    assert client.call("GET", "/api/v2/accesstoken/generate").status == 403
    client.close()


def test_each_change_of_a_simulation_is_printed_once_and_in_order(stopped: Daemon, shell: Shell) -> None:
    stopped.start()
    listening = shell.listen("--json", "--count", "60")
    simulated = shell.run("simulate", *shell.gateway, "--changes", "60", "--speed", "3000")
    assert simulated.returncode == 0, simulated
    assert simulated.stdout.startswith("60 changes in ")
    out, errors = listening.communicate(timeout=ENDS_WITHIN)
    assert listening.returncode == 0, errors
    assert seqs(out) == list(range(1, 61))
    assert "!!" not in errors
    assert shell.run("orders").stdout == "No order is active.\n"
    assert shell.run("listeners").stdout == "No listener is registered.\n"
    assert "ttgateway listen" not in names(shell)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_both_cleanly(stopped: Daemon, shell: Shell, number: signal.Signals) -> None:
    stopped.start()
    listening = shell.listen()
    simulating = shell.start("simulate", *shell.gateway, "--speed", "3000")
    assert listening.stdout is not None
    lines = [listening.stdout.readline() for _ in range(21)]
    assert lines[0].startswith("TIME  ")
    code, out, errors = interrupted(simulating, number)
    assert code == 0, errors
    assert "open orders cleared at the end" in out
    code, out, errors = interrupted(listening, number)
    assert code == 0, errors
    assert errors.startswith("Unregistered ")
    assert shell.run("orders").stdout == "No order is active.\n"
    assert shell.run("listeners").stdout == "No listener is registered.\n"


def test_a_simulation_goes_on_when_the_gateway_is_back(stopped: Daemon, shell: Shell) -> None:
    stopped.start()
    listening = shell.listen("--json")
    simulating = shell.start("simulate", *shell.gateway, "--speed", "1000", "--seed", "1")
    eventually(lambda: len(stopped.control("GET", "/orders")) > 2)
    stopped.stop()
    assert simulating.stderr is not None
    said = [simulating.stderr.readline()]
    while said[-1] != "The gateway does not answer (connection refused); trying until it does.\n":
        said.append(simulating.stderr.readline())
        assert len(said) < 5, said  # while it ends it may refuse, or close the connection
    stopped.start()
    while not said[-1].startswith("The gateway answers again."):
        said.append(simulating.stderr.readline())
        assert len(said) < 20, said
    code, _, errors = interrupted(simulating)
    assert code == 0, errors
    client = stopped.client()
    assert client.post_order("5", kind="TO_GO").status == 200
    client.close()
    eventually(lambda: all(one["pending"] == 0 for one in stopped.control("GET", "/listeners")))
    code, out, errors = interrupted(listening)
    assert code == 0, errors
    told = seqs(out)
    assert told == list(range(1, len(told) + 1))
    assert json.loads(out.splitlines()[-1])["name"] == "5"


def test_a_port_in_use_is_told_in_one_line(stopped: Daemon, shell: Shell) -> None:
    stopped.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = shell.run("listen", *shell.gateway, "--port", port)
    assert result.returncode == 1
    assert result.stderr == f"ttgateway: port {port} is in use on this machine; choose another with --port\n"
    assert names(shell) == []


def test_a_reader_that_has_seen_enough_ends_the_listening(stopped: Daemon, shell: Shell) -> None:
    stopped.start()
    listening = shell.listen("--json")
    assert listening.stdout is not None
    listening.stdout.close()
    simulated = shell.run("simulate", *shell.gateway, "--changes", "5", "--speed", "3000")
    assert simulated.returncode == 0
    assert listening.wait(ENDS_WITHIN) == 0
    assert listening.stderr is not None
    assert "Traceback" not in listening.stderr.read()
    listening.stdout = None
    assert shell.run("listeners").stdout == "No listener is registered.\n"


@pytest.mark.parametrize("arguments", [("simulate",), ("listen",), ("orders",), ("listeners",), ("button",)])
def test_a_gateway_that_is_not_there_is_told_in_one_line(shell: Shell, arguments: Sequence[str]) -> None:
    gateway = shell.gateway if arguments[0] in ("simulate", "listen") else []
    tokens = [[], ["--token", "some"]] if gateway else [[]]
    for token in tokens:
        result = shell.run(*arguments, *gateway, *token)
        assert result.returncode == 1
        assert result.stdout == ""
        assert result.stderr.startswith("ttgateway: no gateway ")
        assert result.stderr.count("\n") == 1


def test_a_listener_that_was_killed_is_seen_as_such_and_mended_by_commands(stopped: Daemon, shell: Shell) -> None:
    daemon = stopped.start()
    listener = Listener().open()
    client = daemon.client()
    assert client.register(listener.url).status == 200
    client.post_order(66)
    eventually(lambda: listener.seqs() == [1])
    shown = shell.run("listeners", "show", listener.url).stdout
    assert "1 delivered" in shown
    assert "delivered" in shown.splitlines()[-1]
    assert shell.run("listeners", "replay", listener.url, "--since", "0").returncode == 0
    eventually(lambda: listener.seqs() == [1, 1])
    assert shell.run("listeners", "resync", listener.url).returncode == 0
    eventually(lambda: listener.seqs() == [1, 1, 1])
    assert shell.run("listeners", "ping", listener.url).stdout == f"{listener.url} answers.\n"
    listener.close()
    silent = shell.run("listeners", "ping", listener.url)
    assert (silent.returncode, silent.stdout) == (1, "")
    assert silent.stderr == f"ttgateway: Client not responding at {listener.url} (refused)\n"
    client.post_order(67)
    eventually(lambda: "failed: refused" in shell.run("listeners").stdout, every=0.1)
    assert shell.run("listeners", "remove", listener.url).stdout == f"Removed {listener.url}.\n"
    assert shell.run("listeners").stdout == "No listener is registered.\n"
    client.close()


def test_the_status_tells_how_a_gateway_stands_and_for_whom_the_oldest_change_waits(
    stopped: Daemon, shell: Shell
) -> None:
    assert shell.run("status").returncode == 1
    daemon = stopped.start()
    assert shell.run("status").returncode == 0
    listener = Listener().open()
    client = daemon.client()
    assert client.register(listener.url).status == 200
    listener.close()
    client.post_order(66)
    client.close()
    eventually(lambda: json.loads(shell.run("status", "--json").stdout)["listeners"] == {"retrying": 1}, every=0.1)
    shown = shell.run("status")
    assert shown.returncode == 0, "a listener that is down is no fault of the gateway"
    assert f": {listener.url}\n" in shown.stdout


def test_a_tail_misses_nothing_though_the_gateway_is_killed_meanwhile(stopped: Daemon, shell: Shell) -> None:
    daemon = stopped.start()
    client = daemon.client()
    client.post_order(66)
    following = shell.start("tail", *shell.gateway, "--since", "0", "--count", "3", "--json")
    assert following.stdout is not None
    first = following.stdout.readline()
    daemon.kill()
    daemon.start()
    client.close()
    client.post_order(67)
    client.clear_order(66)
    client.close()
    rest, _ = following.communicate(timeout=ENDS_WITHIN)
    assert (following.returncode, seqs(first + rest)) == (0, [1, 2, 3])
    assert "ttgateway tail" not in names(shell)


@pytest.mark.parametrize("arguments", [("tail",), ("listen", "--port", "0"), ("simulate", "--speed", "3000")])
def test_a_terminal_that_is_closed_leaves_nothing_behind(
    stopped: Daemon, shell: Shell, arguments: tuple[str, ...]
) -> None:
    stopped.start()
    ours, its = os.openpty()
    process = shell.start(*arguments, *shell.gateway, stdout=its, stderr=its)
    os.close(its)
    os.read(ours, 1)  # it says something once it runs
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.wait(ENDS_WITHIN)
    assert shell.run("orders").stdout == "No order is active.\n"
    assert shell.run("listeners").stdout == "No listener is registered.\n"
    assert not any(name.startswith("ttgateway ") for name in names(shell))


def test_the_gateway_on_the_state_directory_is_found_whatever_its_port(stopped: Daemon, shell: Shell) -> None:
    daemon = stopped.start()
    listening = shell.start("listen", "--port", "0", "--count", "3", "--json")
    assert listening.stderr is not None
    assert f"registered with http://127.0.0.1:{daemon.port} " in listening.stderr.readline()
    assert shell.run("simulate", "--changes", "3", "--speed", "3000").returncode == 0
    assert seqs(listening.communicate(timeout=ENDS_WITHIN)[0]) == [1, 2, 3]
    assert seqs(shell.run("tail", "--since", "0", "--count", "3", "--json").stdout) == [1, 2, 3]
    assert json.loads(shell.run("history", "--json").stdout)


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-"])
def test_a_command_does_its_work_whatever_stream_beside_its_output_is_closed(
    stopped: Daemon, shell: Shell, closed: str
) -> None:
    stopped.start()
    for words in (["status"], ["orders"], ["listeners"], ["token", "list"], ["history"], ["check"]):
        expected, found = shell.run(*words), shell.redirected(closed, *words)
        assert found.returncode == expected.returncode, words
        assert found.stdout.splitlines()[-1:] == expected.stdout.splitlines()[-1:], words
    wrong = shell.redirected(closed, "listeners", "show", "nobody")
    assert (wrong.returncode, wrong.stdout) == (1, "")


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["status"],
        ["token", "list"],
        ["tail", "--since", "0"],
        ["simulate", "--changes", "3"],
    ],
)
def test_a_result_that_cannot_be_written_is_one_line_and_exit_code_1(
    stopped: Daemon, shell: Shell, words: list[str], output: str
) -> None:
    stopped.start()
    result = shell.redirected(output, *words)
    last = result.stderr.splitlines()[-1]
    assert result.returncode == 1, result
    assert last.startswith("ttgateway: standard output cannot be written: ")
    assert "Traceback" not in result.stderr


def test_a_listener_whose_output_cannot_be_written_is_unregistered(stopped: Daemon, shell: Shell) -> None:
    stopped.start()
    result = shell.redirected(">/dev/full", "listen", "--port", "0")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "ttgateway: standard output cannot be written: No space left on device"
    assert shell.run("listeners").stdout == "No listener is registered.\n"


@pytest.mark.parametrize("output", [">/dev/full", ">&-", ">&- 2>&-"])
def test_a_secret_that_nobody_saw_is_not_valid(shell: Shell, output: str) -> None:
    shell.run("token", "create", "seen")
    result = shell.redirected(output, "token", "create", "lost")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert names(shell) == ["seen"]
