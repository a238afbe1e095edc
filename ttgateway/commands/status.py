"""``ttgateway status``: how the gateway stands, on one screen."""

from typing import Any

import click

from ttgateway.commands.gateway.client import ask
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.console import Console, pass_console
from ttgateway.commands.terminal.tables import age, as_text, facts, moment, plain, size

_STATES = ("healthy", "retrying", "down")


@click.command()
@as_json_option
@click.pass_context
@pass_console
def status(console: Console, context: click.Context, as_json: bool) -> None:
    """Show how the gateway stands. Ends with exit code 1 if something is not as it should be."""
    found = ask(console, "GET", "status")
    click.echo(as_text(found) if as_json else status_text(found))
    if found["faults"]:
        context.exit(1)


def status_text(found: dict[str, Any]) -> str:
    """Return how a gateway stands, for people."""
    check, free = found["check"], found["freeBytes"]
    room = "" if free is None else f", {size(free)} free"
    lines = {
        "gateway": f"{plain(found['name'])} ({plain(found['id'])}), version {found['version']},"
        f" up {age(found['uptimeSeconds'])}",
        "health": f"NOT WELL: {', '.join(found['faults'])}" if found["faults"] else "well",
        "store": check["store"],
        "lost": plain(found["damage"]),
        "notifier": check["notifier"],
        "disk": f"{check['disk']}{room}",
        "clock": f"{check['clock']}, {moment(found['time'])}",
        "orders": f"{found['activeOrders']} active; seq {found['lastSeq']} was the last change",
        "listeners": _listeners(found["listeners"]),
        "waiting": _waiting(found["waiting"]),
    }
    return facts(lines)


def _listeners(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[state]} {state}" for state in _STATES if counts.get(state)) or "none is registered"


def _waiting(waiting: dict[str, Any]) -> str:
    if not waiting["changes"]:
        return "nothing"
    changes = "1 change" if waiting["changes"] == 1 else f"{waiting['changes']} changes"
    return f"{changes}, the oldest for {age(waiting['oldestSeconds'])}: {plain(waiting['url'])}"
