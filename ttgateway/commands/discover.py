"""``ttgateway discover``: which gateways are on this network."""

import click

from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.console import CommandFailed, Console, pass_console
from ttgateway.commands.terminal.tables import as_text, plain, table
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0.1, 60), default=3.0, show_default=True, help="For how long to listen."
)
@as_json_option
@pass_console
def discover(console: Console, seconds: float, as_json: bool) -> None:
    """List the gateways that announce themselves on this network.

    Needs no gateway on this machine. Ends with exit code 1 if there is none.
    """
    try:
        found = console.browse(seconds)
    except MulticastFailed as error:
        raise CommandFailed(f"cannot listen for gateways: {error}") from None
    if as_json:
        click.echo(as_text(found))
    elif found:
        click.echo(gateways_table(found))
    if not found:
        raise CommandFailed(f"no gateway has announced itself on this network within {seconds:g} s")


def gateways_table(found: list[FoundGateway]) -> str:
    """Return the gateways as a table for people."""
    rows = [(plain(one.name), plain(one.address), plain(one.port), plain(one.version), plain(one.id)) for one in found]
    return table(("NAME", "ADDRESS", "PORT", "VERSION", "ID"), rows, numbers="PORT")
