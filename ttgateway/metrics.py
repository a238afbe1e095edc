"""What the gateway counts, as the text that Prometheus reads. ``docs/operations.rst`` lists it all.

A scrape adds up what is in memory, and asks the store nothing. No label holds a URL: it may be a secret.
"""

from collections.abc import Callable, Iterator, Sequence
from math import inf

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ttgateway import __version__
from ttgateway.figures import DeliveryFigures, Histogram
from ttgateway.gateway import Gateway
from ttgateway.registry import Registry
from ttgateway.store.store import Store
from ttgateway.store.tables.listeners import Listener, Progress

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the text: the format that every version of Prometheus reads."""

MOST_SHOWN = 100
"""Up to this many listeners have series of their own; of more there are only totals."""

STATES = ("healthy", "retrying", "down")


class Metrics(Collector):
    """The metrics of one gateway, and of its process.

    ``feeds`` returns the number of open WebSocket feeds; ``None`` where there are no such feeds.
    """

    def __init__(
        self, gateway: Gateway, store: Store, deliveries: DeliveryFigures, feeds: Callable[[], int] | None = None
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._deliveries = deliveries
        self._feeds = feeds
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return the present figures, in the format of `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield each family of metrics; `text` has them called."""
        yield from self._of_the_gateway()
        yield from self._of_listeners()
        yield from self._of_deliveries()
        yield from self._of_the_store()
        yield from self._of_the_machine()

    def _of_the_gateway(self) -> Iterator[Metric]:
        gateway, parts = self._gateway, self._gateway.health.parts()
        yield _labelled("build_info", "Which version runs.", ("version",), [((__version__,), 1)])
        yield _gauge("uptime_seconds", "Since when the gateway runs.", gateway.uptime())
        yield _gauge("last_seq", "The seq of the newest change.", gateway.journal.last)
        yield _gauge("active_orders", "Active orders.", gateway.journal.active)
        if self._feeds is not None:
            yield _gauge("websocket_feeds", "Open WebSocket feeds.", self._feeds())
        if gateway.radio.connected is not None:
            yield _gauge("radio_connected", "Whether the radio bridge is connected.", gateway.radio.connected)
        words = [((part,), float(word == "ok")) for part, word in msgspec.structs.asdict(parts).items()]
        yield _labelled("part_ok", "Whether a part of the gateway is well.", ("part",), words)
        yield _gauge("store_damaged", "Whether the store has lost something.", bool(gateway.damage))

    def _of_listeners(self) -> Iterator[Metric]:
        registry = self._gateway.registry
        everyone, last = registry.all(), self._gateway.journal.last
        counted = _Counted(registry, everyone, last)
        states = [((state,), counted.states[state]) for state in STATES]
        yield _labelled("listeners", "Registered listeners.", ("state",), states)
        yield _gauge("pending", "Changes that wait for a listener, summed over all.", counted.pending)
        yield _gauge("oldest_pending_seconds", "Age of the oldest change that waits.", counted.oldest_pending())
        about = "What became of the changes since each present listener registered: accepted is the sum of the others."
        fates = [((fate,), amount) for fate, amount in counted.fates().items()]
        yield _labelled("listener_changes", about, ("fate",), fates)
        if len(everyone) <= MOST_SHOWN:
            yield from self._of_each(everyone, last)

    def _of_each(self, everyone: Sequence[tuple[Listener, Progress]], last: int) -> Iterator[Metric]:
        waiting = [((who.id,), last - progress.cursor) for who, progress in everyone]
        yield _labelled("listener_pending", "Changes that wait for one listener.", ("listener",), waiting)
        registry = self._gateway.registry
        failing = [((who.id,), _state(registry, who, progress) != "healthy") for who, progress in everyone]
        yield _labelled("listener_failing", "Whether one listener fails.", ("listener",), failing)

    def _of_deliveries(self) -> Iterator[Metric]:
        figures = self._deliveries
        attempts = CounterMetricFamily("ttgateway_attempts", "Attempts at deliveries.", labels=("kind", "cause"))
        for (kind, cause), count in sorted(figures.outcomes.items()):
            attempts.add_metric((kind, cause), count)
        yield attempts
        yield _histogram("change_to_delivery_seconds", "From a change's commit to a listener's 2xx.", figures.waits)

    def _of_the_store(self) -> Iterator[Metric]:
        commits, free = self._store.commits, self._store.disk.free()
        yield CounterMetricFamily("ttgateway_commits", "Commits.", commits.commits)
        yield CounterMetricFamily("ttgateway_commit_failures", "Commits that failed.", commits.failures)
        yield _histogram("commit_writes", "Writes in a commit.", commits.figures.sizes)
        yield _histogram("commit_seconds", "From the start of a commit until it is durable.", commits.figures.seconds)
        if free is not None:
            yield _gauge("disk_free_bytes", "Room on the disk of the state directory.", free)

    def _of_the_machine(self) -> Iterator[Metric]:
        health = self._gateway.health
        about = "How far the wall clock has run ahead of the monotonic one since the start: a step shows."
        yield _gauge("clock_drift_seconds", about, health.clock_drift())
        yield _gauge("clock_plausible", "Whether the wall clock shows 2024 or later.", health.clock_is_plausible())


class _Counted:
    """All listeners, counted in one pass."""

    def __init__(self, registry: Registry, everyone: Sequence[tuple[Listener, Progress]], last: int) -> None:
        self._registry = registry
        self._last = last
        self._furthest_behind: Listener | None = None
        self.states = dict.fromkeys(STATES, 0)
        self.pending = self.delivered = self.coalesced = self.filtered = self.parked = self.accepted = 0
        furthest = last
        for listener, progress in everyone:
            self.states[_state(registry, listener, progress)] += 1
            self.accepted += last - progress.base
            self.pending += last - progress.cursor
            self.delivered += progress.delivered
            self.coalesced += progress.coalesced
            self.filtered += progress.filtered
            self.parked += progress.parked
            if progress.cursor < furthest:
                furthest, self._furthest_behind = progress.cursor, listener

    def oldest_pending(self) -> float:
        """Return the age in seconds of the oldest change that waits: it waits for whoever is furthest behind."""
        behind = self._furthest_behind
        return 0.0 if behind is None else self._registry.status(behind).oldest_pending

    def fates(self) -> dict[str, int]:
        """Return the accounts of all listeners together."""
        return {
            "accepted": self.accepted,
            "delivered": self.delivered,
            "coalesced": self.coalesced,
            "filtered": self.filtered,
            "parked": self.parked,
            "pending": self.pending,
        }


def _state(registry: Registry, listener: Listener, progress: Progress) -> str:
    """Return the state of a listener. Its queue is asked only where something was ever wrong: there may be 10,000."""
    if progress.last_failure is None and registry.delivers:
        return "healthy"
    return registry.status(listener).state


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"ttgateway_{name}", about, value)


def _labelled(
    name: str, about: str, labels: Sequence[str], values: Sequence[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"ttgateway_{name}", about, labels=labels)
    for shown, value in values:
        family.add_metric(shown, value)
    return family


def _histogram(name: str, about: str, histogram: Histogram) -> Metric:
    """Return ``histogram`` as Prometheus has them: each bucket counts those below it, too."""
    buckets, sofar = [], 0
    for bound, count in zip((*histogram.bounds, inf), histogram.counts, strict=True):
        sofar += count
        buckets.append(("+Inf" if bound == inf else str(float(bound)), float(sofar)))
    return HistogramMetricFamily(f"ttgateway_{name}", about, buckets, histogram.total)
