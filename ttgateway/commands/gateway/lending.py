"""A secret for as long as a command runs, and the API that it opens."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from ttgateway.commands.gateway.address import address_here, address_here_or_default
from ttgateway.commands.gateway.api import GatewayAPI
from ttgateway.commands.gateway.client import DaemonNotRunning, daemon_of
from ttgateway.commands.terminal.console import CommandFailed, Console, warning
from ttgateway.commands.tokens import revoked


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


@contextlib.asynccontextmanager
async def lent_api(
    console: Console, reactor: Any, gateway: str | None, secret: str | None, command: str
) -> AsyncIterator[GatewayAPI]:
    """Yield the API of ``gateway``, opened as `lent_secret` opens it; raise `CommandFailed` where none can be had.

    ``None`` is the gateway on the state directory: what it lends is shown to no other.
    """
    async with lent_secret(console, reactor, secret, command) as shown:
        address = address_here_or_default if secret else address_here
        url = gateway or await address(console, reactor)
        yield GatewayAPI(url, shown, console.web(reactor), reactor)
