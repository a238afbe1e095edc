"""Where the gateway on the state directory serves, so that a command need not be told."""

from collections.abc import Callable, Sequence
from typing import Any

from ttgateway.commands.gateway.client import daemon_of
from ttgateway.commands.terminal.console import CommandFailed, Console

DEFAULT = "http://127.0.0.1:8000"
"""Where a gateway serves that was told nothing else."""

_ANY = ("0.0.0.0", "::")  # noqa: S104  # to recognise it


def served_at(serves: Sequence[tuple[str, int]], option: str, here: Callable[[], str]) -> str:
    """Return the URL, without a slash at its end, of what ``serves``; raise `CommandFailed`, which names ``option``.

    ``here`` returns the host by which a gateway that listens everywhere is reached.
    """
    if not serves:
        raise CommandFailed(
            f"the gateway listens on no TCP port; name the address of what stands before it with {option}"
        )
    host, port = serves[0]
    if host in _ANY:
        host = here()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def address_here(console: Console, reactor: Any) -> str:
    """Return the URL, without a slash at its end, at which the gateway serves; raise `CommandFailed`."""
    serves = (await daemon_of(console, reactor).ask("GET", "view"))["serves"]
    return served_at(serves, "--gateway", lambda: "127.0.0.1")


async def address_here_or_default(console: Console, reactor: Any) -> str:
    """Return the same, or `DEFAULT` where no gateway answers on the state directory."""
    try:
        return await address_here(console, reactor)
    except CommandFailed:
        return DEFAULT
