"""``ttgateway open``: a one-time link to the staff page, and the browser on it."""

import os
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence

import click
import msgspec

from ttgateway.commands.gateway.address import served_at
from ttgateway.commands.gateway.client import ask
from ttgateway.commands.options import GatewayURL
from ttgateway.commands.terminal.console import Console, notice, pass_console
from ttgateway.discovery.addresses import own_places, reachable
from ttgateway.listening import is_loopback


class Seat(msgspec.Struct, frozen=True):
    """Where somebody types the command.

    ``server`` is the address by which they came here over ssh (``""``: they did not); ``screen`` tells whether there
    is one for a browser.
    """

    server: str
    screen: bool


@click.command("open")
@click.option("--print", "print_only", is_flag=True, help="Print the link, and open no browser.")
@click.option(
    "--at",
    "base",
    type=GatewayURL(),
    help="The address by which the browser reaches the gateway. [default: found by itself]",
)
@pass_console
def open_page(console: Console, print_only: bool, base: str | None) -> None:
    """Open the staff page, signed in, by a link that is good once within two minutes.

    The link is printed, too: alone with --print, over ssh, and where there is no screen.
    """
    made = ask(console, "POST", "links")
    seat = seat_of(os.environ, sys.platform)
    serves = [(str(host), int(port)) for host, port in made["serves"]]
    link = f"{base or page_address(serves, seat, _addresses)}/#open={made['code']}"
    if not print_only:
        notice(f"The staff page. This link is good once, within {made['seconds']} s:")
    click.echo(link)
    if print_only:
        return
    if seat.screen:
        if not webbrowser.open(link):
            notice("No browser could be started: open the link in one.")
    elif seat.server and base is None and all(is_loopback(host) for host, _ in serves):
        port = serves[0][1]
        notice(f"The gateway serves this machine only. From yours: ssh -L {port}:127.0.0.1:{port} {seat.server}")


def seat_of(environment: Mapping[str, str], platform: str) -> Seat:
    """Return where who runs this sits, by the variables that ssh and desktops set."""
    ssh = environment.get("SSH_CONNECTION", "").split()
    server = ssh[2] if len(ssh) == 4 else ""
    desktop = platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return Seat(server=server, screen=desktop and not server)


def page_address(serves: Sequence[tuple[str, int]], seat: Seat, addresses: Callable[[], Sequence[str]]) -> str:
    """Return the URL, without a slash at its end, by which a browser reaches what ``serves``; raise `CommandFailed`.

    Of a gateway that listens everywhere: from here loopback, over ssh the address that ssh came to, and where there is
    neither a screen nor ssh, so that the link is read here and typed elsewhere, an address on the network.
    """

    def here() -> str:
        return seat.server or ("127.0.0.1" if seat.screen else next(iter(addresses()), "127.0.0.1"))

    return served_at(serves, "--at", here)


def _addresses() -> list[str]:
    """Return this machine's addresses on its networks; none where they cannot be known."""
    try:
        return reachable("0.0.0.0", own_places())  # noqa: S104  # what listens on :: is reached by IPv4 too
    except OSError:
        return []
