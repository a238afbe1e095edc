"""``ttgateway listeners``: who is told of order changes, how that goes, and what can be done about it."""

from itertools import chain
from typing import Any

import click

from ttgateway.commands.gateway.client import Daemon, ask, daemon_of
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.busy import busy
from ttgateway.commands.terminal.console import CommandFailed, Console, pass_console
from ttgateway.commands.terminal.tables import age, as_text, facts, moment, plain, printable, table
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.refusals import CallbackInvalid
from ttgateway.whole import MOST_WHOLE

_WANTED = click.argument("wanted", metavar="ID-OR-URL")


@click.group(invoke_without_command=True)
@as_json_option
@click.pass_context
def listeners(context: click.Context, as_json: bool) -> None:
    """Show who is told of order changes, and how that goes; or do something about one of them."""
    if context.invoked_subcommand is None:
        found = ask(context.obj, "GET", "listeners")
        click.echo(as_text(found) if as_json else listeners_table(found))


@listeners.command()
@_WANTED
@as_json_option
@pass_console
@click.pass_context
def show(context: click.Context, console: Console, wanted: str, as_json: bool) -> None:
    """Show one listener: what it asked for, its accounts, and the last attempts at it, newest first."""
    before = context.parent is not None and context.parent.params["as_json"]  # listeners --json show
    found = _asked_of(console, wanted, "GET")
    click.echo(as_text(found) if as_json or before else listener_text(found))


@listeners.command()
@_WANTED
@pass_console
def remove(console: Console, wanted: str) -> None:
    """Forget a listener: it is told nothing more, until it registers again."""
    click.echo(f"Removed {printable(_asked_of(console, wanted, 'DELETE')['url'])}.")


@listeners.command()
@_WANTED
@pass_console
def ping(console: Console, wanted: str) -> None:
    """Send a listener a HEAD. If it answers, what waits for it is told at once."""
    click.echo(f"{printable(_asked_of(console, wanted, 'POST', 'ping')['url'])} answers.")


@listeners.command()
@_WANTED
@pass_console
def resync(console: Console, wanted: str) -> None:
    """Tell a listener of every active order, in place of what waits for it."""
    url = printable(_asked_of(console, wanted, "POST", "resync")["url"])
    click.echo(f"{url} is told of every active order next.")


@listeners.command()
@_WANTED
@click.option(
    "--since",
    type=click.IntRange(0, MOST_WHOLE),
    required=True,
    metavar="SEQ",
    help="Tell every change after this one.",
)
@pass_console
def replay(console: Console, wanted: str, since: int) -> None:
    """Tell a listener again, before what waits for it, of every change after a seq."""
    found = _asked_of(console, wanted, "POST", "replay", since=since)
    url, stands = printable(found["url"]), found["stands"]
    if since < stands:
        click.echo(f"{url} is told again of every change after {since}.")
    else:
        click.echo(f"There is nothing to tell {url} again after {since}: it stands at {stands}.")


def _asked_of(console: Console, wanted: str, method: str, *path: str, **body: object) -> Any:
    """Ask the daemon something about one listener; return what it answers, or raise `CommandFailed`."""

    async def work(daemon: Daemon) -> Any:
        known = {wanted, _as_registered(wanted)}
        named = [one for one in await daemon.ask("GET", "listeners") if known & {one["id"], one["url"]}]
        if not named:
            raise CommandFailed(f"no listener has the id or URL {wanted!r} (ttgateway listeners)")
        asked = ("listeners", named[0]["id"], *path)
        if method == "GET" or "ping" in path:
            return await daemon.ask(method, *asked)
        shown_by = f"ttgateway listeners show {named[0]['id']}"
        return await daemon.change(shown_by, method, *asked, **body)

    with busy("waiting for the listener" if "ping" in path else "waiting for the gateway"):
        return console.run(lambda reactor, _: work(daemon_of(console, reactor)))


def _as_registered(url: str) -> str:
    """Return ``url`` as the gateway spells it; what is no URL stays as it is."""
    try:
        return str(CallbackURL.parse(url))
    except CallbackInvalid:
        return url


def listeners_table(found: list[dict[str, Any]]) -> str:
    """Return the listeners as a table for people, with a second line for each that is in trouble."""
    if not found:
        return "No listener is registered."
    heads = ("ID", "STATE", "API", "TOLD", "WAITING", "PARKED", "URL")
    names = ("id", "state", "api", "delivered", "pending", "parked", "url")
    rows = [tuple(plain(one[name]) for name in names) for one in found]
    head, *lines = table(heads, rows, numbers="API TOLD WAITING PARKED").splitlines()
    troubles = map(_trouble, found)
    told = [(line, f"  {trouble}") if trouble else (line,) for line, trouble in zip(lines, troubles, strict=True)]
    return "\n".join([head, *chain.from_iterable(told)])


def listener_text(one: dict[str, Any]) -> str:
    """Return one listener, with the last attempts at it, for people."""
    wishes = [
        f"catch up: {plain(one['catchUp'])}",
        "snapshots" if one["snapshot"] else "no snapshots",
        "signed" if one["signed"] else "not signed",
    ]
    accounts = ("delivered", "coalesced", "filtered", "parked", "pending")
    lines = {
        "listener": f"{plain(one['id'])}  {printable(one['url'])}",
        "state": ", ".join(filter(None, (plain(one["state"]), _trouble(one)))),
        "registered": f"{_time(one['registered'])}, version {plain(one['api'])}",
        "wants": ", ".join([" ".join(map(plain, one["events"])) or "every change", *wishes]),
        "accounts": ", ".join(f"{one[name]} {name}" for name in accounts),
        "last success": _time(one["lastSuccess"]),
        "last failure": " ".join(filter(None, (_time(one["lastFailure"]), plain(one["lastFailureCause"])))),
    }
    return f"{facts(lines)}\n\n{attempts_table(one['attempts'])}"


def attempts_table(attempts: list[dict[str, Any]]) -> str:
    """Return attempts as a table for people."""
    if not attempts:
        return "No attempt was made since the gateway was started."
    heads = ("AT", "SEQ", "TRY", "OUTCOME", "CAUSE", "TOOK", "FLAGS")
    rows = [
        (
            _time(one["at"]),
            plain(one["seq"]),
            plain(one["attempt"]),
            plain(one["outcome"]),
            plain(one["cause"]),
            f"{1000 * one['seconds']:.0f} ms",
            plain(one["flags"]),
        )
        for one in attempts
    ]
    return table(heads, rows, numbers="SEQ TRY TOOK")


def _trouble(one: dict[str, Any]) -> str:
    """Return what is wrong with a listener; ``""`` if nothing is."""
    if one["state"] == "healthy":
        return ""
    parts = [f"oldest waits {age(one['oldestPendingSeconds'])}"]
    if one["lastFailureCause"]:
        parts.insert(0, f"failed: {plain(one['lastFailureCause'])}")
    if one["nextAttemptSeconds"] is not None:
        parts.append(f"next try in {age(one['nextAttemptSeconds'])}")
    return ", ".join(parts)


def _time(shown: object) -> str:
    return moment(shown) or "never"
