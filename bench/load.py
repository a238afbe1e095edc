"""How a contender is loaded: with as many changes as it can take (closed loop), or at a given rate (open loop)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import processes
from bench.contenders import Contender
from bench.kept import Kept, judged
from bench.processes import Cpu
from bench.sink import Arrival, Sink

STALLED = 3.0
"""After so many seconds without a delivery, what is missing is not waited for."""

QUIET = 0.05
"""So long the sink must be quiet for a phase to be over: what comes twice may come late."""

_NAP = 0.0005
_SHORT_NAP = 0.00005


@dataclass(frozen=True)
class Phase:
    """Some changes, from the first of them being due until the last was told.

    ``first`` is the seq of the first, which was due at ``began`` (nanoseconds, monotonic). ``cpu`` is the contender's
    processor time, ``figures`` what it has counted itself meanwhile.
    """

    first: int
    changes: int
    listeners: int
    began: int
    arrivals: Sequence[Arrival]
    cpu: Cpu
    figures: dict[str, float]

    @property
    def seconds(self) -> float:
        """How long it took until the last delivery."""
        return max((self.arrivals[-1].at - self.began) / 1e9, 1e-9) if self.arrivals else 0.0

    @property
    def rate(self) -> float:
        """Deliveries a second."""
        return len(self.arrivals) / self.seconds if self.arrivals else 0.0

    def kept(self) -> Kept:
        """Return whether each listener got each change, once and in order."""
        return judged(self.arrivals, self.first, self.changes, self.listeners)

    def latencies(self, rate: float) -> list[float]:
        """Return the seconds from when each change was due, at ``rate`` a second, to its arrivals; the least first."""
        gap = 1e9 / rate
        return sorted((one.at - self.began - (one.seq - self.first) * gap) / 1e9 for one in self.arrivals)


class Load:
    """Feeds one contender, phase by phase."""

    def __init__(self, contender: Contender, sink: Sink, listeners: int) -> None:
        self._contender, self._sink, self._listeners = contender, sink, listeners
        self._fed = self._begun = 0  # lines in all; those before the present phase

    def phase(self, drive: Callable[[], object], patience: float = STALLED) -> Phase:
        """Let ``drive`` feed, and return all that came of it.

        What has not come when nothing has for ``patience`` seconds is missing.
        """
        self._sink.reset()
        self._begun = self._fed
        figures, used = self._contender.figures(), self._used()
        began = time.monotonic_ns()
        drive()
        self._settle(patience)
        cpu = self._used().since(used)
        counted = {name: value - figures.get(name, 0.0) for name, value in self._contender.figures().items()}
        first, changes = self._contender.seq(self._begun), self._fed - self._begun
        return Phase(first, changes, self._listeners, began, self._sink.arrivals(), cpu, counted)

    def feed(self, count: int) -> None:
        """Feed so many changes at once."""
        self._contender.feed.sendall(self._contender.lines(self._fed, count))
        self._fed += count

    def keep_under_way(self, most: int, seconds: float) -> None:
        """Keep ``most`` changes under way for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            room = most - (self._fed - self._begun - self._sink.count() // self._listeners)
            if room > 0:
                self.feed(room)
            time.sleep(_NAP)

    def at_rate(self, rate: float, seconds: float) -> None:
        """Feed ``rate`` changes a second for so long: each when it is due, however long others take."""
        began, sofar, all_of_them = time.monotonic_ns(), 0, max(1, int(rate * seconds))
        while sofar < all_of_them:
            due = min(all_of_them, 1 + int((time.monotonic_ns() - began) * rate / 1e9))
            if due > sofar:
                self.feed(due - sofar)
                sofar = due
            else:
                time.sleep(max(_SHORT_NAP, sofar / rate - (time.monotonic_ns() - began) / 1e9))

    def _settle(self, patience: float) -> None:
        wanted, seen, since = (self._fed - self._begun) * self._listeners, -1, time.monotonic()
        while time.monotonic() - since < (patience if seen < wanted else QUIET):
            if (count := self._sink.count()) != seen:
                seen, since = count, time.monotonic()
            time.sleep(_NAP)

    def _used(self) -> Cpu:
        return processes.cpu(self._contender.pids())
