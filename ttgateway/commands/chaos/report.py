"""What a listener answered, counted; and what of it can be judged from outside."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec

from ttgateway.commands.chaos.script import Act, Fault
from ttgateway.commands.terminal.tables import table
from ttgateway.notifier.attempts.outcome import Outcome, Verdict
from ttgateway.orders.order import Order

MOST_FINDINGS = 20
"""Findings that are kept in words; all are counted."""

_HEADS = ("FAULT", "SENT", "BROKEN-OFF", "2XX", "AGAIN", "NOT-TAKEN", "MEDIAN", "SLOWEST")
_NUMBERS = "SENT BROKEN-OFF 2XX AGAIN NOT-TAKEN MEDIAN SLOWEST"


class Row(msgspec.Struct):
    """The figures of one fault (``""``: of plain deliveries): how many requests, and what came of them.

    ``broken_off`` were closed on purpose; ``again`` had no usable answer, and were sent again; ``not_taken`` are
    deliveries that were given up. ``seconds`` is how long each answer took.
    """

    fault: str
    sent: int = 0
    broken_off: int = 0
    taken: int = 0
    again: int = 0
    not_taken: int = 0
    seconds: list[float] = msgspec.field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return the row as JSON has it, with times in milliseconds."""
        times = self.seconds or [0.0]
        counts = {name: getattr(self, name) for name in ("fault", "sent", "broken_off", "taken", "again", "not_taken")}
        return {**counts, "median_ms": round(1000 * median(times), 1), "slowest_ms": round(1000 * max(times), 1)}


class Report:
    """All that is known of one run."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.findings: list[str] = []
        self._rows = {name: Row(name) for name in ("", *faults)}

    @property
    def sent(self) -> int:
        """Return how many requests were sent."""
        return sum(row.sent for row in self._rows.values())

    @property
    def withstood(self) -> bool:
        """Tell whether each delivery was taken in the end."""
        return not any(row.not_taken for row in self._rows.values())

    def answered(self, act: Act, outcome: Outcome | None, seconds: float) -> None:
        """Note what came of one request; ``outcome`` is ``None`` where its answer was not waited for."""
        row = self._rows[act.fault or ""]
        row.sent += 1
        if outcome is None:
            row.broken_off += 1
            return
        if outcome.status:
            row.seconds.append(seconds)
        row.taken += outcome.verdict is Verdict.DELIVERED
        row.again += outcome.verdict is Verdict.DOWN

    def given_up(self, act: Act, why: str) -> None:
        """Note that a delivery was not taken, and will not be sent again."""
        self._rows[act.fault or ""].not_taken += 1
        if len(self.findings) < MOST_FINDINGS:
            flags = f", {act.delivery.flags}" if act.delivery.flags else ""
            sort = f"{act.fault}{flags}" if act.fault else "a plain delivery"
            self.findings.append(f"seq {act.delivery.seq}{act.delivery.mark} ({sort}) was not taken: {why}")

    def text(self) -> str:
        """Return the table, for people."""
        cells = []
        for row in self.shown():
            counts = [str(row[name]) for name in ("sent", "broken_off", "taken", "again", "not_taken")]
            times = [f"{row[name]:g} ms" for name in ("median_ms", "slowest_ms")]
            cells.append([row["fault"] or "(none)", *counts, *times])
        return "\n".join([table(_HEADS, cells, _NUMBERS), *self.findings])

    def shown(self) -> list[dict[str, Any]]:
        """Return the rows, as JSON has them."""
        return [row.shown() for row in self._rows.values() if row.sent]


def order_shown(order: Order) -> dict[str, Any]:
    """Return what a listener should show of ``order`` now, by the names of the deliveries."""
    return {
        "uuid": order.uuid,
        "name": order.name,
        "orderType": order.type,
        "locationName": order.location,
        "state": order.state,
        "paged": order.paged,
        "seq": order.seq,
    }
