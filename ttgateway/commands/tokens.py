"""``ttgateway token``: make, list and revoke secrets, whether a daemon runs or not."""

import os
from typing import Any

import click

from ttgateway.clock import MachineClock
from ttgateway.commands.gateway.client import Daemon
from ttgateway.commands.gateway.offline import OfflineTokens, either
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.console import CommandFailed, Console, notice, pass_console
from ttgateway.commands.terminal.tables import as_text, moment, plain, table
from ttgateway.commands.values import Checked
from ttgateway.refusals import TokenNameInvalid
from ttgateway.secrets import token_name

_LIST = "ttgateway token list"


@click.group()
def token() -> None:
    """Make, list and revoke the secrets that devices show to the gateway."""


@token.command()
@click.argument("name", type=Checked("name", token_name))
@click.option("--key", is_flag=True, help="Make a key (a UUID, as version 1 devices use) in place of a token.")
@pass_console
def create(console: Console, name: str, key: bool) -> None:
    """Make a secret called NAME, and print it as the last line.

    The secret is shown this once: the gateway keeps only a hash of it.
    """

    async def work(reactor: Any, _: object) -> None:
        made, online = await created(console, reactor, name, key=key)
        valid = "valid at once" if online else f"valid when the gateway on {console.state_dir} starts"
        notice(f"{made['kind'].capitalize()} {made['name']} (id {made['id']}): {valid}.")
        try:
            click.echo(made["secret"])
        except OSError as error:
            raise await _taken_back(console, reactor, made["id"], error) from None

    console.run(work)


@token.command("list")
@as_json_option
@pass_console
def list_tokens(console: Console, as_json: bool) -> None:
    """List the secrets, without what is secret of them."""
    found = console.run(lambda reactor, _: listed(console, reactor))
    if as_json:
        click.echo(as_text(found))
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
        return await daemon.change(_LIST, "POST", "tokens", name=name, key=key), True

    return await either(console, reactor, online, lambda: (_file(console).create(name, key=key), False))


async def listed(console: Console, reactor: Any) -> Any:
    """Return every secret as the daemon shows it; raise `CommandFailed`."""
    return await either(console, reactor, lambda daemon: daemon.ask("GET", "tokens"), _file(console).all)


async def revoked(console: Console, reactor: Any, wanted: str) -> int:
    """Revoke the secret with this id, or those with this name; return how many. Raises `CommandFailed`."""
    try:
        token_name(wanted)
    except TokenNameInvalid:
        return 0

    async def online(daemon: Daemon) -> int:
        return int((await daemon.change(_LIST, "DELETE", "tokens", wanted))["revoked"])

    return await either(console, reactor, online, lambda: _file(console).revoke(wanted))


async def _taken_back(console: Console, reactor: Any, made: str, error: OSError) -> CommandFailed:
    """Revoke a secret that nobody has seen; return what the operator is told."""
    text = f"the secret cannot be printed ({error.strerror})"
    try:
        await revoked(console, reactor, made)
    except CommandFailed as failed:
        return CommandFailed(f"{text}, but is valid: {failed}")
    return CommandFailed(f"{text}, and was revoked")


def _file(console: Console) -> OfflineTokens:
    return OfflineTokens(console.state_dir, MachineClock(), os.urandom)


def tokens_table(found: list[dict[str, Any]]) -> str:
    """Return the secrets as a table for people."""
    if not found:
        return "There are no secrets. Make one: ttgateway token create NAME"
    rows = [
        (
            plain(one["id"]),
            plain(one["name"]),
            "session" if one.get("ends") else plain(one["kind"]),
            _minute(one["created"]),
            _minute(one["lastUsed"]) or "never",
            plain(one["ipAddress"]),
        )
        for one in found
    ]
    return table(("ID", "NAME", "KIND", "CREATED", "LAST USED", "FROM"), rows)


def _minute(time: str | None) -> str:
    return moment(time)[:16]
