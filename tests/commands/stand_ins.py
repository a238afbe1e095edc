"""A console whose daemon and whose gateway live in the test: no sockets, no reactor, no time that passes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from click.testing import CliRunner, Result
from klein.resource import KleinResource
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, ensureDeferred, execute, fail
from twisted.internet.error import ConnectError, ConnectionLost, ConnectionRefusedError  # noqa: A004
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.notifier.network import fake_network
from tests.support import FakeClock, Names, memory_gateway, memory_store, open_policy
from ttgateway.api.app import api_resource
from ttgateway.api.server.site import ApiSite
from ttgateway.commands.gateway.calling import Requests
from ttgateway.commands.terminal.console import Console, Work
from ttgateway.commands.terminal.ending import Ending
from ttgateway.control.server import control_resource
from ttgateway.control.surroundings import Surroundings
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.feeds.audience import Audience
from ttgateway.figures import DeliveryFigures
from ttgateway.metrics import Metrics

T = TypeVar("T")

ROUNDS = 400
"""How often things are moved on by `STEP` seconds before a command counts as hung."""

STEP = 0.05


class Wire:
    """Requests to a resource in this process, or (``down``) to nobody."""

    def __init__(self, resource: KleinResource | Any, reactor: MemoryReactorClock, *, api: bool = False) -> None:
        self.down: Exception | None = None
        self.silent: set[str] = set()  # methods to which no answer comes
        self.asked: list[tuple[str, str]] = []
        self._treq: Any = StubTreq(resource)  # type: ignore[no-untyped-call]
        if api:
            site = ApiSite(resource, reactor, lambda host: True, frozenset())
            self._treq._agent._serverFactory = site

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        self.asked.append((method, url))
        if self.down is not None:
            return fail(self.down)
        if method in self.silent:
            return fail(ConnectionLost())
        options.pop("reactor")
        return cast(Deferred[Any], self._treq.request(method, url, **options))

    def flush(self) -> None:
        self._treq.flush()


class House:
    """A gateway, its daemon's control socket, and a console towards both."""

    def __init__(self, state_dir: Path) -> None:
        self.reactor = MemoryReactorClock()
        self.clock = FakeClock(self.reactor)
        self.store = memory_store(self.reactor, clock=self.clock)
        self.gateway = memory_gateway(self.store, self.clock)
        self.dns = Names()
        self.network = fake_network(self.reactor, names=self.dns, policy=open_policy(allow=[], loopback=False))
        self.gateway.openings.on_change(self.network.policy.allow_also)
        self.presence: Any = None
        self.found: list[FoundGateway] | MulticastFailed = []
        self.hangs: set[str] = set()  # names of functions that block for ever
        self.serves = [("127.0.0.1", 8000)]
        self.config = ""
        self.control = Wire(control_resource(self.gateway, self._surroundings()), self.reactor)
        metrics = Metrics(self.gateway, self.store, DeliveryFigures())
        audience = Audience(self.gateway, self.reactor)
        self.web = Wire(api_resource(self.gateway, self.reactor, metrics, audience), self.reactor, api=True)
        self.ending = Ending(self.reactor)
        self.console = Console(
            state_dir=state_dir,
            run=self.run,
            control=lambda reactor: cast(Requests, self.control),
            web=lambda reactor: cast(Requests, self.web),
            browse=self._browse,
            aside=self._aside,
        )

    def _browse(self, seconds: float) -> list[FoundGateway]:
        if isinstance(self.found, MulticastFailed):
            raise self.found
        return self.found

    def _aside(self, reactor: Any, work: Callable[[], T]) -> Deferred[T]:
        name = getattr(work, "func", work).__name__
        return Deferred() if name in self.hangs else execute(work)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            network=self.network, serves=lambda: self.serves, config=self.config, presence=lambda: self.presence
        )

    def stop_daemon(self) -> None:
        self.control.down = ConnectError(OSError(2, "No such file or directory"))
        self.web.down = ConnectionRefusedError()

    def start(self, work: Work[Any]) -> list[Any]:
        """Begin ``work``; the list gets its result."""
        results: list[Any] = []
        ensureDeferred(work(self.reactor, self.ending)).addBoth(results.append)  # type: ignore[arg-type]
        return results

    def move(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.control.flush()
            self.web.flush()
            self.reactor.advance(STEP)

    def run(self, work: Work[Any]) -> Any:
        """Run ``work`` to its end, which must come within `ROUNDS` steps."""
        results = self.start(work)
        for _ in range(ROUNDS):
            if results:
                break
            self.move()
        assert results, "the command does not end"
        self.move(3)  # what closes its connections
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def invoke(self, command: Any, *arguments: str) -> Result:
        return CliRunner().invoke(command, arguments, obj=self.console, prog_name="ttgateway")

    def names(self) -> list[str]:
        return [token.name for token in self.gateway.secrets.all()]
