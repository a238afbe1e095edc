"""How the log is written to standard output: plain lines for people, or JSON lines for programs."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import IO, Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    formatEvent,
    formatEventAsClassicLogText,
)

from ttgateway.settings import Format, Level

_PRIORITIES = {"debug": 7, "info": 6, "warn": 4, "error": 3, "critical": 2}
"""The levels as syslog and systemd's journal number them."""


def log_observer(stream: IO[str], form: Format, level: Level, *, journal: bool) -> ILogObserver:
    """Return what writes events of at least ``level`` to ``stream``, in the form of ``form``.

    ``journal``: the stream is systemd's journal, which knows the time itself, and reads the priority at a line's start.
    """
    written: Callable[[LogEvent], str | None]
    if form == "json":
        written = json_line
    elif journal:
        written = _plain_for_the_journal
    else:
        written = formatEventAsClassicLogText

    def line(event: LogEvent) -> str | None:
        text = written(event)
        return _with_priority(text, _level(event)) if text and journal else text

    at_least = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(level))
    return FilteringLogObserver(FileLogObserver(stream, line), [at_least])


def json_line(event: LogEvent) -> str | None:
    """Return ``event`` as one line of JSON; ``None`` if it says nothing.

    ``time`` is in UTC; ``message`` is what a plain line says. Beside them stand the fields that the message names, if
    they are plain values, and ``traceback`` where there is one. What a message does not name is not written.
    """
    message = formatEvent(event)
    failure = event.get("log_failure")
    if not message and failure is None:
        return None
    shown: dict[str, object] = {
        "time": datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds"),
        "level": _level(event),
        "logger": str(event.get("log_namespace") or "-"),
        "message": message,
    }
    if failure is not None:
        shown["traceback"] = eventAsText(event, includeTimestamp=False, includeSystem=False)
    for name, value in _named(event).items():
        shown.setdefault(name, value)
    return json.dumps(shown) + "\n"


def _named(event: LogEvent) -> Mapping[str, Any]:
    """Return the fields that the event's format names."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(str(event.get("log_format") or "")) if name]
    except ValueError:  # no format: a text with braces
        return {}
    names = [name for name in names if not name.startswith("log_")]  # Twisted's own
    return {name: event[name] for name in names if isinstance(event.get(name), str | int | float | bool)}


def _plain_for_the_journal(event: LogEvent) -> str | None:
    text = eventAsText(event, includeTimestamp=False)
    return text.replace("\n", "\n\t") + "\n" if text else None


def _with_priority(text: str, level: str) -> str:
    prefix = f"<{_PRIORITIES[level]}>"
    return "".join(f"{prefix}{line}\n" for line in text.splitlines())


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return str(level.name) if level is not None else "info"
