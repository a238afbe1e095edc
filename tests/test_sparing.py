import ast
import re
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.logger import ILogObserver, LogEvent, Logger, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import directlyProvides

import ttgateway
from ttgateway.api.routes import Routes
from ttgateway.bridge.connection import BridgeConnection
from ttgateway.bridge.connections import Connections
from ttgateway.feeds.events import Events
from ttgateway.notifier.accounts import Accounts
from ttgateway.notifier.attempts.sweep import Sweep
from ttgateway.notifier.notifier import Notifier
from ttgateway.notifier.queue import ListenerQueue
from ttgateway.sparing import (
    BURST,
    MOST_KINDS,
    MOST_KNOWN,
    OWN_BURST,
    OWN_RATE,
    RATE,
    SparingObserver,
    sparing_logger,
)
from ttgateway.store.commits import GroupCommit
from ttgateway.store.store import Store
from ttgateway.store.tables.journal import Journal

BACK = "{url} is back"
GONE = "{who} is gone"


def _into(events: list[LogEvent]) -> ILogObserver:
    """Return an observer that keeps what it sees."""

    def keep(event: LogEvent) -> None:
        events.append(event)

    directlyProvides(keep, ILogObserver)
    return cast(ILogObserver, keep)


class Log:
    """A log that is written sparingly."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self._observer = SparingObserver(_into(self.events))

    def say(self, text: str, at: float, **fields: Any) -> None:
        self._observer({"log_format": text, "log_time": at, **fields})

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events]


def test_some_lines_are_written_as_they_are() -> None:
    log = Log()
    for number in range(100):
        log.say(BACK, 0.0, url=f"http://10.0.0.{number}/")
    assert log.lines() == [f"http://10.0.0.{number}/ is back" for number in range(100)]


def test_a_flood_comes_to_little_more_than_a_megabyte_a_day() -> None:
    log = Log()
    for second in range(86_400):
        for _ in range(3):
            log.say(BACK, float(second), url="http://10.0.0.1/" + "x" * 200)
    size = sum(len(line) + 60 for line in log.lines())
    assert size < 2_000_000


def test_what_was_left_out_is_told_with_the_next() -> None:
    log = Log()
    log.say(GONE, 0.0, who="x" * int(BURST - 200))
    for _ in range(7):
        log.say(GONE, 0.0, who="y" * 300)
    log.say(GONE, 400 / RATE, who="z" * 300)
    assert log.lines()[1:] == ["7 more lines like the next were not written", "z" * 300 + " is gone"]


def test_one_kind_does_not_silence_another() -> None:
    log = Log()
    for _ in range(1_000):
        log.say(BACK, 0.0, url="x" * 100)
    log.say("{url} answered 410 Gone", 0.0, url="x")
    assert log.lines()[-1] == "x answered 410 Gone"


def test_a_clock_that_is_set_back_neither_fills_nor_empties_anything() -> None:
    log = Log()
    log.say(GONE, 1_000_000.0, who="x" * int(BURST - 300))
    log.say(GONE, 0.0, who="y" * 500)
    log.say(GONE, 1.0, who="z" * 500)
    assert len(log.events) == 1
    log.say(GONE, 500 / RATE, who="z" * 500)
    assert len(log.events) == 3


def test_one_listener_does_not_silence_the_lines_about_others() -> None:
    log = Log()
    for second in range(3_600):
        log.say(BACK, float(second), url="http://10.0.0.1/")
    flapping = sum(line.endswith("is back") for line in log.lines())
    assert OWN_BURST / 200 < flapping < OWN_BURST / 100 + 3_600 * OWN_RATE / 100
    log.say(BACK, 3_600.0, url="http://10.0.0.2/")
    assert log.lines()[-1] == "http://10.0.0.2/ is back"


def test_a_listener_that_was_quiet_may_be_told_of_again() -> None:
    log = Log()
    for _ in range(1_000):
        log.say(BACK, 0.0, url="a")
    before = len(log.events)
    log.say(BACK, 200 / OWN_RATE, url="a")
    assert log.lines()[before:] == [f"{1_000 - before} more lines like the next were not written", "a is back"]


def test_many_listeners_together_keep_within_the_share_of_the_kind_and_of_memory() -> None:
    log = Log()
    for number in range(20_000):
        log.say(BACK, 0.0, url=f"http://10.0.0.1/{number}")
    assert sum(len(line) + 60 for line in log.lines()) < BURST
    assert len(log._observer._own) <= MOST_KNOWN


def test_a_failure_is_as_long_as_its_traceback() -> None:
    log, told = Log(), "x" * 2_000
    for _ in range(100):
        log.say("A handler failed", 0.0, log_failure=Failure(ValueError(told)))
    assert len(log.events) <= BURST / len(told)


def test_there_are_no_more_kinds_than_the_bound_on_all_of_them_counts_with() -> None:
    modules = [path.read_text() for path in sorted(Path(ttgateway.__file__).parent.rglob("*.py"))]
    calls = [
        call
        for text in modules
        if "sparing_logger(" in text
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and re.match(r"self\._log\.", ast.unparse(call.func))
    ]
    assert 10 < len({ast.unparse(call.args[0]) for call in calls}) <= MOST_KINDS


@pytest.mark.parametrize(
    "speaker",
    [
        Notifier,
        ListenerQueue,
        Accounts,
        Sweep,
        BridgeConnection,
        Connections,
        GroupCommit,
        Store,
        Journal,
        Events,
        Routes,
    ],
)
def test_those_whom_others_can_have_write_lines_write_them_sparingly(speaker: Any) -> None:
    assert isinstance(speaker._log.observer, SparingObserver)


def test_the_logger_writes_where_all_others_do() -> None:
    seen: list[LogEvent] = []
    observer = _into(seen)
    globalLogPublisher.addObserver(observer)
    logger: Logger = sparing_logger("ttgateway.somebody")
    logger.info("something of this test alone: {x}", x=7)
    globalLogPublisher.removeObserver(observer)
    assert [formatEvent(event) for event in seen] == ["something of this test alone: 7"]
    assert seen[0]["log_namespace"] == "ttgateway.somebody"


def test_a_day_of_all_kinds_comes_to_ten_megabytes_at_the_most() -> None:
    assert MOST_KINDS * (BURST + RATE * 86_400) <= 10e6
