from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import msgspec
from standardwebhooks import Webhook
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from tests.commands.chaos.runs import script_of
from tests.support import FakeClock, result_of
from ttgateway.commands.chaos.report import Report
from ttgateway.commands.chaos.run import RETRIES, Run
from ttgateway.commands.chaos.script import Act, Fault, Manner
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.progress import Progress
from ttgateway.notifier.attempts.outcome import Outcome, Reply, failed, judged
from ttgateway.notifier.callbacks.callback import CallbackURL

URL = CallbackURL.parse("http://127.0.0.1:8990/orders")
SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TAKEN = judged(Reply(200))


class Room:
    """A run whose listener answers what the test says, at once; ``seconds`` a turn pass until it is over."""

    def __init__(self, *answers: Outcome, secret: str = "", speed: float | None = None) -> None:
        self.timers = Clock()
        self.ending = Ending(self.timers)
        self.report = Report(tuple(Fault))
        self.sent: list[tuple[dict[str, str], bytes, Manner]] = []
        self._answers = list(answers)
        self._speed = speed
        self.run = Run(URL, secret, self, self.report, self.ending, self.timers, FakeClock(self.timers))

    async def send(self, request: bytes, manner: Manner) -> Outcome | None:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == "POST /orders HTTP/1.1"
        self.sent.append((dict(line.split(": ", 1) for line in lines), body, manner))
        if manner in (Manner.HALF, Manner.UNREAD):
            return None
        return self._answers.pop(0) if self._answers else TAKEN

    def play(self, acts: Iterator[Act] | list[Act], seconds: float = 3600.0) -> float:
        """Play ``acts``; return how long that took."""
        playing = ensureDeferred(self.run.play(iter(acts), self._speed, Progress(StringIO(), self.timers.seconds)))
        passed = 0.0
        while not playing.called and passed < seconds:
            self.timers.advance(0.1)
            passed += 0.1
        result_of(playing)
        return passed


def plain(count: int) -> list[Act]:
    script, _ = script_of(1, ())
    return list(script.acts(count))[:count]


def test_a_delivery_has_the_headers_and_the_body_of_a_gateways() -> None:
    room = Room()
    act, *_ = plain(1)
    room.play([msgspec.structs.replace(act, previous=12, attempt=2)])
    ((headers, body, _),) = room.sent
    assert body == act.delivery.body
    assert headers["webhook-id"] == f"{room.run.epoch(0)}.1"
    assert (headers["ttgateway-previous"], headers["ttgateway-attempt"]) == ("12", "2")
    assert int(headers["webhook-timestamp"]) == int(FakeClock(room.timers).wall())
    assert headers["Content-Type"] == "application/json"
    assert not {"ttgateway-flags", "webhook-signature"} & headers.keys()


def test_with_a_secret_it_is_signed() -> None:
    room = Room(secret=SECRET)
    room.play(plain(1))
    ((headers, body, _),) = room.sent
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], at, body.decode())


def test_each_journal_has_a_name_that_no_other_run_has() -> None:
    room, other = Room(), Room()
    assert room.run.epoch(1) == room.run.epoch(1) != room.run.epoch(0) != other.run.epoch(0)


def test_a_listener_that_takes_everything_withstands() -> None:
    room = Room()
    script, _ = script_of(2)
    room.play(script.acts(200))
    assert room.report.withstood
    assert room.report.findings == []
    assert room.report.sent == len(room.sent) > 200


def test_a_listener_that_is_down_for_a_while_is_tried_again_with_the_same_bytes() -> None:
    room = Room(failed("refused"), judged(Reply(503)))
    took = room.play(plain(2))
    assert [headers["ttgateway-attempt"] for headers, _, _ in room.sent] == ["1", "2", "3", "1"]
    assert len({body for _, body, _ in room.sent}) == 2
    assert took >= RETRIES[0] + RETRIES[1]
    assert room.report.withstood


def test_a_listener_that_stays_down_ends_the_run() -> None:
    room = Room(*[failed("timeout")] * 50)
    room.play(plain(5))
    assert len(room.sent) == 1 + len(RETRIES)
    assert not room.report.withstood
    assert room.report.findings == [
        "seq 1 (a plain delivery) was not taken: six tries came to nothing, the last one: timeout"
    ]


def test_a_delivery_that_is_refused_is_told_and_the_others_go_on() -> None:
    room = Room(TAKEN, judged(Reply(404)))
    room.play(plain(3))
    assert len(room.sent) == 3
    (finding,) = room.report.findings
    assert finding.startswith("seq 2 (a plain delivery) was not taken: it answered 404")


def test_a_listener_that_wants_nothing_more_ends_the_run() -> None:
    room = Room(judged(Reply(410)))
    room.play(plain(3))
    assert len(room.sent) == 1
    assert not room.report.withstood


def test_a_story_can_be_played_at_a_speed() -> None:
    acts = [msgspec.structs.replace(act, at=60.0 * number) for number, act in enumerate(plain(5))]
    assert 3.9 < Room(speed=60.0).play(acts) < 4.5
    assert Room().play(acts) < 0.2


def test_a_pause_is_one() -> None:
    first, second = plain(2)
    assert 2.4 < Room().play([first, msgspec.structs.replace(second, wait=2.5)]) < 2.7


def test_the_end_comes_when_it_is_asked_for_though_the_listener_is_down() -> None:
    room = Room(*[failed("refused")] * 50)
    room.timers.callLater(1.0, room.ending.ask)
    assert room.play(plain(5)) < 1.3
    assert room.report.withstood  # it was not given up
