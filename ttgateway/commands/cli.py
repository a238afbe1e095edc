"""``ttgateway``: the operator's command, and the one place of it that meets the reactor."""

import contextlib
from pathlib import Path
from typing import Any, TypeVar

import click
from treq.client import HTTPClient
from twisted.internet import task
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool

from ttgateway import __version__
from ttgateway.clock import steady
from ttgateway.commands.allow import allow
from ttgateway.commands.backup import backup
from ttgateway.commands.check import check
from ttgateway.commands.completion import completion
from ttgateway.commands.damage import damage
from ttgateway.commands.discover import discover
from ttgateway.commands.gateway.calling import Requests
from ttgateway.commands.gateway.client import socket_requests
from ttgateway.commands.history import history
from ttgateway.commands.listen import listen
from ttgateway.commands.listeners import listeners
from ttgateway.commands.open import open_page
from ttgateway.commands.restore import restore
from ttgateway.commands.show import button, orders
from ttgateway.commands.simulate import simulate
from ttgateway.commands.status import status
from ttgateway.commands.tail import tail
from ttgateway.commands.terminal.aside import aside
from ttgateway.commands.terminal.console import Console, Work
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.tokens import token
from ttgateway.discovery.browsing import found_gateways
from ttgateway.options import STATE_DIR
from ttgateway.signals import end_with_the_terminal, later_ends_at_once

CONNECT = 5.0
"""Seconds to reach a gateway."""

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state-dir",
    "-d",
    # Whoever may not read it may use a gateway elsewhere.
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    default=STATE_DIR,
    show_default=True,
    envvar="TTGATEWAY_STATE_DIR",
    show_envvar=True,
    help="The folder in which the gateway keeps its state.",
)
@click.version_option(__version__, prog_name="ttgateway", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, state_dir: Path) -> None:
    """Operate a ttgateway: its secrets, its listeners, its orders; and try it out.

    The gateway itself is started with: twistd -n ttgateway
    """
    context.obj = Console(
        state_dir=state_dir,
        run=run,
        control=lambda reactor: socket_requests(reactor, state_dir),
        web=web_requests,
        browse=found_gateways,
        aside=aside,
    )


_SEEING = (open_page, status, check, listeners, orders, history, tail, discover)
_DOING = (token, allow, button, listen, simulate, backup, restore, damage, completion)
for command in (*_SEEING, *_DOING):
    main.add_command(command)


def web_requests(reactor: Any) -> Requests:
    """Return what sends HTTP requests to a gateway, over connections that are kept."""
    return HTTPClient(Agent(reactor, connectTimeout=CONNECT, pool=HTTPConnectionPool(reactor)))


def run(work: Work[T]) -> T:
    """Run ``work`` in the reactor and return what it returns, or raise what it raises.

    The first Ctrl-C (or SIGTERM) asks it to end, and its end is waited for; a later one ends the process at once. So
    does the end of the terminal (SIGHUP) ask, but no more than once.
    """
    from twisted.internet import reactor  # noqa: TID251  # not before there is something to run

    steady(reactor)  # type: ignore[arg-type]
    end_with_the_terminal(reactor)
    ending = Ending(reactor)
    results: list[Any] = []

    def begin(_: object) -> Deferred[None]:
        done = ensureDeferred(work(reactor, ending)).addBoth(results.append)  # type: ignore[arg-type]

        def interrupted() -> Deferred[None]:
            later_ends_at_once(reactor)
            ending.ask()
            return done

        reactor.addSystemEventTrigger("before", "shutdown", interrupted)
        return done

    with contextlib.suppress(SystemExit):
        task.react(begin)
    result = results[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result  # type: ignore[no-any-return]
