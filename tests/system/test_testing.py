"""``ttgateway.testing``, as those use it who test their own software with it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.system.daemon import eventually
from ttgateway.testing import GatewayFailed, RecordingListener, Refused, RunningGateway

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/test_display.py"
PAGE = ROOT / "docs/testing.rst"
ENDS_WITHIN = 60.0

FAILING = """
def test_that_fails(gateway, listener):
    gateway.register(listener.url)
    gateway.start_order("66")
    listener.wait_for(1)
    print("AT", gateway.port, listener.port, gateway._process.pid)
    with listener.hanging():
        gateway.start_order("67")
        listener.wait_for_attempts(2)
        assert False, "on purpose"
"""

WAITING = """
import time

def test_that_waits(gateway):
    print("AT", gateway.port, gateway.port, gateway._process.pid, flush=True)
    time.sleep(60)
"""


def pytest_command(*arguments: str | Path) -> list[str]:
    plugins = ["-p", "no:cacheprovider", "-p", "ttgateway.testing", "-W", "error", "-c", os.devnull]
    return [sys.executable, "-P", "-m", "pytest", *plugins, "--rootdir", ".", *map(str, arguments)]


def suite(folder: Path, text: str) -> Path:
    path = folder / "test_suite.py"
    path.write_text(text)
    return path


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def refuses(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("HEAD", "/")
    except ConnectionRefusedError:
        return True
    finally:
        connection.close()
    return False


def at(text: str) -> tuple[int, int, int]:
    """Return the ports of the gateway and of the listener, and the gateway's process."""
    found = re.search(r"^AT (\d+) (\d+) (\d+)$", text, re.MULTILINE)
    assert found, text
    return int(found[1]), int(found[2]), int(found[3])


def sent(listener: RecordingListener, seq: int, secret: str = "") -> int:
    """Send a delivery; return what is answered. Raises ``OSError`` or ``HTTPException`` where nothing is."""
    body = json.dumps({"seq": seq, "type": "ORDER_CREATED"})
    headers = {"webhook-id": f"e.{seq}", "webhook-timestamp": str(int(time.time())), "ttgateway-previous": "0"}  # noqa: TID251
    if secret:
        now = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        headers["webhook-signature"] = Webhook(secret).sign(headers["webhook-id"], now, body)
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    try:
        connection.request("POST", "/orders", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningGateway]:
    gateway = RunningGateway()
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def gateway(running: RunningGateway) -> Iterator[RunningGateway]:
    yield running
    if not running.runs:
        running.start()
    running.reset()


@pytest.fixture
def listener() -> Iterator[RecordingListener]:
    before = threading.active_count()
    listener = RecordingListener()
    yield listener
    listener.close()
    assert threading.active_count() == before


class TestSuites:
    def test_the_example_passes_and_so_does_the_one_in_the_documentation(self, tmp_path: Path) -> None:
        told = re.search(r"^   def test_my_.*\n(?:   .*\n)+", PAGE.read_text(), re.MULTILINE)
        assert told
        command = pytest_command(EXAMPLE, suite(tmp_path, textwrap.dedent(told[0])))
        ran = subprocess.run(  # noqa: S603
            command, cwd=tmp_path, capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "4 passed" in ran.stdout

    def test_a_failing_test_shows_the_gateways_log_and_leaves_nothing(self, tmp_path: Path) -> None:
        command = pytest_command(suite(tmp_path, FAILING))
        ran = subprocess.run(  # noqa: S603
            command, cwd=tmp_path, capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert "1 failed" in ran.stdout
        assert "error" not in ran.stdout.splitlines()[-1]
        assert "log of gateway" in ran.stdout
        assert "serves at http://127.0.0.1:" in ran.stdout
        served, listened, pid = at(ran.stdout)
        assert is_gone(pid)
        assert refuses(served)
        assert refuses(listened)

    def test_a_gateway_ends_when_its_tests_are_killed(self, tmp_path: Path) -> None:
        output = tmp_path / "output"
        with output.open("wb") as file:
            tests = subprocess.Popen(  # noqa: S603
                pytest_command("-s", suite(tmp_path, WAITING)), cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=file
            )
        try:
            eventually(lambda: "AT " in output.read_text() or tests.poll() is not None, 30)
            _, _, pid = at(output.read_text().replace("test_suite.py AT", "\nAT"))
        finally:
            tests.send_signal(signal.SIGKILL)
            tests.wait()
        eventually(lambda: is_gone(pid))


class TestGateway:
    def test_an_order_lives_and_its_listener_is_told(
        self, gateway: RunningGateway, listener: RecordingListener
    ) -> None:
        gateway.register(listener.url, secret=listener.secret)
        order = gateway.start_order("66")
        assert (order["state"], gateway.order(order["uuid"])["name"]) == ("started", "66")
        assert gateway.locate("66", "22")["locationName"] == "22"
        gateway.page("66")
        assert gateway.orders()[0]["paged"]
        gateway.cancel_page("66")
        gateway.clear("66")
        assert gateway.orders() == []
        told = listener.wait_for(5)
        types = ["ORDER_CREATED", "ORDER_MODIFIED", "ORDER_PAGED", "ORDER_MODIFIED", "ORDER_MODIFIED"]
        assert [one.body["type"] for one in told] == types
        assert all(one.signed for one in told)
        assert [one.previous for one in told[1:]] == [one.seq for one in told[:-1]]
        first = told[0].seq
        assert first is not None
        assert [change["seq"] for change in gateway.events(first)] == [one.seq for one in told[1:]]

    def test_each_order_gets_a_number_of_its_own(self, gateway: RunningGateway) -> None:
        names = [gateway.start_order(order_type="TO_GO")["name"] for _ in range(3)]
        assert len(set(names)) == 3

    def test_what_is_refused_says_why(self, gateway: RunningGateway) -> None:
        with pytest.raises(Refused) as caught:
            gateway.clear("66")
        assert caught.value.status == 404
        assert caught.value.code < 0

    @pytest.mark.parametrize("how", ["kill", "stop"])
    def test_what_it_has_acknowledged_is_there_in_its_next_life(
        self, gateway: RunningGateway, listener: RecordingListener, how: str
    ) -> None:
        gateway.register(listener.url)
        gateway.start_order("66", "22")
        port = gateway.port
        getattr(gateway, how)()
        assert not gateway.runs
        gateway.start()
        assert gateway.port == port
        assert [order["name"] for order in gateway.orders()] == ["66"]
        gateway.clear("66")
        gateway.wait_until_told()
        assert [change["state"] for change in listener.changes] == ["located", "cleared"]

    def test_who_waits_in_vain_is_told_for_whom(self, gateway: RunningGateway, listener: RecordingListener) -> None:
        gateway.register(listener.url)
        with listener.refusing():
            gateway.start_order("66")
            with pytest.raises(AssertionError, match=re.escape(listener.url)):
                gateway.wait_until_told(0.3)
        gateway.unregister(listener.url)
        assert gateway.listeners() == []

    def test_a_gateway_that_cannot_start_says_why(self) -> None:
        gateway = RunningGateway("nonsense = 1\n")
        with pytest.raises(GatewayFailed, match="nonsense"):
            gateway.start()
        assert not gateway.runs
        gateway.close()


class TestListener:
    def test_it_records_what_it_is_sent(self, listener: RecordingListener) -> None:
        assert [sent(listener, 1), sent(listener, 2, listener.secret), sent(listener, 2)] == [200] * 3
        assert [one.seq for one in listener.deliveries] == [1, 2, 2]
        assert [one.signed for one in listener.deliveries] == [None, True, None]
        assert [change["seq"] for change in listener.changes] == [1, 2]
        assert listener.deliveries[0].raw == b'{"seq": 1, "type": "ORDER_CREATED"}'
        assert listener.deliveries[0].headers["webhook-id"] == "e.1"

    def test_a_signature_by_another_secret_is_none(self, listener: RecordingListener) -> None:
        sent(listener, 1, RecordingListener.new_secret())
        assert [one.signed for one in listener.deliveries] == [False]

    def test_it_fails_as_often_as_it_is_told(self, listener: RecordingListener) -> None:
        listener.fail_next(500, 404)
        assert [sent(listener, 1) for _ in range(3)] == [500, 404, 200]
        with listener.failing(429):
            assert sent(listener, 2) == 429
        assert sent(listener, 2) == 200
        assert [one.seq for one in listener.deliveries] == [1, 2]
        assert [one.status for one in listener.attempts] == [500, 404, 200, 429, 200]

    def test_it_hangs_and_then_closes(self, listener: RecordingListener) -> None:
        answers: list[object] = []

        def send() -> None:
            try:
                answers.append(sent(listener, 1))
            except http.client.RemoteDisconnected as error:
                answers.append(error)

        with listener.hanging():
            sender = threading.Thread(target=send)
            sender.start()
            listener.wait_for_attempts(1)
            assert answers == []
        sender.join()
        assert isinstance(answers[0], http.client.RemoteDisconnected)
        assert listener.deliveries == []
        assert sent(listener, 1) == 200

    def test_it_is_away_and_comes_back_at_the_same_port(self, listener: RecordingListener) -> None:
        with listener.refusing():
            assert refuses(listener.port)
        assert sent(listener, 1) == 200

    def test_who_waits_in_vain_is_told_what_came(self, listener: RecordingListener) -> None:
        sent(listener, 7)
        with pytest.raises(AssertionError, match=r"not 2 deliveries within 0.1 s; .*\(7, 'ORDER_CREATED', 200\)"):
            listener.wait_for(2, timeout=0.1)

    def test_a_gateway_tries_again_until_it_is_taken(
        self, gateway: RunningGateway, listener: RecordingListener
    ) -> None:
        gateway.register(listener.url)
        listener.fail_next(503)
        gateway.start_order("66")
        first, second = listener.wait_for_attempts(2)
        assert (first.status, second.status) == (503, 200)
        assert (first.raw, first.webhook_id) == (second.raw, second.webhook_id)
        assert second.attempt == 2
