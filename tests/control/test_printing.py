import json

import click
import pytest
from twisted.internet.task import Clock

from tests.support import FakeClock
from ttgateway.control.deliveries import HEAD, Judgement, delivery_of
from ttgateway.control.ending import Ending
from ttgateway.control.printing import Printer

BODY: dict[str, object] = {"seq": 7, "name": "66", "type": "ORDER_CREATED", "state": "started", "elapsedTime": 0}
GOT = delivery_of(BODY, {"webhook-id": "e1.7"}.get)
SNAPSHOT = delivery_of(BODY, {"webhook-id": "e1.7", "ttgateway-flags": "snapshot"}.get)
FINE = Judgement(False)


def printer(count: int | None = None, *, as_json: bool = False) -> tuple[Printer, Ending]:
    timers = Clock()
    ending = Ending(timers)
    return Printer(ending, count, as_json=as_json, clock=FakeClock(timers)), ending


def test_people_get_heads_and_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    to, _ = printer()
    to.begin()
    assert to.take(GOT, FINE, b"")
    head, text = capsys.readouterr().out.splitlines()
    assert head == HEAD
    assert "66  created   started" in text


def test_programs_get_the_body_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    to, _ = printer(as_json=True)
    to.begin()
    to.take(GOT, FINE, b'{"seq":7,  "x":"\\n"}')
    assert capsys.readouterr().out == '{"seq":7,  "x":"\\n"}\n'


def test_programs_get_one_line_for_a_body_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    to, _ = printer(as_json=True)
    to.take(GOT, FINE, b'{\n "seq":\r\n 7}')
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"seq": 7}


def test_programs_get_each_change_once(capsys: pytest.CaptureFixture[str]) -> None:
    to, _ = printer(as_json=True)
    assert to.take(GOT, Judgement(True), b'{"seq":7}')
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Told before: seq 7" in captured.err


def test_a_fault_is_told_loudly_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    to, _ = printer(as_json=True)
    to.take(GOT, Judgement(False, ("seq goes back: 7 after 9",)), b'{"seq":7}')
    captured = capsys.readouterr()
    assert captured.err == "!! seq goes back: 7 after 9\n"
    assert captured.out == '{"seq":7}\n'


def test_the_end_comes_after_so_many_changes_and_what_comes_later_is_not_taken() -> None:
    to, ending = printer(count=2)
    assert to.take(SNAPSHOT, FINE, b"")
    assert to.take(GOT, FINE, b"")
    assert to.take(GOT, Judgement(True), b"")
    assert not ending.asked
    assert to.take(GOT, FINE, b"")
    assert ending.asked
    assert not to.take(GOT, FINE, b"")


def test_nobody_who_reads_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(click, "echo", broken)
    monkeypatch.setattr("ttgateway.control.printing.os.dup2", lambda *_: None)
    to, ending = printer()
    assert not to.take(GOT, FINE, b"")
    assert ending.asked
