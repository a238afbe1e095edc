"""Printing what a listener is told, as it arrives."""

import os
import sys
from datetime import UTC, datetime

import click
import msgspec

from ttgateway.clock import Clock, MachineClock
from ttgateway.control.console import notice, warning
from ttgateway.control.deliveries import HEAD, Delivery, Judgement, line
from ttgateway.control.ending import Ending


class Printer:
    """Prints each delivery on one line, flushed; asks for the end after ``count`` changes (``None``: never).

    With ``as_json`` the lines are the bodies as they came, each change once; all else goes to standard error.
    """

    def __init__(self, ending: Ending, count: int | None, *, as_json: bool, clock: Clock | None = None) -> None:
        self._ending = ending
        self._left = count
        self._as_json = as_json
        self._clock = clock or MachineClock()

    def begin(self) -> None:
        """Print what stands above the lines."""
        if not self._as_json:
            self._print(HEAD)

    def take(self, delivery: Delivery, judgement: Judgement, raw: bytes) -> bool:
        """Print a delivery; return whether it was taken: after the end, what cannot be shown is not."""
        if self._ending.asked:
            return False
        if self._as_json:
            printed = self._take_json(delivery, judgement, raw)
        else:
            notes = ("told before",) if judgement.repeated else ()
            printed = self._print(line(delivery, self._time(), (*notes, *judgement.faults[:1])))
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
        """Print ``text``; where nobody reads any more (``listen | head``), that is the end."""
        try:
            click.echo(text)
        except BrokenPipeError:
            # Python would complain once more when it flushes its output at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._ending.ask()
            return False
        return True

    def _time(self) -> str:
        return datetime.fromtimestamp(self._clock.now().wall, UTC).astimezone().strftime("%H:%M:%S")
