"""``ttgateway allow`` at a real daemon: what it opens is called at once, what it closes is not, restarts included."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener

TTGATEWAY = Path(sys.executable).with_name("ttgateway")
PLACE = "127.83.1.3/32 port 9100"


@pytest.fixture
def allow(daemon: Daemon) -> Callable[..., tuple[int, str]]:
    """Run the command; return its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        line = [str(TTGATEWAY), "--state-dir", str(daemon.state), "allow", *arguments]
        ended = subprocess.run(line, check=False, capture_output=True, text=True, timeout=30)  # noqa: S603
        return ended.returncode, ended.stdout + ended.stderr

    return run


def test_what_is_opened_is_called_at_once_and_what_is_closed_no_more(
    daemon: Daemon, client: Client, listen: Callable[..., Listener], allow: Callable[..., tuple[int, str]]
) -> None:
    listener = listen(host="127.83.1.3", port=9100)
    refused = client.register(listener.url)
    assert refused.status == 403
    assert f"ttgateway allow {PLACE} (or" in refused.fields["message"]
    code, said = allow("--test", listener.url)
    assert (code, f"ttgateway allow {PLACE}" in said) == (1, True)

    assert allow(*PLACE.split()) == (0, f"Opened {PLACE}.\n")
    assert client.register(listener.url).status == 200
    client.post_order(1)
    eventually(lambda: len(listener.told) == 1)

    assert allow("--remove", *PLACE.split()) == (0, f"Closed {PLACE}.\n")
    client.post_order(2)  # within the time for which the connection is kept
    eventually(lambda: daemon.account(listener.url)["lastFailureCause"] == "forbidden")
    daemon.stop()
    daemon.start()
    eventually(lambda: (daemon.account(listener.url)["nextAttemptSeconds"] or 0) > 0.5)
    assert len(listener.told) == 1

    assert allow("127.83.1.0/24", "port", "9100")[0] == 0
    eventually(lambda: len(listener.told) == 2, within=2)
    daemon.stop()
    assert any(
        line.split() == ["127.83.1.0/24", "port", "9100", "ttgateway", "allow"] for line in allow()[1].splitlines()
    )
    code, said = allow("--test", listener.url)
    assert (code, "opened by ttgateway allow: 127.83.1.0/24 port 9100" in said) == (0, True)
