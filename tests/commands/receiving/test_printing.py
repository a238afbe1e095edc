import errno
import json

import click
import pytest
from twisted.internet.task import Clock

from tests.support import FakeClock
from ttgateway.commands.receiving.deliveries import HEAD, Judgement, delivery_of
from ttgateway.commands.receiving.printing import Printer
from ttgateway.commands.terminal.ending import Ending

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


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.EIO, "Input/output error")])
def test_nobody_who_reads_is_the_end(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(click, "echo", broken)
    to, ending = printer()
    assert not to.take(GOT, FINE, b"")
    assert ending.asked


def test_a_failure_to_print_is_raised_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    to, ending = printer()
    to.end()
    with monkeypatch.context() as patch:
        patch.setattr(click, "echo", full)
        to.begin()
    assert ending.asked
    with pytest.raises(OSError, match="No space left"):
        to.end()


def test_a_reader_that_has_seen_enough_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    to, _ = printer()
    monkeypatch.setattr(click, "echo", broken)
    to.begin()
    to.end()


def test_the_time_is_the_changes_own_where_that_is_asked_for_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    timers = Clock()
    own = Printer(Ending(timers), None, as_json=False, clock=FakeClock(timers), when=lambda _: "13:40:18")
    untold = Printer(Ending(timers), None, as_json=False, clock=FakeClock(timers), when=lambda _: "")
    arrival, _ = printer()
    for to in (own, untold, arrival):
        to.take(GOT, FINE, b"")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("13:40:18 ")
    assert second == third
