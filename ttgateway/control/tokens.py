"""``ttgateway token``: make, list and revoke secrets, whether a daemon runs or not."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import msgspec
from twisted.internet.task import deferLater

from ttgateway.clock import MachineClock
from ttgateway.control.client import Daemon, DaemonNotRunning, daemon_of
from ttgateway.control.console import CommandFailed, Console, notice, pass_console
from ttgateway.control.offline import OfflineTokens, StoreInUse
from ttgateway.control.tables import plain, table
from ttgateway.refusals import TokenNameInvalid
from ttgateway.secrets import token_name

PATIENCE = 5.0
"""Seconds for which a daemon may hold its state directory without answering: it starts, or ends."""

AGAIN = 0.2

T = TypeVar("T")


@click.group()
def token() -> None:
    """Make, list and revoke the secrets that devices show to the gateway."""


@token.command()
@click.argument("name")
@click.option("--key", is_flag=True, help="Make a key (a UUID, as version 1 devices use) in place of a token.")
@pass_console
def create(console: Console, name: str, key: bool) -> None:
    """Make a secret called NAME, and print it as the last line.

    The secret is shown this once: the gateway keeps only a hash of it.
    """
    made, online = console.run(lambda reactor, _: created(console, reactor, name, key=key))
    valid = "valid at once" if online else f"valid when the gateway on {console.state_dir} starts"
    notice(f"{made['kind'].capitalize()} {made['name']} (id {made['id']}): {valid}.")
    click.echo(made["secret"])


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_console
def list_tokens(console: Console, as_json: bool) -> None:
    """List the secrets, without what is secret of them."""
    found = console.run(lambda reactor, _: listed(console, reactor))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        click.echo(tokens_table(found))


@token.command()
@click.argument("wanted", metavar="ID-OR-NAME")
@pass_console
def revoke(console: Console, wanted: str) -> None:
    """Let a secret open nothing any more; a name revokes all secrets of that name."""
    count = console.run(lambda reactor, _: revoked(console, reactor, wanted))
    if not count:
        raise CommandFailed(f"no secret has the id or name {wanted!r} (ttgateway token list)")
    click.echo(f"Revoked {wanted!r}." if count == 1 else f"Revoked {count} secrets called {wanted!r}.")


async def created(console: Console, reactor: Any, name: str, *, key: bool) -> tuple[Any, bool]:
    """Make a secret; return it as the daemon shows it, and whether it is valid already. Raises `CommandFailed`."""

    async def online(daemon: Daemon) -> tuple[Any, bool]:
        return await daemon.ask("POST", "tokens", name=name, key=key), True

    return await either(console, reactor, online, lambda offline: (offline.create(name, key=key), False))


async def listed(console: Console, reactor: Any) -> Any:
    """Return every secret as the daemon shows it; raise `CommandFailed`."""
    return await either(console, reactor, lambda daemon: daemon.ask("GET", "tokens"), lambda offline: offline.all())


async def revoked(console: Console, reactor: Any, wanted: str) -> int:
    """Revoke the secret with this id, or those with this name; return how many. Raises `CommandFailed`."""
    try:
        token_name(wanted)
    except TokenNameInvalid:
        return 0

    async def online(daemon: Daemon) -> int:
        return int((await daemon.ask("DELETE", "tokens", wanted))["revoked"])

    return await either(console, reactor, online, lambda offline: offline.revoke(wanted))


async def either(
    console: Console,
    reactor: Any,
    online: Callable[[Daemon], Awaitable[T]],
    offline: Callable[[OfflineTokens], T],
) -> T:
    """Return what ``online`` returns where a daemon runs, and what ``offline`` returns where none does."""
    daemon = daemon_of(console, reactor)
    file = OfflineTokens(console.state_dir, MachineClock(), os.urandom)
    ends = reactor.seconds() + PATIENCE
    while True:
        try:
            return await online(daemon)
        except DaemonNotRunning:
            pass
        try:
            return offline(file)
        except StoreInUse:
            if reactor.seconds() >= ends:
                raise CommandFailed(
                    f"{console.state_dir}: a gateway holds this state directory, but does not answer on its"
                    " control socket; look at its log, or try again"
                ) from None
        await deferLater(reactor, AGAIN)


def tokens_table(found: list[dict[str, Any]]) -> str:
    """Return the secrets as a table for people."""
    if not found:
        return "There are no secrets. Make one: ttgateway token create NAME"
    rows = [
        (
            plain(one["id"]),
            plain(one["name"]),
            plain(one["kind"]),
            _minute(one["created"]),
            _minute(one["lastUsed"]) or "never",
            plain(one["ipAddress"]),
        )
        for one in found
    ]
    return table(("ID", "NAME", "KIND", "CREATED", "LAST USED", "FROM"), rows)


def _minute(time: str | None) -> str:
    return plain(time).replace("T", " ")[:16]
