"""``ttgateway check``: the doctor. What is wrong with the gateway and its house, and what to do about it."""

from functools import partial
from pathlib import Path
from typing import Any

import click
from twisted.internet.defer import CancelledError, Deferred, FirstError, ensureDeferred, gatherResults

from ttgateway import __version__
from ttgateway.clock import MachineClock
from ttgateway.commands.checks import clock, disk, listeners, network, port, settings, state, store
from ttgateway.commands.checks.finding import Findings, fault, ok, report, warning, within
from ttgateway.commands.checks.port import Place
from ttgateway.commands.checks.store import Kept
from ttgateway.commands.gateway.client import Daemon, DaemonClosed, DaemonNotRunning, daemon_of
from ttgateway.commands.gateway.unstarted import config_option, policy_of, resolver_of
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.busy import busy
from ttgateway.commands.terminal.console import CommandFailed, Console, pass_console
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.tables import as_text, plain
from ttgateway.discovery.multicast import MulticastFailed
from ttgateway.settings import Settings
from ttgateway.store import opening

SHORTLY = 5.0
"""Seconds for a part that takes none, unless the machine hangs."""

STORE_WITHIN = 60.0
NETWORK_WITHIN = 10.0
LISTENERS_WITHIN = 25.0

_View = dict[str, Any] | None


@click.command()
@config_option
@click.option(
    "--listen",
    default="tcp:8000",
    show_default=True,
    metavar="ENDPOINT",
    help="Where a gateway that does not run would listen; one that runs tells its own.",
)
@as_json_option
@click.pass_context
@pass_console
def check(console: Console, context: click.Context, config: Path | None, listen: str, as_json: bool) -> None:
    """Look for what is wrong, and say what to do: whether the gateway runs or not.

    Looks at the settings, the port, the state directory, the store, the disk, the clock, the network and each listener.
    Changes nothing. Ends with exit code 1 if there is a fault; a warning is none.
    """

    async def work(reactor: Any, ending: Ending) -> Findings:
        checking = ensureDeferred(checked(console, reactor, config, listen))
        ensureDeferred(ending.pause()).addCallback(lambda _: checking.cancel())
        try:
            return await checking
        except (CancelledError, FirstError):
            raise CommandFailed("interrupted") from None

    with busy("checking"):
        findings = console.run(work)
    click.echo(as_text(findings) if as_json else report(findings))
    if any(one.severity == "fault" for one in findings):
        context.exit(1)


async def checked(console: Console, reactor: Any, config: Path | None, listen: str) -> Findings:
    """Return what is found of every part, each within its deadline."""
    daemon = daemon_of(console, reactor)
    gateway, view = await within(reactor, "gateway", 2 * SHORTLY, running(daemon), None)
    looking = console.aside(reactor, partial(store.held, console.state_dir))
    _, held = await within(reactor, store.PART, SHORTLY, looking, True)
    house = House(console, reactor, daemon, view, silent=held and view is None)
    of_settings, chosen = await house.aside(settings.PART, SHORTLY, partial(settings.look, config, view), None)
    of_port, place = await within(reactor, port.PART, SHORTLY, house.port(listen), Place())
    of_store, kept = await house.store()
    rest = await gatherResults(
        [
            ensureDeferred(part)
            for part in (
                house.aside(state.PART, SHORTLY, partial(state.look, console.state_dir), None),
                house.aside(disk.PART, SHORTLY, partial(disk.look, console.state_dir), None),
                house.aside(clock.PART, SHORTLY, partial(house.clock, kept), None),
                within(reactor, network.PART, NETWORK_WITHIN, house.network(chosen, place, kept), None),
                within(reactor, listeners.PART, LISTENERS_WITHIN, house.listeners(chosen, place, kept), None),
            )
        ]
    )
    return [*gateway, *of_settings, *of_port, *of_store, *(finding for found, _ in rest for finding in found)]


async def running(daemon: Daemon) -> tuple[Findings, _View]:
    """Return whether the gateway runs, and what it says of itself (``None``: nothing)."""
    try:
        view: dict[str, Any] = await daemon.ask("GET", "view")
    except DaemonNotRunning as error:
        do = "Start it: systemctl start ttgateway. What follows is of one that is started here"
        return [warning("gateway", str(error), do)], None
    except DaemonClosed as error:
        what = str(error).partition(";")[0]
        return [fault("gateway", what, "Run this as the user that the gateway runs as, or as root")], None
    except CommandFailed as error:
        return [fault("gateway", str(error), "Look at its log: journalctl -u ttgateway")], None
    status = view["status"]
    if status["check"]["notifier"] != "ok":
        do = "It is about to end; look at its log: journalctl -u ttgateway"
        return [fault("gateway", "listeners are told nothing: it stops", do)], view
    if status["version"] != __version__:
        what = f"version {plain(status['version'])} runs, this command is of {__version__}"
        return [warning("gateway", what, "Restart the gateway: systemctl restart ttgateway")], view
    return [ok("gateway", f"{plain(status['name'])}, version {__version__}, runs")], view


class House:
    """One gateway's house, and what the gateway itself says of it (``view``, ``None``: it does not run).

    A gateway that is ``silent`` says nothing, but holds its state directory: where it listens is not guessed.
    """

    def __init__(self, console: Console, reactor: Any, daemon: Daemon, view: _View, *, silent: bool) -> None:
        self._console = console
        self._reactor = reactor
        self._daemon = daemon
        self._view = view
        self._silent = silent

    async def aside(self, part: str, seconds: float, look: Any, otherwise: Any) -> tuple[Findings, Any]:
        """Return what ``look`` finds, which blocks."""
        looking: Deferred[Any] = self._console.aside(self._reactor, look)
        return await within(self._reactor, part, seconds, looking, otherwise)

    async def port(self, listen: str) -> tuple[Findings, Place]:
        """Return what is found of the port, and where that is."""
        if self._silent:
            lock = self._console.state_dir / opening.LOCK
            return await self._console.aside(self._reactor, partial(port.of_silent, lock))
        if self._view is None:
            return await port.is_free(self._reactor, self._console.aside, listen)
        serves = [(str(host), int(number)) for host, number in self._view["serves"]]
        return await port.answers(self._reactor, self._console.web(self._reactor), serves)

    async def store(self) -> tuple[Findings, Kept | None]:
        """Return what is found of the store, and what it knows where no gateway runs."""
        if self._view is not None:
            return store.told(self._view), None
        return await self.aside(store.PART, STORE_WITHIN, partial(store.read, self._console.state_dir), None)

    def clock(self, kept: Kept | None) -> tuple[Findings, None]:
        """Return what is found of the clock."""
        noted = None if kept is None else kept.wall
        return clock.look(MachineClock().wall(), noted, self._view, clock.is_kept())

    async def network(self, chosen: Settings | None, place: Place, kept: Kept | None) -> tuple[Findings, None]:
        """Return what is found of multicast DNS."""
        if self._silent:
            return [], None
        view, chosen = self._view, chosen or Settings()
        silent = not chosen.discovery.enabled if view is None else view["announced"] is None
        if place.local:
            return [ok(network.PART, "not announced: the gateway listens on loopback only")], None
        if silent:
            return [ok(network.PART, "not announced: discovery.enabled is off in the settings")], None
        name, own_id = chosen.name, "" if kept is None else kept.id
        if view is not None:
            name, own_id = view["status"]["name"], view["status"]["id"]
        try:
            found = await self._console.aside(self._reactor, partial(network.heard, self._console.browse))
        except MulticastFailed as error:
            return network.cannot(error), None
        others = await network.namesakes(self._reactor, self._console.web(self._reactor), name, own_id, found)
        own = [ok(network.PART, "multicast can be sent")] if view is None else network.own(view, found, others)
        return [*own, *others], None

    async def listeners(self, chosen: Settings | None, place: Place, kept: Kept | None) -> tuple[Findings, None]:
        """Return what is found of the listeners."""
        if self._view is not None:
            return await listeners.asked(self._reactor, self._daemon)
        if kept is None:
            return [], None
        policy = policy_of(chosen or Settings(), kept.opened, loopback=place.local, own_ports=place.ports)
        return await listeners.judged(kept.urls, policy, resolver_of(self._console.aside, self._reactor))
