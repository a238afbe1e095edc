"""``ttgateway button``, ``listeners`` and ``orders``: what only a running daemon can do and tell."""

from typing import Any

import click
import msgspec

from ttgateway.control.client import daemon_of
from ttgateway.control.console import Console, pass_console
from ttgateway.control.tables import age, plain, table

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@pass_console
def button(console: Console) -> None:
    """Press the gateway's button: for two minutes one device may ask for a token."""
    _ask(console, "POST", "button")
    click.echo("Pressed. Within two minutes one device can get a token: GET /api/v2/accesstoken/generate")


@click.command()
@_AS_JSON
@pass_console
def listeners(console: Console, as_json: bool) -> None:
    """Show who is told of order changes, and how that goes."""
    found = _ask(console, "GET", "listeners")
    click.echo(_json(found) if as_json else listeners_table(found))


@click.command()
@_AS_JSON
@pass_console
def orders(console: Console, as_json: bool) -> None:
    """Show the active orders, oldest first."""
    found = _ask(console, "GET", "orders")
    click.echo(_json(found) if as_json else orders_table(found))


def listeners_table(found: list[dict[str, Any]]) -> str:
    """Return the listeners as a table for people, with a second line for each that is in trouble."""
    if not found:
        return "No listener is registered."
    heads = ("ID", "STATE", "API", "TOLD", "WAITING", "PARKED", "URL")
    rows = [
        (
            plain(one["id"]),
            plain(one["state"]),
            plain(one["api"]),
            plain(one["delivered"]),
            plain(one["pending"]),
            plain(one["parked"]),
            plain(one["url"]),
        )
        for one in found
    ]
    head, *lines = table(heads, rows, numbers="API TOLD WAITING PARKED").splitlines()
    troubles = [_trouble(one) for one in found]
    return "\n".join([head, *(text for pair in zip(lines, troubles, strict=True) for text in pair if text)])


def _trouble(one: dict[str, Any]) -> str:
    """Return what is wrong with a listener; ``""`` if nothing is."""
    if one["state"] == "healthy":
        return ""
    parts = [f"oldest waits {age(one['oldestPendingSeconds'])}"]
    if one["lastFailureCause"]:
        parts.insert(0, f"failed: {plain(one['lastFailureCause'])}")
    if one["nextAttemptSeconds"] is not None:
        parts.append(f"next try in {age(one['nextAttemptSeconds'])}")
    return f"  {', '.join(parts)}"


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
            plain(one["created"]).replace("T", " "),
        )
        for one in found
    ]
    heads = ("ORDER", "STATE", "TABLE", "TYPE", "PAGED", "AGE", "STARTED")
    return table(heads, rows, numbers="ORDER TABLE AGE")


def _ask(console: Console, method: str, path: str) -> Any:
    return console.run(lambda reactor, _: daemon_of(console, reactor).ask(method, path))


def _json(found: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(found)).decode()
