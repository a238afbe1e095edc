"""Percentiles, medians and spread, and how they are written."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value below which ``percent`` % of the ``ordered`` ones lie: the nearest rank."""
    if not ordered:
        raise ValueError("no values")
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


@dataclass(frozen=True)
class Spread:
    """The median of what several rounds gave, and the least and the greatest of it."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return it for at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def shown(self, scale: float = 1.0) -> str:
        """Return the median, and in brackets the range where there is one, times ``scale``."""
        if self.least == self.greatest:
            return number(self.median * scale)
        return f"{number(self.median * scale)} ({number(self.least * scale)}-{number(self.greatest * scale)})"


def number(value: float) -> str:
    """Return ``value`` with three digits that count, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
