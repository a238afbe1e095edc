"""``ttgateway simulate``: a busy floor, so that a gateway has real traffic."""

import sys
from random import Random
from typing import Any

import click
import msgspec

from ttgateway.control.api import GatewayAPI, Refused
from ttgateway.control.console import CommandFailed, Console, pass_console
from ttgateway.control.driving import ORDERS, Driver
from ttgateway.control.ending import Ending
from ttgateway.control.floor import Floor
from ttgateway.control.lending import lent_secret
from ttgateway.control.options import gateway_option, token_option
from ttgateway.control.progress import Progress


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated: ``pace`` in changes a second; ``changes`` and ``seed`` may be ``None``: no end, any seed."""

    gateway: str
    secret: str | None
    tables: int
    pace: float
    changes: int | None
    seed: int | None


@click.command()
@gateway_option
@token_option
@click.option("--tables", type=click.IntRange(1, 5000), default=12, show_default=True, help="Tables on the floor.")
@click.option(
    "--pace",
    type=click.FloatRange(0.01, 1000.0),
    default=2.0,
    show_default=True,
    metavar="CHANGES",
    help="Changes a second, as far as the gateway keeps up.",
)
@click.option("--changes", type=click.IntRange(1), help="End after so many changes. [default: at Ctrl-C]")
@click.option("--seed", type=int, help="Make the same choices as another run with this seed.")
@pass_console
def simulate(console: Console, /, **options: Any) -> None:
    """Start, seat, page and clear orders as on a busy floor, through the gateway's API.

    Only free order numbers are used. Ctrl-C ends it; then the orders that it started are cleared, and no others.
    """
    console.run(lambda reactor, ending: simulated(console, reactor, ending, Simulation(**options)))


async def simulated(console: Console, reactor: Any, ending: Ending, what: Simulation) -> None:
    """Simulate until there were enough changes or ``ending`` says so; raise `CommandFailed`."""
    async with lent_secret(console, reactor, what.secret, "simulate") as secret:
        api = GatewayAPI(what.gateway, secret, console.web(reactor), reactor)
        floor = Floor(what.tables, Random(what.seed))  # noqa: S311  # for choosing what happens, not for secrets
        reply = await api.first_call(ORDERS)
        floor.avoid(str(item["name"]) for item in reply["items"])
        progress = Progress(sys.stderr, reactor.seconds)
        progress.note(f"A floor of {what.tables} tables at {what.gateway}, {what.pace:g} changes a second.")
        driver = Driver(api, floor, ending, reactor, progress, what.pace)
        began = reactor.seconds()
        failed = None
        try:
            await driver.drive(what.changes)
        except Refused as error:
            failed = api.failed(error)
        took = reactor.seconds() - began
        cleared, left = await driver.clear()
        progress.end()
        click.echo(_summary(driver, took, cleared))
        if failed is None and left:
            failed = CommandFailed(f"{left} orders that this started could not be cleared, and are still active")
        if failed is not None:
            raise failed


def _summary(driver: Driver, took: float, cleared: int) -> str:
    rate = driver.made / took if took > 0 else 0.0
    return (
        f"{driver.made} changes in {took:.1f} s ({rate:.1f} a second), {driver.failures} failures;"
        f" {cleared} open orders cleared at the end."
    )
