"""What the process of a command begins with."""

import os
import signal


def _interrupted(number: int, frame: object) -> None:
    """End at once, without a traceback: nothing has begun."""
    os.write(2, b"ttgateway: interrupted\n")
    os._exit(1)


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # who has it ignored wants no interrupts
    signal.signal(signal.SIGINT, _interrupted)  # what follows takes a second, or some on a small machine

from ttgateway.commands.terminal.streams import open_closed, printing  # noqa: E402


def begin() -> None:
    """Run the command that was asked for, and end the process with its exit code."""
    open_closed()
    from ttgateway.commands.cli import main  # Twisted takes the first free numbers once it is imported

    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Twisted replaces no other
    with printing():
        main()
