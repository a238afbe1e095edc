"""Printing what a listener is told, as it arrives."""

from collections.abc import Callable
from datetime import UTC, datetime

import click
import msgspec

from ttgateway.clock import Clock, MachineClock
from ttgateway.commands.receiving.deliveries import HEAD, Delivery, Judgement, Shape, line
from ttgateway.commands.terminal.console import notice, warning
from ttgateway.commands.terminal.ending import Ending


class Printer:
    """Prints each delivery on one line, flushed; asks for the end after ``count`` changes (``None``: never).

    With ``as_json`` the lines are the bodies as they came, each change once; all else goes to standard error. The time
    on a line is what ``when`` returns of the body, or, without it or where it returns ``""``, that of the printing.
    """

    def __init__(
        self,
        ending: Ending,
        count: int | None,
        *,
        as_json: bool,
        clock: Clock | None = None,
        when: Callable[[Shape], str] | None = None,
    ) -> None:
        self._ending = ending
        self._left = count
        self._as_json = as_json
        self._clock = clock or MachineClock()
        self._when = when
        self._failed: OSError | None = None

    def begin(self) -> None:
        """Print what stands above the lines."""
        if not self._as_json:
            self._print(HEAD)

    def end(self) -> None:
        """Raise the error with which printing failed; that nobody reads any more (``listen | head``) is none."""
        if self._failed is not None and not isinstance(self._failed, BrokenPipeError):
            raise self._failed

    def take(self, delivery: Delivery, judgement: Judgement, raw: bytes) -> bool:
        """Print a delivery; return whether it was taken: after the end, what cannot be shown is not."""
        if self._ending.asked:
            return False
        if self._as_json:
            printed = self._take_json(delivery, judgement, raw)
        else:
            notes = ("told before",) if judgement.repeated else ()
            printed = self._print(line(delivery, self._time(delivery.body), (*notes, *judgement.faults[:1])))
        for fault in judgement.faults:
            warning(fault)
        if printed and delivery.is_change and not judgement.repeated and self._left is not None:
            self._left -= 1
            if not self._left:
                self._ending.ask()
        return printed

    def _take_json(self, delivery: Delivery, judgement: Judgement, raw: bytes) -> bool:
        if judgement.repeated:
            notice(f"Told before: seq {delivery.seq} ({delivery.webhook_id}); not printed again.")
            return True
        one_line = raw if not {b"\n", b"\r"} & {bytes([byte]) for byte in raw} else msgspec.json.format(raw, indent=-1)
        return self._print(one_line.decode())

    def _print(self, text: str) -> bool:
        """Print ``text``; where that fails, it is the end."""
        try:
            click.echo(text)
        except OSError as error:
            self._failed = error
            self._ending.ask()
            return False
        return True

    def _time(self, body: Shape) -> str:
        if self._when is not None and (time := self._when(body)):
            return time
        return datetime.fromtimestamp(self._clock.now().wall, UTC).astimezone().strftime("%H:%M:%S")
