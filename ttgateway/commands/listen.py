"""``ttgateway listen``: a listener that prints what it is told."""

import errno
import socket
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError

from ttgateway.commands.gateway.api import GatewayAPI, Refused
from ttgateway.commands.gateway.calling import NoAnswer
from ttgateway.commands.gateway.lending import lent_api
from ttgateway.commands.options import gateway_option, token_option
from ttgateway.commands.receiving.listener import Listener, listener_site
from ttgateway.commands.receiving.printing import Printer
from ttgateway.commands.terminal.console import CommandFailed, Console, notice, pass_console
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.values import Checked
from ttgateway.notifier.attempts.signing import check_secret
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.refusals import CallbackInvalid, ListenerOptionInvalid


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """What to listen for, and how.

    ``gateway`` ``None`` is the one on the state directory; ``host`` ``None`` the address under which this machine calls
    the gateway.
    """

    gateway: str | None
    secret: str | None
    port: int
    host: str | None
    api: int
    snapshot: bool
    latest: bool
    signing: str
    keep: bool
    count: int | None
    as_json: bool


def _host(value: str) -> None:
    try:
        url = CallbackURL.parse(f"http://{value}:8989/")
    except CallbackInvalid:
        url = None
    if url is None or (url.port, url.target) != (8989, "/"):
        raise ValueError(f"{value!r} must be an address or a name, without a port")


@click.command()
@gateway_option
@token_option
@click.option("--port", type=click.IntRange(0, 65535), default=8989, show_default=True, help="Port to listen on.")
@click.option(
    "--host",
    type=Checked("host", _host),
    help="Address under which the gateway reaches this machine. [default: found out]",
)
@click.option("--api", type=click.Choice(["1", "2"]), default="2", show_default=True, help="Version to register with.")
@click.option("--snapshot", is_flag=True, help="First be told how things stand.")
@click.option("--latest", is_flag=True, help="When behind, be told only the newest state of each order.")
@click.option("--secret", "signing", default="", metavar="whsec_...", help="Have deliveries signed, and check them.")
@click.option("--keep", is_flag=True, help="Stay registered at the end.")
@click.option("--count", type=click.IntRange(1), help="End after so many changes. [default: at Ctrl-C]")
@click.option("--json", "as_json", is_flag=True, help="Print each delivery as it came, one JSON object a line.")
@pass_console
def listen(console: Console, /, **options: Any) -> None:
    """Listen on this machine for order changes, and print each as it arrives.

    Registers with the gateway as any device would; Ctrl-C ends it and unregisters.
    """
    what = Listening(**{**options, "api": int(options["api"])})
    if what.api == 1 and (what.snapshot or what.latest or what.signing):
        raise click.UsageError("--snapshot, --latest and --secret are of version 2")
    if what.signing:
        try:
            check_secret(what.signing)
        except ListenerOptionInvalid as error:
            raise click.BadParameter(str(error), param_hint="--secret") from None
    console.run(lambda reactor, ending: listened(console, reactor, ending, what))


async def listened(console: Console, reactor: Any, ending: Ending, what: Listening) -> None:
    """Listen until enough was told or ``ending`` says so; raise `CommandFailed`."""
    async with lent_api(console, reactor, what.gateway, what.secret, "listen") as api:
        await api.first_call("/api/v2")
        local = local_address(api.url)
        printer = Printer(ending, what.count, as_json=what.as_json)
        site = listener_site(Listener(printer.take, what.signing), reactor)
        # Only where the gateway comes from; an address that the operator names may be a router's, or a container's.
        port = open_port(reactor, what.port, site, interface="" if what.host else local)
        try:
            url = f"http://{what.host or local}:{port.getHost().port}/"
            await register(api, url, what)
            notice(f"Listening at {url}, registered with {api.url} (version {what.api}). Ctrl-C ends it.")
            printer.begin()
            await ending.pause()
            if what.keep:
                notice(f"{url} stays registered: what changes meanwhile is told when something listens there again.")
            else:
                await unregister(api, url)
            printer.end()
        finally:
            await maybeDeferred(port.stopListening)


def local_address(gateway: str) -> str:
    """Return the address from which this machine calls ``gateway``; no packet is sent. Raises `CommandFailed`."""
    parts = urlsplit(gateway)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((parts.hostname, parts.port or 80))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise CommandFailed(f"this machine has no address towards {gateway} ({error}); give --host") from None


def open_port(reactor: Any, port: int, site: Any, interface: str) -> Any:
    """Return the listening port; raise `CommandFailed`."""
    try:
        return reactor.listenTCP(port, site, interface=interface)
    except CannotListenError as error:
        code = getattr(error.socketError, "errno", None)
        if code == errno.EADDRINUSE:
            raise CommandFailed(f"port {port} is in use on this machine; choose another with --port") from None
        raise CommandFailed(f"cannot listen on port {port}: {error.socketError}") from None


async def register(api: GatewayAPI, url: str, what: Listening) -> None:
    """Register ``url`` with the gateway; raise `CommandFailed` with what is in the way."""
    try:
        if what.api == 1:
            await api.call("GET", "/api/v1/register", params={"http_client": url})
            return
        wishes: dict[str, object] = {"http_client": url, "snapshot": what.snapshot}
        wishes["catch_up"] = "latest" if what.latest else "every"
        if what.signing:
            wishes["secret"] = what.signing
        await api.call("POST", "/api/v2/register", json=wishes)
    except NoAnswer as error:
        raise api.failed(error) from None
    except Refused as error:
        if error.status == 404 and (error.code == -30 or what.api == 1):
            cause = f" ({error.cause})" if error.cause else ""
            raise CommandFailed(
                f"the gateway cannot reach this machine at {url}{cause}; --host and --port name another address"
            ) from None
        if error.status == 403:
            raise CommandFailed(f"the gateway does not call {url}: {error}") from None
        raise api.failed(error) from None


async def unregister(api: GatewayAPI, url: str) -> None:
    """Unregister ``url``; raise `CommandFailed` if the gateway does not do that."""
    try:
        await api.call("DELETE", "/api/v2/register", json={"http_client": url})
        notice(f"Unregistered {url}.")
    except Refused as error:
        if error.status != 404:  # somebody else has removed it
            raise CommandFailed(f"{url} is still registered: {api.failed(error)}") from None
    except NoAnswer as error:
        raise CommandFailed(f"{url} is still registered: {api.failed(error)}") from None
