import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from ttgateway.bridge.lines import (
    MOST_LINE,
    Event,
    Incoming,
    LineInvalid,
    TrackerReport,
    error_line,
    page_line,
    pairing_line,
    read,
    unpage_line,
)
from ttgateway.radio import RepeaterReport, RepeaterStatus

SEEN = b'{"tracker": "66", "event": "seen"}'


def taken(incoming: Incoming) -> list[bytes | str]:
    """Return all lines that can be taken; for one that is too long, why."""
    found: list[bytes | str] = []
    while True:
        try:
            line = incoming.take()
        except LineInvalid as fault:
            found.append(str(fault))
            continue
        if line is None:
            return found
        found.append(line)


def why_not(line: bytes) -> str:
    with pytest.raises(LineInvalid) as fault:
        read(line)
    return str(fault.value)


class TestIncoming:
    def test_lines_are_cut_wherever_they_come_apart(self) -> None:
        incoming = Incoming()
        for data in (b"a", b"b\nc", b"d\n\n", b"e\nf"):
            incoming.put(data)
        assert taken(incoming) == [b"ab", b"cd", b"", b"e"]
        assert incoming.number == 4
        incoming.put(b"\n")
        assert taken(incoming) == [b"f"]

    def test_a_line_may_be_as_long_as_is_allowed(self) -> None:
        incoming = Incoming()
        incoming.put(b"x" * MOST_LINE)
        assert taken(incoming) == []
        incoming.put(b"\nafter\n")
        assert taken(incoming) == [b"x" * MOST_LINE, b"after"]

    @pytest.mark.parametrize("pieces", [1, 7])
    def test_a_line_that_is_too_long_is_told_once_and_passed_over(self, pieces: int) -> None:
        incoming = Incoming()
        found = []
        for _ in range(pieces):
            incoming.put(b"x" * (MOST_LINE + 1))
            found += taken(incoming)
        incoming.put(b"x\nafter\n")
        found += taken(incoming)
        assert found == ["Longer than 4096 bytes.", b"after"]
        assert incoming.number == 2

    def test_a_line_that_comes_whole_and_too_long_is_passed_over_too(self) -> None:
        incoming = Incoming()
        incoming.put(b"a\n" + b"x" * (MOST_LINE + 1) + b"\nb\n")
        assert taken(incoming) == [b"a", "Longer than 4096 bytes.", b"b"]
        assert incoming.number == 3

    def test_what_is_cleared_is_not_taken(self) -> None:
        incoming = Incoming()
        incoming.put(b"a\nb\n")
        incoming.clear()
        assert taken(incoming) == []

    @given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)), st.integers(1, 50))
    def test_any_lines_come_out_as_they_went_in(self, sent: list[bytes], size: int) -> None:
        stream = b"".join(line + b"\n" for line in sent)
        incoming, found = Incoming(), []
        for start in range(0, len(stream), size):
            incoming.put(stream[start : start + size])
            found += taken(incoming)
        assert found == sent


@pytest.mark.parametrize(
    ("fields", "report"),
    [
        ({"event": "started"}, TrackerReport("66", Event.STARTED, "", None)),
        ({"event": "started", "location": "22"}, TrackerReport("66", Event.STARTED, "22", None)),
        ({"event": "located", "location": "22"}, TrackerReport("66", Event.LOCATED, "22", None)),
        ({"event": "started", "location": None}, TrackerReport("66", Event.STARTED, "", None)),
        ({"event": "cleared", "location": ""}, TrackerReport("66", Event.CLEARED, "", None)),
        ({"event": "seen", "pageable": False}, TrackerReport("66", Event.SEEN, "", False)),
        ({"event": "seen", "pageable": True}, TrackerReport("66", Event.SEEN, "", True)),
    ],
)
def test_a_report_of_a_tracker_is_read(fields: dict[str, object], report: TrackerReport) -> None:
    assert read(json.dumps({"tracker": "66", **fields}).encode()) == report


def test_a_report_of_a_repeater_is_read() -> None:
    report = read(b'{"repeater": {"extendedAddress": "A", "label": "Caf\xc3\xa9", "status": "INACTIVE"}}\r')
    assert isinstance(report, RepeaterReport)
    assert (report.extended_address, report.label, report.status) == ("A", "Café", RepeaterStatus.INACTIVE)
    assert (report.remaining_children, report.last_seen) == (UNSET, UNSET)


@pytest.mark.parametrize("line", [b"", b" \t\r", b'{"error": "no such tracker"}', b'{"error": 5, "line": 1}'])
def test_what_asks_for_nothing_is_passed_over(line: bytes) -> None:
    assert read(line) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"tracker 66", "Not JSON"),
        (b'{"tracker": "66"', "Not JSON"),
        (b"\xff\xfe", "Not JSON"),
        (b'{"tracker": "\xff"}', "Not JSON"),
        (b"[" * MOST_LINE, "Not JSON"),
        (b'{"a": 1e999}', "Not JSON"),
        (b"[]", "Must be a JSON object."),
        (b"{}", "Must have either tracker or repeater."),
        (b'{"page": "66"}', "Must have either tracker or repeater."),
        (b'{"tracker": "66"}', "missing required field `event`"),
        (b'{"tracker": 66, "event": "seen"}', "Expected `str`, got `int` - at `$.tracker`"),
        (b'{"tracker": "x", "event": "seen"}', "Invalid order name. Must be a string of 1 to 10 digits."),
        (b'{"tracker": "66\\n", "event": "seen"}', "Invalid order name."),
        (b'{"tracker": "66", "event": "lost"}', "Invalid enum value 'lost' - at `$.event`"),
        (b'{"tracker": "66", "event": "located"}', "A tracker that is located needs a location."),
        (b'{"tracker": "66", "event": "located", "location": ""}', "A tracker that is located needs a location."),
        (b'{"tracker": "66", "event": "located", "location": "bar"}', "Invalid location name."),
        (b'{"tracker": "66", "event": "seen", "pageable": "no"}', "Expected `bool`, got `str` - at `$.pageable`"),
        (b'{"tracker": "66", "event": "seen", "colour": 1}', "unknown field `colour`"),
        (b'{"tracker": "66", "event": "seen", "repeater": {}}', "unknown field `tracker`"),
        (b'{"repeater": "A"}', "Expected `object`, got `str` - at `$.repeater`"),
        (b'{"repeater": {}}', "missing required field `extendedAddress`"),
        (b'{"repeater": {"extendedAddress": ""}}', "length >= 1"),
        (b'{"repeater": {"extendedAddress": "A", "colour": 1}}', "unknown field `colour` - at `$.repeater`"),
        (b'{"repeater": {"extendedAddress": "A", "label": null}}', "Expected `str`, got `null`"),
        (b'{"repeater": {"extendedAddress": "A", "label": "a\\u0000"}}', "matching regex"),
        (b'{"repeater": {"extendedAddress": "A\\n"}}', "matching regex"),
        (b'{"repeater": {"extendedAddress": "A", "remainingChildren": -1}}', ">= 0"),
        (b'{"repeater": {"extendedAddress": "A", "remainingChildren": true}}', "Expected `int`, got `bool`"),
        (b'{"repeater": {"extendedAddress": "A", "status": "BUSY"}}', "Invalid enum value 'BUSY'"),
        (b'{"repeater": {"extendedAddress": "A", "lastSeen": -1}}', ">= 0"),
        (b'{"repeater": {"extendedAddress": "A", "lastSeen": "2016-09-22T19:08:52"}}', "Expected `float`, got `str`"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_why(line: bytes, words: str) -> None:
    assert words in why_not(line)


def test_why_is_short_however_long_the_line() -> None:
    line = b'{"tracker": "66", "event": "seen", "' + b"x" * 4000 + b'": 1}'
    assert len(why_not(line)) < 250


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise_anything_else(line: bytes) -> None:
    try:
        read(line)
    except LineInvalid as fault:
        assert str(fault)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["tracker", "event", "location", "pageable", "repeater", "extendedAddress", "lastSeen"])


@given(st.dictionaries(_NAMES, _JSON | st.dictionaries(_NAMES, _JSON)))
def test_no_object_raises_anything_else(fields: dict[str, object]) -> None:
    try:
        read(json.dumps(fields).encode())
    except LineInvalid as fault:
        assert str(fault)


def test_what_is_written_is_one_object_a_line() -> None:
    told = [page_line("66", True), unpage_line("66"), pairing_line(60), error_line("Ça ne va\npas.", 7)]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in told)
    assert [json.loads(line) for line in told] == [
        {"page": "66", "tracking": True},
        {"unpage": "66"},
        {"pairing": 60},
        {"error": "Ça ne va\npas.", "line": 7},
    ]
