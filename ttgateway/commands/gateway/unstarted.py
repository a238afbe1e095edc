"""The gateway that would be started here: its settings and whom it would call, where none runs that could be asked."""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import click

from ttgateway.commands.terminal.console import Aside, CommandFailed
from ttgateway.notifier.callbacks.here import policy_here
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import SystemResolver, system_addresses
from ttgateway.openings import Entries
from ttgateway.settings import Settings, SettingsError, allowed_network, load

config_option = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, readable=False),
    envvar="TTGATEWAY_CONFIG",
    show_envvar=True,
    help="The settings of a gateway that does not run; one that runs tells its own.",
)


def settings_in(config: Path | None) -> Settings:
    """Return the settings in the file, the defaults where none is named; raise `CommandFailed`."""
    try:
        return Settings() if config is None else load(config)
    except SettingsError as error:
        raise CommandFailed(str(error), 2) from None


def policy_of(
    settings: Settings, opened: Entries, *, loopback: bool = False, own_ports: Collection[int] = ()
) -> CallPolicy:
    """Return whom a gateway with these settings and openings may call, from this machine."""
    policy = policy_here(
        allow=[allowed_network(text) for text in settings.callbacks.allow],
        source_only=settings.callbacks.source_only,
        loopback=loopback,
        own_ports=own_ports,
    )
    policy.allow_also(opened)
    return policy


def resolver_of(aside: Aside, reactor: Any) -> SystemResolver:
    """Return what knows the addresses of names, as a gateway on this machine would."""
    return SystemResolver(lambda name: aside(reactor, partial(system_addresses, name)), reactor)
