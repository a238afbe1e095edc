"""Where it all comes together: the service that ``twistd ttgateway`` runs, and that wires the gateway.

This is the one module that meets the reactor, the threads and the files of the state directory; everything else is
handed what it needs.
"""

import gc
import os
import random
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from twisted.application import strports
from twisted.application.internet import UNIXServer
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.web.resource import Resource

from ttgateway import __version__
from ttgateway.api.auth import shows_valid
from ttgateway.api.server.site import ApiSite
from ttgateway.assembly import Assembly, World
from ttgateway.bridge.dialling import Dialling, connect_to
from ttgateway.bridge.listening import Listening
from ttgateway.button import ButtonDevice, press
from ttgateway.clock import MachineClock, steady
from ttgateway.control.server import SOCKET, control_resource
from ttgateway.control.socket import ControlSocket
from ttgateway.control.surroundings import Surroundings
from ttgateway.gateway import Gateway
from ttgateway.heartbeat import Heartbeat, status_line
from ttgateway.listening import NotedEndpoint, is_handed_over, with_waiting_room
from ttgateway.logs import log_observer
from ttgateway.machine import OwnHosts, files_allowed
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.dialling import TrustRoot, trust
from ttgateway.notifier.callbacks.here import end_lookups, lookup_threads, network_here, policy_here
from ttgateway.options import Options
from ttgateway.restart import AGAIN_AFTER, begin_anew
from ttgateway.settings import Settings, SettingsError, allowed_network, load, stream_address
from ttgateway.signals import end_in_order, press_at_signal
from ttgateway.store.disk import StateDisk
from ttgateway.store.executor import OneThread
from ttgateway.store.opening import StoreUnusable, lock
from ttgateway.systemd import Notices, is_journal

if TYPE_CHECKING:
    from ttgateway.discovery.presence import Presence

LOOKUPS = 4
"""Threads for name look-ups: a pool of their own, so that slow names stall nothing else."""

TURN_OF_A_THREAD = 0.0005
"""Seconds until a busy thread lets another go on: a commit is several turns of its own thread, beside the reactor's."""

EX_USAGE = 2


def makeService(options: Options) -> IService:
    """Return the service that ``twistd ttgateway`` runs; end the process with one clear line where it cannot run."""
    from twisted.internet import reactor  # noqa: TID251  # not before twistd has chosen one

    steady(reactor)  # type: ignore[arg-type]
    sys.setswitchinterval(TURN_OF_A_THREAD)
    try:
        settings = load(Path(options["config"])) if options["config"] else Settings()
        trust_root = _trust(settings)
    except SettingsError as error:
        _end(str(error), EX_USAGE)
    service = GatewayService(reactor, options["listen"], Path(options["state-dir"]), settings, trust_root)
    if options["config"]:
        service.config = str(Path(options["config"]).absolute())
    if options.logs_to_stdout:
        log, journal = settings.log, is_journal(1, os.environ)
        service.log = log_observer(sys.stdout, log.format, log.level, journal=journal)
    return service


class GatewayService(MultiService):
    """The whole gateway as one service: opens everything when it starts, and ends it in order.

    ``log`` is what twistd is to write its log with; ``None``: as its own options say. ``config`` is the full path of
    the settings' file; ``""``: there is none.
    """

    _log = Logger()

    def __init__(self, reactor: Any, listen: str, directory: Path, settings: Settings, trust_root: TrustRoot) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.log: ILogObserver | None = None
        self.config = ""
        self._reactor = reactor
        self._listen = listen
        self._directory = directory
        self._settings = settings
        self._trust_root = trust_root
        self._hosts = OwnHosts(settings.access.hosts)
        self._site = ApiSite(Resource(), reactor, self._hosts, frozenset(settings.access.origins), files_allowed())
        self._control = ApiSite(Resource(), reactor, lambda host: True, frozenset())
        try:
            self._server = strports.service(with_waiting_room(listen), self._site, reactor=reactor)
        except (ValueError, KeyError, TypeError) as error:
            like = "must be like tcp:8000 or tcp:8000:interface=127.0.0.1"
            _end(f"--listen {listen}: not an endpoint that can be listened on: {error}; {like}", EX_USAGE)
        self._port = NotedEndpoint(self._server.endpoint)
        self._server.endpoint = self._port

    def setServiceParent(self, parent: Any) -> None:
        """Become part of what twistd runs, which is where it looks for who writes its log."""
        if self.log is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self.log)
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]

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
        self._assembly.start()
        if self._presence is not None:
            self._presence.start()
        press_at_signal(self._reactor, partial(self._press, "SIGUSR1"))
        self._reactor.callWhenRunning(end_in_order, self._reactor)  # the reactor's own handlers are in by then
        gc.collect()
        gc.freeze()  # what is here by now stays: each full collection would walk through it, a tenth of a second long
        self._reactor.callWhenRunning(self._heartbeat.begin)
        self._log.info("ttgateway {version} serves at {at}", version=__version__, at=str(self._port))

    async def _stop(self) -> None:
        """End in order: nobody new, then the gateway, then what it ran on."""
        self._heartbeat.ends()
        withdrawn = self._presence.stop() if self._presence is not None else succeed(None)
        self._site.stop()
        await self._server.stopService()

        async def others_end() -> None:
            await withdrawn
            await maybeDeferred(MultiService.stopService, self)

        await self._assembly.stop(others_end)
        end_lookups(self._lookups)
        os.close(self._lock)
        self._log.info("ttgateway has stopped")

    def stopService(self) -> Deferred[None]:
        """End in order; fires when all is written."""
        return ensureDeferred(self._stop())

    def _open(self) -> None:
        """Put the gateway together. The reactor is not running yet, so nobody meets it half done."""
        reactor, network = self._reactor, self._network()
        world = World(
            clock=MachineClock(),
            timers=reactor,
            executor=lambda name: OneThread(reactor, name),
            network=network,
            entropy=os.urandom,
            jitter=random.Random().random,  # noqa: S311
            disk=StateDisk,
        )
        self._assembly = Assembly(self._directory, self._settings, world)
        self._assembly.on_damage(self._recover)
        gateway = self._assembly.gateway
        self._site.resource = self._assembly.resource
        self._site.turns.knows = partial(shows_valid, opens=gateway.secrets.opens)
        surroundings = Surroundings(
            network=network, serves=lambda: self._port.tcp, config=self.config, presence=lambda: self._presence
        )
        self._control.resource = control_resource(gateway, surroundings)
        self._meet_the_bridge(gateway)
        status = partial(status_line, gateway, str(self._port))
        notices = Notices(os.environ, os.getpid())
        self._heartbeat = Heartbeat(notices, reactor, self._assembly.advance.stands, status)
        self._presence = self._presence_of(gateway)
        self._mind_the_button()

    def _recover(self) -> None:
        """The store is damaged: a start is what recovers it."""
        wait = max(0.0, AGAIN_AFTER - self._assembly.gateway.uptime())
        if is_handed_over(self._listen):  # systemd has our sockets, and starts what gets them again
            self._reactor.callLater(wait, self._reactor.stop)
        else:
            self._reactor.callLater(wait, self._begin_anew)

    def _begin_anew(self) -> None:
        self._heartbeat.begins_anew()
        begin_anew(self._reactor)

    def _network(self) -> Network:
        """Return how listeners are called; a gateway that only this machine can reach may call this machine."""
        callbacks = self._settings.callbacks
        self._lookups = lookup_threads(LOOKUPS)
        policy = policy_here(
            allow=[allowed_network(text) for text in callbacks.allow],
            source_only=callbacks.source_only,
            loopback=self._port.is_local(),
            own_ports=self._port.ports,
        )
        return network_here(self._reactor, policy, self._lookups, self._trust_root)

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
            address = stream_address(bridge.listen)
            listening = Listening(address, gateway, reactor)
            listening.setServiceParent(self)  # type: ignore[no-untyped-call]
            listening.startService()
            if address.kind == "tcp":  # ours too: whoever connects there counts as the bridge, so we must not
                self._port.ports.add(address.number)

    def _presence_of(self, gateway: Gateway) -> "Presence | None":
        """Return what announces the gateway; none where it shall not be, or where only this machine can reach it."""
        if self._port.is_local() or not self._settings.discovery.enabled:
            return None
        from ttgateway.discovery.announcement import Announcement  # zeroconf takes 3 MB: only where it is used
        from ttgateway.discovery.here import presence_of

        listens, port = self._port.tcp[0]
        announcement = Announcement(name=self._settings.name, port=port, id=gateway.id, version=__version__)
        self._hosts.add(announcement.host)
        return presence_of(gateway, announcement, listens, self._reactor)

    def _mind_the_button(self) -> None:
        """Watch the input device that is the button, where one is configured."""
        button = self._settings.button
        if button.device:
            pressed = partial(self._press, button.device)
            device = ButtonDevice(Path(button.device), button.key, pressed, self._reactor)
            device.setServiceParent(self)  # type: ignore[no-untyped-call]

    def _press(self, source: str) -> None:
        press(self._assembly.gateway.secrets, source)


def _trust(settings: Settings) -> TrustRoot:
    try:
        return trust(settings.callbacks.ca_file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"callbacks.ca_file = {settings.callbacks.ca_file!r}: {error}") from None


def _where(error: CannotListenError) -> str:
    """Return where it was that we cannot listen: a TCP port, or the path of a Unix socket."""
    if isinstance(error.port, int):
        return f"{error.interface or 'any address'}, port {error.port}"
    return os.fsdecode(error.port)


def _end(line: str, code: int) -> NoReturn:
    """End the process with one line for the operator. By now `sys.stderr` may be twistd's log."""
    os.write(2, f"ttgateway: {line}\n".encode(errors="replace"))
    raise SystemExit(code)
