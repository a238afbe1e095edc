"""What the process of a command begins with."""

from ttgateway.commands.terminal.streams import open_closed, printing


def begin() -> None:
    """Run the command that was asked for, and end the process with its exit code."""
    open_closed()
    from ttgateway.commands.cli import main  # Twisted takes the first free numbers once it is imported

    with printing():
        main()
