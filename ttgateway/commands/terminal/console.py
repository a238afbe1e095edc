"""What every command is given: where the gateway's state is, and how to do something that takes time."""

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import msgspec
from twisted.internet.defer import Deferred

from ttgateway.commands.gateway.calling import Requests
from ttgateway.commands.terminal.ending import Ending
from ttgateway.discovery.browsing import FoundGateway

T = TypeVar("T")

Work = Callable[[Any, Ending], Awaitable[T]]
"""What a command does, given the reactor and what tells it to end."""


class CommandFailed(click.ClickException):
    """A command cannot do what it was asked for; the text is the one line that the operator gets.

    ``code`` is the exit code of the process.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it of the instance

    def show(self, file: Any = None) -> None:
        """Print the line on standard error."""
        with contextlib.suppress(OSError):  # there is nowhere else to say it
            click.echo(f"ttgateway: {self.format_message()}", file=file, err=True)


class Runner(Protocol):
    """How a command does something that takes time."""

    def __call__(self, work: Work[T], /) -> T:
        """Run ``work`` to its end and return what it returns, or raise what it raises."""


class Aside(Protocol):
    """How a command does something that blocks while the reactor goes on."""

    def __call__(self, reactor: Any, work: Callable[[], T], /) -> Deferred[T]:
        """Run ``work`` on a thread of its own, which is not waited for at the end of the process."""


class Console(msgspec.Struct, frozen=True):
    """What the commands share; tests put something else in each place.

    ``control`` and ``web`` make, of the reactor, what sends HTTP requests to the daemon's control socket and to the
    API of a gateway. ``browse`` returns the gateways that announce themselves within so many seconds. ``aside`` runs
    what blocks.
    """

    state_dir: Path
    run: Runner
    control: Callable[[Any], Requests]
    web: Callable[[Any], Requests]
    browse: Callable[[float], list[FoundGateway]]
    aside: Aside


pass_console = click.make_pass_decorator(Console)


def notice(text: str) -> None:
    """Tell the operator something that is not the command's result: on standard error."""
    with contextlib.suppress(OSError):  # the terminal has gone: what is being ended is ended all the same
        click.echo(text, err=True)


def warning(text: str) -> None:
    """Tell the operator, loudly, of something that should not be."""
    with contextlib.suppress(OSError):
        click.secho(f"!! {text}", fg="red", bold=True, err=True)
