"""A secret for as long as a command runs."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from ttgateway.control.client import DaemonNotRunning, daemon_of
from ttgateway.control.console import CommandFailed, Console, warning
from ttgateway.control.tokens import revoked


@contextlib.asynccontextmanager
async def lent_secret(console: Console, reactor: Any, secret: str | None, command: str) -> AsyncIterator[str]:
    """Yield ``secret``, or else one that the daemon makes for ``command``, and that is revoked afterwards.

    Raises `CommandFailed` where none can be had.
    """
    if secret:
        yield secret
        return
    try:
        made = await daemon_of(console, reactor).ask("POST", "tokens", name=f"ttgateway {command}")
    except DaemonNotRunning as error:
        raise CommandFailed(f"{error}; to use a gateway elsewhere, give --gateway and --token") from None
    try:
        yield made["secret"]
    finally:
        try:
            await revoked(console, reactor, made["id"])
        except CommandFailed as error:
            warning(f"the temporary secret {made['id']} is still valid: {error}")
