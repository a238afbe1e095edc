"""What the process of a command begins with."""

import os
import signal


def begin() -> None:
    """Run the command that the command line names, with streams that can be told from what else is opened."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # who has it ignored wants no interrupts
        signal.signal(signal.SIGINT, _interrupted)
    # What is imported here takes a second, or some on a small machine; and Twisted takes the first free numbers.
    from ttgateway.commands.terminal.streams import open_closed, printing

    open_closed()
    from ttgateway.commands.cli import main

    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Twisted replaces no other
    with printing():
        main()


def _interrupted(number: int, frame: object) -> None:
    """End at once, without a traceback: nothing has begun."""
    os.write(2, b"ttgateway: interrupted\n")
    os._exit(1)
