"""``ttgateway damage``: what the store has lost, and that somebody has seen it."""

from typing import Any

import click

from ttgateway.clock import MachineClock
from ttgateway.commands.gateway.client import Daemon
from ttgateway.commands.gateway.offline import either, opened
from ttgateway.commands.terminal.console import Console, pass_console
from ttgateway.store.damage.findings import forget_damage, noted_damage


@click.command()
@click.option("--seen", is_flag=True, help="Let the health be well again: somebody knows of it.")
@pass_console
def damage(console: Console, seen: bool) -> None:
    """Show what the gateway's store has lost, if it had to be recovered.

    Until that was seen, /healthz answers 503, restarts included.
    """
    lost = console.run(lambda reactor, _: asked(console, reactor, seen=seen))
    if not lost:
        click.echo("The store has lost nothing that nobody has seen.")
        return
    click.echo(lost)
    if seen:
        click.echo("Seen: the gateway's health does not tell of it any more.")


async def asked(console: Console, reactor: Any, *, seen: bool) -> str:
    """Return what the store has lost, ``""`` for nothing, and forget it where it is ``seen``; raise `CommandFailed`."""

    async def online(daemon: Daemon) -> str:
        asking = daemon.change("ttgateway damage", "DELETE", "damage") if seen else daemon.ask("GET", "damage")
        return str((await asking)["damage"])

    def offline() -> str:
        with opened(console.state_dir, MachineClock(), must_exist=True) as db:
            lost = noted_damage(db)
            if seen:
                forget_damage(db)
            return lost

    return await either(console, reactor, online, offline)
