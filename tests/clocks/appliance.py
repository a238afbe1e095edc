"""A whole gateway on fakes, in a file, on a machine whose clocks can be set and that can be started again."""

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from tests.api.client import Connection, request
from tests.notifier.network import FakeDial, Peer, fake_network, pass_time
from tests.support import AtOnce, FakeClock, entropy, result_of
from ttgateway.api.app import api_resource
from ttgateway.api.server.site import ApiSite
from ttgateway.feeds.audience import Audience
from ttgateway.figures import DeliveryFigures
from ttgateway.gateway import Gateway
from ttgateway.metrics import Metrics
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.notifier.notifier import Notifier
from ttgateway.settings import Settings
from ttgateway.store.store import open_store

NOW = 1_795_000_000.0
"""2026-11-18, in Unix time."""


class Appliance:
    """One gateway in a folder, with its API and one listener, on a machine that may be started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.timers = Clock()
        self.clock = FakeClock(self.timers)
        self.clock.wall_ahead = NOW
        self.boots = 1
        self.secret = ""
        self.dial = FakeDial()
        self.entropy = entropy()
        self.start()
        # Making the API takes longer than all else: it is made once, and looks for the gateway of the present start.
        present: Any = Present(self)
        metrics = Metrics(present, self.store, DeliveryFigures())
        resource = api_resource(present, self.timers, metrics, Audience(self.gateway, self.timers))
        self.site = ApiSite(resource, self.timers, {"gateway"}.__contains__, frozenset())

    def start(self) -> None:
        """Start the process."""
        defaults = Settings()
        self.store = open_store(
            self.folder,
            clock=self.clock,
            timers=self.timers,
            executor=lambda name: AtOnce(),
            limits=defaults.journal,
            zone=defaults.zone,
        )
        network = fake_network(self.timers, dial=self.dial)
        self.gateway = Gateway(self.store, self.clock, defaults, Reach(network), self.entropy)
        self.notifier = Notifier(self.gateway, self.store, network, self.clock, self.timers, lambda: 0.5)
        self.notifier.start()

    def stop(self) -> None:
        """End the process in order."""
        stopping = self.notifier.stop()
        pass_time(self.timers, 6)
        result_of(stopping)
        result_of(self.store.stop())

    def boot(self, uptime: float, wall: float) -> None:
        """Start the machine again, with this uptime and this wall clock."""
        self.boots += 1
        seconds = self.timers.seconds()
        self.clock = FakeClock(self.timers, f"boot-{self.boots}")
        self.clock.up_ahead, self.clock.wall_ahead = uptime - seconds, wall - seconds

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Make one request that must succeed."""
        connection = Connection(self.site, "10.0.0.7")
        connection.send(request(method, path, body, secret=self.secret))
        connection.end()
        answer = connection.answer()
        assert answer.status in (200, 201), answer
        return answer.json

    def waiting(self) -> Peer | None:
        """Return the connection on which the listener has an unanswered delivery."""
        for peer in reversed(self.dial.peers):
            if peer.open and peer.transport.value():  # type: ignore[no-untyped-call]
                return peer
        return None


class Present:
    """The gateway of an appliance's present start, whichever that is."""

    def __init__(self, home: Appliance) -> None:
        self._home = home

    def __getattr__(self, name: str) -> Any:
        return getattr(self._home.gateway, name)
