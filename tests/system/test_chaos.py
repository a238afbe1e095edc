"""``ttgateway simulate --chaos`` at real listeners: a good one, and some that are not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.chaos.board import Board
from ttgateway.testing import RecordingListener

TTGATEWAY = Path(sys.executable).with_name("ttgateway")
QUICK = [
    part for fault in ("half", "unread", "gap", "rewind", "old-snapshot", "snapshot") for part in ("--only", fault)
]


def chaos(listener: RecordingListener | str, *options: str) -> "subprocess.CompletedProcess[str]":
    url = listener if isinstance(listener, str) else listener.url
    return subprocess.run(  # noqa: S603
        [TTGATEWAY, "simulate", "--chaos", url, *options], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def listener() -> Iterator[RecordingListener]:
    listener = RecordingListener()
    yield listener
    listener.close()


def board_of(listener: RecordingListener) -> Board:
    """Return what a right listener shows that got all this."""
    board, epochs = Board(), {one.epoch: None for one in listener.deliveries}
    for one in listener.deliveries:
        flags = " ".join(one.flags)
        board.hear(flags, list(epochs).index(one.epoch), dict(one.body))
    return board


def test_a_listener_that_takes_everything_withstands_each_fault(listener: RecordingListener) -> None:
    ran = chaos(listener, "--seed", "4", "--changes", "130", "--secret", listener.secret, "--json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["withstood"]
    assert found["seed"] == 4
    assert found["changes"] >= 130
    assert len(found["faults"]) == 13
    assert all(one.signed for one in listener.deliveries)
    assert len({one.webhook_id: one.raw for one in listener.deliveries}) == len(
        {(one.webhook_id, one.raw) for one in listener.deliveries}
    )
    assert listener.deliveries[-1].epoch == found["epoch"]
    shown = {order["uuid"]: order["state"] for order in board_of(listener).orders.values()}
    assert shown == {order["uuid"]: order["state"] for order in found["open"]}


def test_a_listener_that_refuses_and_one_that_is_gone_do_not(listener: RecordingListener) -> None:
    listener.fail_next(200, 200, 404)
    ran = chaos(listener, "--seed", "1", "--changes", "10", *QUICK)
    assert ran.returncode == 1
    assert "was not taken: it answered 404" in ran.stdout
    assert ran.stderr.endswith("ttgateway: the listener did not take all that it was sent; again with: --seed 1\n")
    listener.fail_next(200, 410)
    ran = chaos(listener, "--seed", "1", "--changes", "10", *QUICK)
    assert ran.returncode == 1
    assert "it answered 410" in ran.stdout


def test_a_version_1_listener_gets_version_1(listener: RecordingListener) -> None:
    assert chaos(listener, "--api", "1", "--changes", "20", *QUICK).returncode == 0
    assert all(len(one.body) == 10 for one in listener.deliveries)


def test_who_cannot_or_must_not_be_called_is_told_in_one_line() -> None:
    for url, said in (
        ("http://127.0.0.1:1234/", "nobody answers a HEAD at http://127.0.0.1:1234/ (refused)"),
        ("http://203.0.113.7:8080/", "203.0.113.7 is a public address"),
        ("http://127.0.0.1:22/", "--allow"),
    ):
        ran = chaos(url)
        assert ran.returncode == 1
        assert said in ran.stderr
        assert ran.stderr.count("\n") == 1
