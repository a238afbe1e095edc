import json

import pytest
from twisted.internet.task import Clock
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from tests.support import FakeClock, memory_gateway, memory_store, result_of
from ttgateway.feeds import frames as made
from ttgateway.feeds.frames import KEPT, MOST_AT_ONCE, Frames, change_text, close_frame, ping_frame, text_frame
from ttgateway.orders.order import OrderType


class Till:
    """A gateway with as many changes as it is given, and the frames of its journal."""

    def __init__(self, changes: int) -> None:
        timers = Clock()
        clock = FakeClock(timers)
        self.store = memory_store(timers, clock=clock)
        self._gateway = memory_gateway(self.store, clock)
        self._posted = 0
        self.post(changes)
        self.frames = Frames(self.store.journal)

    def post(self, changes: int) -> None:
        for _ in range(changes):
            self._posted += 1
            result_of(self._gateway.post(str(self._posted), OrderType.TO_GO, ""))

    def seqs_after(self, cursor: int) -> list[int]:
        run = self.frames.after(cursor)
        assert run is not None
        seqs = [json.loads(event.data)["seq"] for event in read(run[0]) if isinstance(event, TextMessage)]
        assert seqs[-1] == run[1]
        return seqs


def read(data: bytes) -> list[Event]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


def test_frames_are_those_of_a_server() -> None:
    assert read(text_frame("é" * 40_000)) == [TextMessage("é" * 40_000)]
    assert read(ping_frame()) == [Ping()]
    assert read(close_frame(4401)) == [CloseConnection(4401, "")]


def test_a_change_is_told_as_a_listener_is_less_the_name_of_version_1() -> None:
    entry = Till(1).store.journal.recent(0)
    assert entry is not None
    expected = json.loads(entry.body)
    del expected["stateStarted"]
    assert json.loads(change_text(entry)) == expected
    assert len(expected) == 11


def test_all_changes_after_a_cursor_come_in_order_in_runs_of_some_length() -> None:
    till = Till(200)
    first = till.seqs_after(0)
    assert first == list(range(1, len(first) + 1))
    run = till.frames.after(0)
    assert run is not None
    assert MOST_AT_ONCE <= len(run[0]) < MOST_AT_ONCE + 1_000
    assert till.seqs_after(len(first))[0] == len(first) + 1
    assert till.seqs_after(199) == [200]


def test_a_change_is_written_out_once_for_all_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till(3)
    texts: list[str] = []

    def counted(text: str) -> bytes:
        texts.append(text)
        return text_frame(text)

    monkeypatch.setattr(made, "text_frame", counted)
    for cursor in (0, 0, 1, 2, 0):
        assert till.seqs_after(cursor)
    assert len(texts) == 3


def test_new_changes_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till(1)
    assert till.seqs_after(0) == [1]
    till.post(1)
    assert till.seqs_after(0) == [1, 2]
    assert till.seqs_after(1) == [2]


def test_what_has_left_the_memory_of_the_journal_cannot_be_had() -> None:
    till = Till(2)
    till.store.journal._recent.popleft()
    assert till.frames.after(0) is None
    assert till.seqs_after(1) == [2]


def test_no_more_frames_are_kept_than_its_bound() -> None:
    till = Till(KEPT + 50)
    cursor = 0
    while cursor < KEPT + 50:
        run = till.frames.after(cursor)
        assert run is not None
        cursor = run[1]
    assert len(till.frames._made) == KEPT
