"""A finding: what is so with one part, how bad that is, and what to do."""

from collections.abc import Awaitable
from typing import Literal, TypeVar

import msgspec
from twisted.internet.defer import CancelledError, FirstError, ensureDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime

from ttgateway.commands.terminal.tables import printable, table

T = TypeVar("T")

Severity = Literal["ok", "warning", "fault"]


class Finding(msgspec.Struct, frozen=True):
    """What is so with a part; ``do`` is what to do, ``""`` where nothing is to be done."""

    part: str
    severity: Severity
    what: str
    do: str = ""


Findings = list[Finding]


def ok(part: str, what: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(part, "ok", what)


def warning(part: str, what: str, do: str) -> Finding:
    """Return a finding that somebody should know of, though the gateway does its work."""
    return Finding(part, "warning", what, do)


def fault(part: str, what: str, do: str) -> Finding:
    """Return a finding that keeps the gateway from its work, or lets others at what is not theirs."""
    return Finding(part, "fault", what, do)


async def within(
    timers: IReactorTime, part: str, seconds: float, work: Awaitable[tuple[Findings, T]], otherwise: T
) -> tuple[Findings, T]:
    """Return what ``work`` finds, and knows for other parts; a warning and ``otherwise`` where it takes too long."""
    try:
        return await ensureDeferred(work).addTimeout(seconds, timers)  # type: ignore[arg-type]
    except CancelledError:
        raise
    except DeferredTimeout:
        what, do = (
            f"not looked at: no end within {seconds:g} s",
            "Look whether the machine or its disk hangs; try again",
        )
    except Exception as error:
        cause = error.subFailure.value if isinstance(error, FirstError) else error
        what = f"not looked at: {cause or type(cause).__name__}"
        do = "Run this as the user that the gateway runs as, or as root"
    return [warning(part, what, do)], otherwise


def report(findings: Findings) -> str:
    """Return the findings for people: a line each, and below it what to do."""
    rows = [(_MARKS[one.severity], one.part, printable(one.what)) for one in findings]
    head, *lines = table(("", "PART", "FINDING"), rows).splitlines()
    indent = " " * head.index("FINDING")
    told = [head]
    for one, line in zip(findings, lines, strict=True):
        told.append(line)
        if one.do:
            told.append(f"{indent}-> {printable(one.do)}")
    return "\n".join([*told, "", _summary(findings)])


_MARKS = {"ok": "ok", "warning": "WARNING", "fault": "FAULT"}


def _summary(findings: Findings) -> str:
    counts = {kind: sum(one.severity == kind for one in findings) for kind in ("fault", "warning")}
    said = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    return f"{', '.join(said)}." if said else "All is well."
