"""What ``ttgateway simulate --chaos`` does: reach the listener, put it through a run, and tell how it did."""

import sys
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from random import Random
from typing import Any

import click
import msgspec

from ttgateway.clock import Clock
from ttgateway.commands.chaos.book import Book
from ttgateway.commands.chaos.line import Line
from ttgateway.commands.chaos.report import Report, order_shown
from ttgateway.commands.chaos.run import Run
from ttgateway.commands.chaos.script import Fault, Script
from ttgateway.commands.simulation.restaurant import Restaurant
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.progress import Progress
from ttgateway.commands.terminal.tables import as_text
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.callbacks.reach import Reach
from ttgateway.orders.statistics import start_of_day
from ttgateway.refusals import CallbackForbidden, ListenerSilent
from ttgateway.settings import Opening
from ttgateway.store.tables.listeners import Listener

CHANGES = 200
"""Changes of a run that is not told how long it is to be."""

Opened = Callable[[Any, Sequence[Opening]], AbstractContextManager[Network]]
"""Makes, of the reactor and of what is allowed, the network."""


class Chaos(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener is put through. ``changes``, ``ends`` and ``speed`` may be ``None``; ``signing`` ``""``."""

    url: CallbackURL
    api: int
    signing: str
    allow: tuple[Opening, ...]
    faults: tuple[Fault, ...]
    as_json: bool
    seed: int
    begins: float
    changes: int | None
    ends: float | None
    speed: float | None

    def script(self, restaurant: Restaurant, book: Book) -> Script:
        """Return what is sent; the story's random source is another one, so that the faults do not change it."""
        listener = Listener(id="", url=str(self.url), api=self.api, snapshot=self.api == 2, registered=0.0)
        random = Random(f"faults {self.seed}")  # noqa: S311
        return Script(listener, restaurant.story(self.begins), book, self.faults, random)


async def put_through(
    reactor: Any, ending: Ending, what: Chaos, restaurant: Restaurant, clock: Clock, opened: Opened
) -> None:
    """Put the listener through it, and print the report; raise `CommandFailed` where it did not withstand."""
    wall = clock.wall()
    zone = datetime.fromtimestamp(wall, UTC).astimezone().tzinfo or UTC
    book = Book(lambda: str(uuid.uuid4()), start_of_day(wall, zone), zone)
    script, report, progress = what.script(restaurant, book), Report(what.faults), Progress(sys.stderr, reactor.seconds)
    with opened(reactor, what.allow) as network:
        await _reach(network, what.url)
        progress.note(f"Chaos for {what.url} (--seed {what.seed}).")
        line = Line(what.url, network, reactor)
        run = Run(what.url, what.signing, line, report, ending, reactor, clock)
        with ending.after(what.ends):
            try:
                await run.play(script.acts(what.changes), what.speed, progress)
            finally:
                line.close()
    progress.end()
    click.echo(_as_json(what, script, report, book, run) if what.as_json else _for_people(script, report, book))
    if not report.withstood:
        raise CommandFailed(f"the listener did not take all that it was sent; again with: --seed {what.seed}")


async def _reach(network: Network, url: CallbackURL) -> None:
    """Send the HEAD of a registration."""
    try:
        await Reach(network).reach(str(url), "")
    except CallbackForbidden as error:
        raise CommandFailed(f"{error} Here it is --allow that does.") from None
    except ListenerSilent as error:
        raise CommandFailed(f"nobody answers a HEAD at {url} ({error.cause})") from None


def _for_people(script: Script, report: Report, book: Book) -> str:
    names = ", ".join(order.name for order in book.orders)
    return (
        f"{report.text()}\n\n{script.written} changes in {report.sent} requests; the newest seq is {book.last}.\n"
        f"Open orders: {names or 'none'}. Your listener should show these now, and no others."
    )


def _as_json(what: Chaos, script: Script, report: Report, book: Book, run: Run) -> str:
    found = {
        "url": str(what.url),
        "seed": what.seed,
        "withstood": report.withstood,
        "changes": script.written,
        "requests": report.sent,
        "faults": report.shown(),
        "findings": report.findings,
        "epoch": run.epoch(script.journal),
        "seq": book.last,
        "open": [order_shown(order) for order in book.orders],
    }
    return as_text(found)
