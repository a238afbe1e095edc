"""``ttgateway simulate``: a restaurant, so that a gateway has real traffic, and a listener real trouble."""

import sys
from collections.abc import Callable, Collection
from random import Random, SystemRandom
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from ttgateway.clock import MachineClock
from ttgateway.commands.chaos.command import CHANGES, Chaos, put_through
from ttgateway.commands.chaos.network import real_network
from ttgateway.commands.chaos.script import Fault
from ttgateway.commands.gateway.api import Refused
from ttgateway.commands.gateway.lending import lent_api
from ttgateway.commands.options import gateway_option, token_option
from ttgateway.commands.simulation.day import clock, opening
from ttgateway.commands.simulation.driving import ORDERS, Driver
from ttgateway.commands.simulation.restaurant import Restaurant
from ttgateway.commands.simulation.tempo import Tempo
from ttgateway.commands.terminal.console import CommandFailed, Console, pass_console
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.progress import Progress
from ttgateway.commands.values import Allowed, Duration, ListenerURL, Number, SigningSecret, TimeOfDay
from ttgateway.notifier.callbacks.callback import CallbackURL

SPEED = 60.0
"""Seconds of the story in one second: a minute."""

ORDERS_A_TABLE = 2.5
"""Orders in the busiest hour."""


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What is played to a gateway; ``changes`` and ``ends`` (seconds) may be ``None``: no end.

    ``gateway`` ``None`` is the one on the state directory.
    """

    gateway: str | None
    secret: str | None
    tables: int
    orders: float
    begins: float
    speed: float
    nights: bool
    changes: int | None
    ends: float | None
    seed: int


_OF_CHAOS = ("signing", "api", "allow", "faults", "as_json")
_OF_GATEWAYS = ("gateway", "secret", "nights")


@click.command()
@gateway_option
@token_option
@click.option("--tables", type=click.IntRange(1, 5000), default=20, show_default=True, help="Tables of the restaurant.")
@click.option(
    "--orders-per-hour",
    "orders",
    type=Number(1.0, 50_000.0),
    help=f"Orders in the busiest hour. [default: {ORDERS_A_TABLE:g} a table]",
)
@click.option("--from", "begins", type=TimeOfDay(), default="12:00", show_default=True, help="When the story begins.")
@click.option(
    "--speed",
    type=Number(0.01, 100_000.0),
    metavar="FACTOR",
    help=f"How many times as fast as life; 1 is real time. [default: {SPEED:g}; with --chaos as the listener answers]",
)
@click.option("--nights", is_flag=True, help="Wait through the nights, too: without it the next day follows at once.")
@click.option("--for", "ends", type=Duration(), help="End after this time, as 90s, 10m or 2h. [default: at Ctrl-C]")
@click.option("--changes", type=click.IntRange(1), help="End after so many changes. [default with --chaos: 200]")
@click.option("--seed", type=int, help="Tell the same story as another run with this seed. [default: any]")
@click.option(
    "--chaos", type=ListenerURL(), metavar="URL", help="Put the listener at URL through it, without a gateway."
)
@click.option(
    "--only",
    "faults",
    type=click.Choice([fault.value for fault in Fault]),
    multiple=True,
    metavar="FAULT",
    help="With --chaos: this fault alone; may be given several times.",
)
@click.option(
    "--api", type=click.Choice(["1", "2"]), default="2", help="With --chaos: the listener's version. [default: 2]"
)
@click.option("--secret", "signing", type=SigningSecret(), default="", metavar="whsec_...", help="With --chaos: sign.")
@click.option("--allow", type=Allowed(), multiple=True, help="With --chaos: as the setting callbacks.allow.")
@click.option("--json", "as_json", is_flag=True, help="With --chaos: print JSON.")
@pass_console
@click.pass_context
def simulate(context: click.Context, console: Console, /, **options: Any) -> None:
    """Play a restaurant: orders are started, seated, moved, paged and cleared through the gateway's API.

    It is open from 11:00 to 22:00, and full at noon and in the evening. Only free order numbers are used. Ctrl-C ends
    it; then the orders that it started are cleared, and no others. A gateway that restarts is waited for.

    With --chaos no gateway takes part: the listener at URL is sent what a gateway would send, with duplicates, gaps,
    old snapshots and broken connections among it, and the exit code is 0 if it took all.
    """
    url = options.pop("chaos")
    for name in _OF_CHAOS if url is None else _OF_GATEWAYS:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{_spelled(context, name)} goes {'only' if url is None else 'not'} with --chaos")
    seed = options["seed"] = _seed(options["seed"])
    options["orders"] = options["orders"] or options["tables"] * ORDERS_A_TABLE

    def restaurant(taken: Collection[str]) -> Restaurant:
        return Restaurant(options["tables"], options["orders"], Random(seed), taken)  # noqa: S311

    if url is None:
        options["speed"] = options["speed"] or SPEED
        what = Simulation(**{name: options[name] for name in Simulation.__struct_fields__})
        console.run(lambda reactor, ending: simulated(console, reactor, ending, what, restaurant))
    else:
        chaos = _chaos(url, options)
        console.run(
            lambda reactor, ending: put_through(reactor, ending, chaos, restaurant(()), MachineClock(), real_network)
        )


def _chaos(url: CallbackURL, options: dict[str, Any]) -> Chaos:
    chosen = {name: options[name] for name in Chaos.__struct_fields__ if name in options}
    if chosen["changes"] is None and chosen["ends"] is None:
        chosen["changes"] = CHANGES
    faults = tuple(map(Fault, options["faults"])) or tuple(Fault)
    return Chaos(**{**chosen, "url": url, "api": int(options["api"]), "faults": faults})


def _seed(wanted: int | None) -> int:
    return SystemRandom().randrange(1_000_000) if wanted is None else wanted


def _spelled(context: click.Context, name: str) -> str:
    return next(parameter.opts[0] for parameter in context.command.params if parameter.name == name)


async def simulated(
    console: Console, reactor: Any, ending: Ending, what: Simulation, restaurant: Callable[[set[str]], Restaurant]
) -> None:
    """Simulate until there were enough changes or ``ending`` says so; raise `CommandFailed`."""
    async with lent_api(console, reactor, what.gateway, what.secret, "simulate") as api:
        reply = await api.first_call(ORDERS)
        story = restaurant({str(item["name"]) for item in reply["items"]}).story(what.begins)
        progress = Progress(sys.stderr, reactor.seconds)
        progress.note(
            f"{what.tables} tables at {api.url}, from {clock(opening(what.begins))} on, {what.speed:g} times as"
            f" fast as life (--seed {what.seed})."
        )
        driver = Driver(api, story, ending, reactor, progress, Tempo(reactor, what.speed, nights=what.nights))
        began = reactor.seconds()
        failed = None
        with ending.after(what.ends):
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
