"""``ttgateway button`` and ``orders``: what only a running daemon can do and tell."""

from typing import Any

import click

from ttgateway.commands.gateway.client import ask, change
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.console import Console, pass_console
from ttgateway.commands.terminal.tables import age, as_text, moment, plain, table


@click.command()
@pass_console
def button(console: Console) -> None:
    """Press the gateway's button: for two minutes one device may ask for a token."""
    change(console, "ttgateway token list", "POST", "button")
    click.echo("Pressed. Within two minutes one device can get a token: GET /api/v2/accesstoken/generate")


@click.command()
@as_json_option
@pass_console
def orders(console: Console, as_json: bool) -> None:
    """Show the active orders, oldest first."""
    found = ask(console, "GET", "orders")
    click.echo(as_text(found) if as_json else orders_table(found))


def orders_table(found: list[dict[str, Any]]) -> str:
    """Return the orders as a table for people."""
    if not found:
        return "No order is active."
    rows = [
        (
            plain(one["name"]),
            plain(one["state"]),
            plain(one["locationName"]),
            plain(one["orderType"]),
            "paged" if one["paged"] else "",
            age(one["elapsedTime"]),
            moment(one["created"]),
        )
        for one in found
    ]
    heads = ("ORDER", "STATE", "TABLE", "TYPE", "PAGED", "AGE", "STARTED")
    return table(heads, rows, numbers="ORDER TABLE AGE")
