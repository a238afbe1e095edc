"""The lines between a bridge and us: how they are cut, read and written. Pure (protocol section 9)."""

from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from ttgateway.orders.errors import OrderError
from ttgateway.orders.order import location_name, order_name
from ttgateway.radio import RepeaterReport

MOST_LINE = 4 * 1024
"""The most bytes of a line, its end not counted."""

_MOST_WORDS = 200  # of an answer: it may quote what came


class LineInvalid(Exception):
    """A line that cannot be read; the text says why, and is for the bridge."""


class Event(StrEnum):
    """What happened to a tracker."""

    STARTED = "started"
    LOCATED = "located"
    CLEARED = "cleared"
    SEEN = "seen"


class TrackerReport(msgspec.Struct, frozen=True):
    """What a bridge tells of a tracker; ``location`` is ``""`` for none, ``pageable`` ``None`` where it is not said."""

    tracker: str
    event: Event
    location: str
    pageable: bool | None


class _TrackerLine(msgspec.Struct, forbid_unknown_fields=True):
    tracker: str
    event: Event
    location: str | None = None
    pageable: bool | UnsetType = UNSET


class _RepeaterLine(msgspec.Struct, forbid_unknown_fields=True):
    repeater: RepeaterReport


_tracker_line = msgspec.json.Decoder(_TrackerLine).decode


class Incoming:
    """What has come and was not taken yet. ``number`` is that of the line taken last, from 1."""

    def __init__(self) -> None:
        self.number = 0
        self._rest = bytearray()
        self._skipping = False

    def put(self, data: bytes) -> None:
        """Add what has come. Take lines until there are none before you add more: so what is kept is bounded."""
        self._rest += data

    def take(self) -> bytes | None:
        """Return the next line without its end, ``None`` where none is complete; raise `LineInvalid` for one too long.

        A line without end is told once, as soon as it is too long; what follows of it is passed over.
        """
        while (end := self._rest.find(b"\n")) >= 0:
            line = bytes(self._rest[:end])
            del self._rest[: end + 1]
            if self._skipping:
                self._skipping = False
                continue
            self.number += 1
            if end > MOST_LINE:
                raise _too_long()
            return line
        if self._skipping:
            self._rest.clear()
        elif len(self._rest) > MOST_LINE:
            self._rest.clear()
            self._skipping = True
            self.number += 1
            raise _too_long()
        return None

    def clear(self) -> None:
        """Forget what was not taken."""
        self._rest.clear()


def read(line: bytes) -> TrackerReport | RepeaterReport | None:
    """Return what a line reports; ``None`` for what asks for nothing: a blank line, and an error line of the bridge's.

    An error line is never answered: two ends that answered each other's would not come to an end. Raises `LineInvalid`.
    """
    if not line.strip():
        return None
    try:
        return _tracker(_tracker_line(line))  # nearly every line is one
    except (ValueError, RecursionError, OrderError, LineInvalid):
        pass  # what is wrong with it is told by what it was meant to be
    try:
        raw = msgspec.json.decode(line)
    except (ValueError, RecursionError) as error:  # a DecodeError and a UnicodeDecodeError are ValueErrors
        raise _invalid(f"Not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise _invalid("Must be a JSON object.")
    try:
        if "error" in raw:
            return None
        if "repeater" in raw:
            return msgspec.convert(raw, _RepeaterLine).repeater
        if "tracker" in raw:
            return _tracker(msgspec.convert(raw, _TrackerLine))
    except (msgspec.ValidationError, OrderError) as error:
        raise _invalid(str(error)) from None
    raise _invalid("Must have either tracker or repeater.")


def page_line(name: str, tracking: bool) -> bytes:
    """Return the line that pages a tracker."""
    return _line({"page": name, "tracking": tracking})


def unpage_line(name: str) -> bytes:
    """Return the line that ends the paging of a tracker."""
    return _line({"unpage": name})


def pairing_line(seconds: int) -> bytes:
    """Return the line that lets repeaters join for so many seconds; 0: no more."""
    return _line({"pairing": seconds})


def error_line(words: str, number: int) -> bytes:
    """Return the line that says what was wrong with line ``number``."""
    return _line({"error": words, "line": number})


def _tracker(line: _TrackerLine) -> TrackerReport:
    location = location_name(line.location)
    if line.event is Event.LOCATED and not location:
        raise LineInvalid("A tracker that is located needs a location.")
    pageable = None if line.pageable is UNSET else line.pageable
    return TrackerReport(order_name(line.tracker), line.event, location, pageable)


def _line(fields: dict[str, object]) -> bytes:
    return msgspec.json.encode(fields) + b"\n"


def _invalid(words: str) -> LineInvalid:
    return LineInvalid(words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}...")


def _too_long() -> LineInvalid:
    return LineInvalid(f"Longer than {MOST_LINE} bytes.")
