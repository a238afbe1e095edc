"""Where it all comes together: the options of ``twistd ttgateway``, and the service that wires the gateway.

This is the one module that meets the reactor, the threads and the files of the state directory; everything else is
handed what it needs.
"""

import os
import random
import sys
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

from twisted.application import strports
from twisted.application.internet import TimerService, UNIXServer
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python import usage
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource

from ttgateway import __version__
from ttgateway.api.app import api_resource
from ttgateway.api.site import ApiSite
from ttgateway.bridge.dialling import Dialling, connect_to
from ttgateway.bridge.listening import Listening
from ttgateway.button import ButtonDevice, press
from ttgateway.clock import MachineClock, steady
from ttgateway.control.server import SOCKET, control_resource
from ttgateway.control.socket import ControlSocket
from ttgateway.discovery.addresses import own_places, reachable
from ttgateway.discovery.announcement import Announcement
from ttgateway.discovery.multicast import MulticastDNS
from ttgateway.discovery.neighbours import Neighbours
from ttgateway.discovery.presence import Presence
from ttgateway.discovery.responder import Responder
from ttgateway.feeds.audience import Audience
from ttgateway.gateway import Gateway
from ttgateway.listening import NotedEndpoint
from ttgateway.machine import OwnHosts, default_gateways, is_own_address
from ttgateway.metrics import Metrics
from ttgateway.notifier.attempt import Network
from ttgateway.notifier.dialling import Dialler, TrustRoot, trust
from ttgateway.notifier.notifier import Notifier
from ttgateway.notifier.policy import CallPolicy
from ttgateway.notifier.reach import Reach
from ttgateway.notifier.resolver import SystemResolver, thread_lookup
from ttgateway.notifier.sweep import Sweep
from ttgateway.settings import Settings, SettingsError, allowed_network, load, stream_address
from ttgateway.signals import end_in_order, press_at_signal
from ttgateway.store import upkeep
from ttgateway.store.executor import OneThread
from ttgateway.store.opening import StoreUnusable, lock
from ttgateway.store.store import Store, open_store

LOOKUPS = 4
"""Threads for name look-ups: a pool of their own, so that slow names stall nothing else."""

EX_USAGE = 2


class Options(usage.Options):
    """The options of ``twistd ttgateway``."""

    synopsis = "[options]"
    longdesc = (
        "An in-store order gateway: tells kitchen displays, pagers and back-office machines of every order change."
    )
    optParameters = [  # noqa: RUF012  # as Twisted wants it
        ["listen", "l", "tcp:8000", "Where to serve the API: a Twisted endpoint description."],
        [
            "state-dir",
            "d",
            "ttgateway-state",
            "The folder that holds all that must survive a restart; one gateway each.",
        ],
        ["config", "c", None, "A TOML file with settings; etc/ttgateway.toml explains them."],
    ]

    def opt_version(self) -> NoReturn:
        """Print the version and end."""
        sys.stdout.write(f"ttgateway {__version__}\n")
        raise SystemExit(0)


def makeService(options: Options) -> IService:
    """Return the service that ``twistd ttgateway`` runs; end the process with one clear line where it cannot run."""
    from twisted.internet import reactor  # noqa: TID251  # not before twistd has chosen one

    steady(reactor)  # type: ignore[arg-type]
    try:
        settings = load(Path(options["config"])) if options["config"] else Settings()
        trust_root = _trust(settings)
    except SettingsError as error:
        _end(str(error), EX_USAGE)
    return GatewayService(reactor, options["listen"], Path(options["state-dir"]), settings, trust_root)


class GatewayService(MultiService):
    """The whole gateway as one service: opens everything when it starts, and ends it in order."""

    _log = Logger()

    def __init__(self, reactor: Any, listen: str, directory: Path, settings: Settings, trust_root: TrustRoot) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._directory = directory
        self._settings = settings
        self._trust_root = trust_root
        self._hosts = OwnHosts(settings.access.hosts)
        self._site = ApiSite(Resource(), reactor, self._hosts, frozenset(settings.access.origins))
        self._control = ApiSite(Resource(), reactor, lambda host: True, frozenset())
        try:
            self._server = strports.service(listen, self._site, reactor=reactor)
        except (ValueError, KeyError, TypeError) as error:
            _end(f"--listen {listen}: not an endpoint that can be listened on: {error}", EX_USAGE)
        self._port = NotedEndpoint(self._server.endpoint)
        self._server.endpoint = self._port

    def startService(self) -> None:
        """Bind the port, open the store, and begin to serve and to deliver; end the process if that cannot be."""
        try:
            self._lock = lock(self._directory)
            self._server.startService()
            self._listen_to_the_operator()
            self._open()
        except StoreUnusable as error:
            _end(str(error), error.code)
        except CannotListenError as error:
            _end(f"cannot listen on {_where(error)}: {error.socketError}", 69)
        except OverflowError as error:  # of a port that is none
            _end(f"cannot listen: {error}", EX_USAGE)
        super().startService()  # type: ignore[no-untyped-call]
        self._notifier.start()
        if self._presence is not None:
            self._presence.start()
        press_at_signal(self._reactor, partial(self._press, "SIGUSR1"))
        self._reactor.callWhenRunning(end_in_order, self._reactor)  # the reactor's own handlers are in by then
        self._log.info("ttgateway {version} serves at {at}", version=__version__, at=str(self._port))

    async def _stop(self) -> None:
        """Let in what is in flight, write what moved, close the store: in this order, or something is lost."""
        withdrawn = self._presence.stop() if self._presence is not None else succeed(None)
        await self._server.stopService()
        self._audience.stop()
        await self._notifier.stop()
        await withdrawn
        await _done(MultiService.stopService(self))
        await self._store.stop()
        if not self._lookups.working:  # a look-up that hangs is not waited for: its thread ends with the process
            self._lookups.stop()
        os.close(self._lock)
        self._log.info("ttgateway has stopped")

    def stopService(self) -> Deferred[None]:
        """End in order; fires when all is written."""
        return ensureDeferred(self._stop())

    def _open(self) -> None:
        """Wire everything. The reactor is not running yet, so nobody meets it half done."""
        clock, reactor, settings = MachineClock(), self._reactor, self._settings
        self._store = store = open_store(
            self._directory,
            clock=clock,
            timers=reactor,
            executor=lambda name: OneThread(reactor, name),
            limits=settings.journal,
            zone=settings.zone,
        )
        if store.damage:
            self._log.critical("The store was damaged: {damage}", damage=store.damage)
        network = self._network()
        self._gateway = gateway = Gateway(store, clock, settings, Reach(network), os.urandom)
        self._notifier = Notifier(gateway, store, network, clock, reactor, random.Random().random)  # noqa: S311
        self._audience = audience = Audience(gateway, reactor)
        metrics = Metrics(gateway, store, self._notifier.figures, audience.__len__)
        self._site.resource = api_resource(gateway, reactor, metrics, audience)
        self._control.resource = control_resource(gateway)
        self._meet_the_bridge(gateway)
        self._presence = self._presence_of(gateway)
        self._mind_the_button()
        self._keep_up(store)

    def _network(self) -> Network:
        """Return how listeners are called; a gateway that only this machine can reach may call this machine."""
        callbacks = self._settings.callbacks
        self._lookups = ThreadPool(0, LOOKUPS, "look-ups")
        self._lookups.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._lookups.start()
        policy = CallPolicy(
            allow=[allowed_network(text) for text in callbacks.allow],
            source_only=callbacks.source_only,
            loopback=self._port.is_local(),
            own_ports=self._port.ports,
            is_own=is_own_address,
            default_gateways=default_gateways,
        )
        return Network(
            sweep=Sweep(self._reactor),
            resolver=SystemResolver(thread_lookup(self._reactor, self._lookups), self._reactor),
            policy=policy,
            dial=Dialler(self._reactor, self._trust_root),
        )

    def _listen_to_the_operator(self) -> None:
        """Bind the control socket; what is served there follows when all is open."""
        path = self._directory / SOCKET
        try:
            path.unlink(missing_ok=True)  # left by a process that was killed: the lock says that it is gone
        except OSError as error:
            raise StoreUnusable(f"{path}: cannot be replaced: {error.strerror}", 73) from None
        front = ControlSocket(self._control, partial(self._press, "the control socket"), self._reactor)
        control = UNIXServer(str(path), front, mode=0o600, reactor=self._reactor)
        control.setServiceParent(self)
        control.startService()

    def _meet_the_bridge(self, gateway: Gateway) -> None:
        """Connect to the radio bridge, or listen for it, where one is configured."""
        bridge, reactor = self._settings.bridge, self._reactor
        if bridge.at:
            connect = connect_to(stream_address(bridge.at), reactor)
            jitter = random.Random().random  # noqa: S311
            dialling = Dialling(connect, bridge.at, gateway, reactor, jitter)
            dialling.setServiceParent(self)  # type: ignore[no-untyped-call]
        elif bridge.listen:
            listening = Listening(stream_address(bridge.listen), gateway, reactor)
            listening.setServiceParent(self)  # type: ignore[no-untyped-call]
            listening.startService()

    def _presence_of(self, gateway: Gateway) -> Presence | None:
        """Return what announces the gateway; none where it shall not be, or where only this machine can reach it."""
        if self._port.is_local() or not self._settings.discovery.enabled:
            return None
        listens, port = self._port.tcp[0]
        announcement = Announcement(name=self._settings.name, port=port, id=gateway.id, version=__version__)
        self._hosts.add(announcement.host)
        neighbours = Neighbours(lambda host: self._reactor.callFromThread(gateway.registry.heard, host))
        multicast = partial(MulticastDNS, hears=neighbours)
        responder = Responder(announcement, lambda: reachable(listens, own_places()), multicast)
        return Presence(responder, OneThread(self._reactor, "discovery"), self._reactor)

    def _mind_the_button(self) -> None:
        """Watch the input device that is the button, where one is configured."""
        button = self._settings.button
        if button.device:
            pressed = partial(self._press, button.device)
            device = ButtonDevice(Path(button.device), button.key, pressed, self._reactor)
            device.setServiceParent(self)  # type: ignore[no-untyped-call]

    def _press(self, source: str) -> None:
        press(self._gateway.secrets, source)

    def _keep_up(self, store: Store) -> None:
        rounds = TimerService(upkeep.EVERY, lambda: ensureDeferred(store.upkeep.round()))
        rounds.clock = self._reactor
        rounds.setServiceParent(self)


def _trust(settings: Settings) -> TrustRoot:
    try:
        return trust(settings.callbacks.ca_file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"callbacks.ca_file = {settings.callbacks.ca_file!r}: {error}") from None


def _done(result: Any) -> Deferred[None]:
    """Return ``result`` as a Deferred: Twisted's services may return either."""
    if isinstance(result, Deferred):
        return result
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done


def _where(error: CannotListenError) -> str:
    """Return where it was that we cannot listen: a TCP port, or the path of a Unix socket."""
    if isinstance(error.port, int):
        return f"{error.interface or 'any address'}, port {error.port}"
    return os.fsdecode(error.port)


def _end(line: str, code: int) -> NoReturn:
    """End the process with one line for the operator. By now `sys.stderr` may be twistd's log."""
    os.write(2, f"ttgateway: {line}\n".encode(errors="replace"))
    raise SystemExit(code)
