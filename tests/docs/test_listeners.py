"""The listeners of ``examples/``, in three languages, all at once at a real gateway that shares its troubles out."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.system.daemon import Client, Daemon, Reply, eventually, free_port
from ttgateway.notifier.attempts.signing import signature

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
COMMANDS: dict[str, list[str | Path]] = {
    "Python": [sys.executable, EXAMPLES / "listener.py"],
    "Node": ["node", EXAMPLES / "listener.mjs"],
    "C#": ["mono", "Listener.exe"],
}
TTGATEWAY = Path(sys.executable).with_name("ttgateway")
REFERENCES = ("-r:System.Net.Http", "-r:System.Runtime.Serialization")


class Example:
    """One of the listeners, on a port and with a file of its own; ``port`` is the gateway's."""

    def __init__(self, language: str, folder: Path, port: int, token: str) -> None:
        self.language = language
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/orders"
        self.folder = folder
        self._command = [*COMMANDS[language], f"http://127.0.0.1:{port}", self.url, "orders.json"]
        self._environment = {**os.environ, "TTGATEWAY_TOKEN": token, "WEBHOOK_SECRET": SECRET}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @property
    def lines(self) -> list[str]:
        """What it has printed, in all its lives."""
        return (self.folder / "output").read_text().splitlines()

    def changes(self) -> list[str]:
        """Return the lines of the changes that it took."""
        return [line for line in self.lines if re.match(r"\d+ ORDER_", line)]

    def stands_at(self, seq: int) -> bool:
        """Tell whether it has come so far."""
        return (self.folder / "orders.json").exists() and int(self.kept()["seq"]) >= seq

    def kept(self) -> dict[str, Any]:
        """Return what is in its file."""
        kept: dict[str, Any] = json.loads((self.folder / "orders.json").read_text())
        return kept

    def orders(self) -> dict[str, str]:
        """Return the state of each active order that is in its file, by name."""
        kept = self.kept()["orders"]
        orders = kept.values() if isinstance(kept, dict) else kept
        return {one["name"]: one["state"] for one in orders if one["state"] != "cleared"}

    def has_printed(self, line: str, times: int = 1) -> bool:
        """Tell whether it has printed a line, and so often."""
        return self.lines.count(line) >= times

    def answer(self, method: str, body: bytes | None = None, **headers: str) -> int:
        """Send it a request, and return the status that it answers."""
        client = Client(self.port)
        try:
            return client.call(method, "/orders", body, **headers).status
        finally:
            client.close()

    def has_failed(self, times: int) -> bool:
        """Tell whether it could not keep something so often."""
        return sum("cannot keep this now" in line for line in self.lines) >= times

    def deliver(self, webhook_id: str, change: dict[str, object], secret: str = SECRET) -> int:
        """Send it a delivery as the gateway would, signed with ``secret``; return the status that it answers."""
        body = json.dumps(change).encode()
        signed = signature(secret, webhook_id, 1_700_000_000, body)
        headers = {"webhook-id": webhook_id, "webhook-timestamp": "1700000000", "webhook-signature": signed}
        headers["ttgateway-attempt"] = "1"
        return self.answer("POST", body, **headers)


def examples(folder: Path, port: int, token: str) -> list[Example]:
    """Return one listener of each language, for the gateway on ``port``; each has a folder in ``folder``."""
    for language in COMMANDS:
        (folder / language).mkdir()
    compile_it = ["mcs", *REFERENCES, f"-out:{folder}/C#/Listener.exe", str(EXAMPLES / "Listener.cs")]
    subprocess.run(compile_it, check=True, timeout=60)  # noqa: S603
    return [Example(language, folder / language, port, token) for language in COMMANDS]


class Shop:
    """A gateway, and the three listeners that are registered with it."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self.daemon = Daemon(folder)
        ends.callback(self.daemon.end)
        self.daemon.start()
        self.client = self.daemon.client()
        ends.callback(self.client.close)
        self.examples = examples(folder, self.daemon.port, self.daemon.secret)
        for example in self.examples:
            ends.callback(example.kill)

    def seq(self) -> int:
        """Return the seq of the newest change."""
        return int(self.client.call("GET", "/api/v2/events?since=0&limit=1").fields["last"])

    def active(self) -> dict[str, str]:
        """Return the state of each active order, by name."""
        return {one["name"]: one["state"] for one in self.client.call("GET", "/api/v2/activeorders").fields["items"]}

    def all_know(self) -> None:
        """Wait until each listener stands where the gateway does, and see that its orders are the active ones."""
        seq, active = self.seq(), self.active()
        for example in self.examples:
            eventually(partial(example.stands_at, seq), 15)
            assert (example.kept()["seq"], example.orders()) == (seq, active), (example.language, example.lines)

    def listener(self, example: Example) -> str:
        """Return the path of a listener in the API."""
        return f"/api/v2/listeners/{self.daemon.account(example.url)['id']}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with two active orders, and listeners that have begun."""
    with ExitStack() as ends:
        shop = Shop(tmp_path_factory.mktemp("shop"), ends)
        done(shop.client.post_order(1))
        done(shop.client.post_order(2, "7"))
        for example in shop.examples:
            example.start()
        shop.all_know()
        yield shop
        assert not shop.daemon.complaints()


def done(reply: Reply) -> None:
    assert reply.status == 200, reply


def test_they_begin_with_a_snapshot_and_are_told_each_change_once(shop: Shop) -> None:
    before = shop.seq()
    done(shop.client.post_order(3))
    done(shop.client.post_order(3, "22"))
    done(shop.client.clear_order(3))
    shop.all_know()
    for example in shop.examples:
        assert f"snapshot {before} 1 2" in example.lines
        assert example.changes()[-3:] == [
            f"{before + 1} ORDER_CREATED 3 started",
            f"{before + 2} ORDER_MODIFIED 3 located",
            f"{before + 3} ORDER_MODIFIED 3 cleared",
        ], example.language


def test_what_comes_again_is_taken_and_not_done_again(shop: Shop) -> None:
    done(shop.client.post_order(4))
    shop.all_know()
    seq = shop.seq()
    for example in shop.examples:
        before = example.changes()
        done(shop.client.call("POST", f"{shop.listener(example)}/replay", {"since": seq - 1}))
        eventually(partial(example.has_printed, f"{seq} came again"))
        assert example.changes() == before
    shop.all_know()


def test_what_is_signed_with_another_secret_is_refused_and_changes_nothing(shop: Shop) -> None:
    epoch, seq = shop.examples[0].kept()["epoch"], shop.seq()
    forged: dict[str, object] = {"type": "ORDER_CREATED", "seq": seq + 1, "uuid": "u", "name": "9", "state": "started"}
    for example in shop.examples:
        assert example.deliver(f"{epoch}.{seq + 1}", forged, "whsec_" + "A" * 32) == 401, example.language
        assert "a bad signature from 127.0.0.1" in example.lines
    shop.all_know()


def test_what_was_missed_is_fetched(shop: Shop) -> None:
    for example in shop.examples:  # the operator removes it by mistake, and mends that
        done(shop.client.call("DELETE", shop.listener(example)))
    before = shop.seq()
    done(shop.client.post_order(5))
    done(shop.client.clear_order(5))
    for example in shop.examples:
        done(shop.client.register(example.url, secret=SECRET))
    done(shop.client.post_order(6))
    shop.all_know()
    for example in shop.examples:
        assert example.changes()[-3:] == [
            f"{before + 1} ORDER_CREATED 5 started",
            f"{before + 2} ORDER_MODIFIED 5 cleared",
            f"{before + 3} ORDER_CREATED 6 started",
        ], example.language


def test_what_cannot_be_fetched_makes_them_register_for_a_snapshot(shop: Shop) -> None:
    seq = shop.seq()
    strange: dict[str, object] = {"type": "ORDER_CREATED", "seq": 70_000, "uuid": "u", "name": "9", "state": "started"}
    for example in shop.examples:
        line = f"snapshot {seq} 1 2 4 6"
        before = example.lines.count(line)
        assert example.deliver("0123456789ab.70000", strange) == 503, example.language
        eventually(partial(example.has_printed, line, before + 1), 15)
    shop.all_know()


def test_what_cannot_be_kept_is_not_taken(shop: Shop) -> None:
    before, obstacles = shop.seq(), ("orders.new", "orders.json.new")
    for example in shop.examples:
        for obstacle in obstacles:
            (example.folder / obstacle).mkdir()
    done(shop.client.post_order(10))
    for example in shop.examples:
        eventually(partial(example.has_failed, 2), 15)
        assert shop.daemon.account(example.url)["pending"] == 1, example.language
        assert example.kept()["seq"] == before
        for obstacle in obstacles:
            (example.folder / obstacle).rmdir()
    shop.all_know()
    done(shop.client.clear_order(10))
    shop.all_know()


def test_one_that_was_killed_goes_on_where_it_stood(shop: Shop) -> None:
    for example in shop.examples:
        example.kill()
    before = shop.seq()
    done(shop.client.post_order(7))
    done(shop.client.clear_order(7))
    done(shop.client.clear_order(6))
    for example in shop.examples:
        example.start()
    shop.all_know()
    for example in shop.examples:
        assert example.changes()[-3:] == [
            f"{before + 1} ORDER_CREATED 7 started",
            f"{before + 2} ORDER_MODIFIED 7 cleared",
            f"{before + 3} ORDER_MODIFIED 6 cleared",
        ], example.language


def test_they_get_over_a_crash_of_the_gateway(shop: Shop) -> None:
    shop.daemon.kill()
    shop.client.close()
    shop.daemon.start()
    done(shop.client.post_order(8))
    done(shop.client.clear_order(1))
    shop.all_know()
    for example in shop.examples:
        seqs = sorted({int(line.split()[0]) for line in example.changes()})  # what could not be kept was done again
        assert seqs == list(range(3, shop.seq() + 1)), example.language


def test_they_withstand_all_that_a_listener_must(tmp_path: Path) -> None:
    nobody = free_port()
    chaos = [str(TTGATEWAY), "simulate", "--json", "--secret", SECRET, "--seed", "7", "--changes", "80", "--chaos"]
    alone = examples(tmp_path, nobody, "no token")
    try:
        runs = []
        for example in alone:
            example.start()
            eventually(partial(answers, example), 15)
            runs.append(subprocess.Popen([*chaos, example.url], stdout=subprocess.PIPE))  # noqa: S603
        for example, run in zip(alone, runs, strict=True):
            shown, _ = run.communicate(timeout=60)
            told = json.loads(shown)
            assert (run.returncode, told["withstood"]) == (0, True), (example.language, told)
            assert told["open"]
            assert sorted(example.orders()) == sorted(one["name"] for one in told["open"]), example.language
            seqs = [line.split()[0] for line in example.changes()]
            assert len(seqs) == len(set(seqs)), f"{example.language} has done something twice"
    finally:
        for example in alone:
            example.kill()


def answers(example: Example) -> bool:
    try:
        return example.answer("HEAD") == 200
    except OSError:
        return False
