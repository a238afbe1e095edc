"""``ttgateway allow``: whom the gateway may call, whether a daemon runs or not."""

from pathlib import Path
from typing import Any

import click
import msgspec

from ttgateway.clock import MachineClock
from ttgateway.commands.gateway.client import Daemon
from ttgateway.commands.gateway.offline import either, opened
from ttgateway.commands.gateway.unstarted import config_option, policy_of, resolver_of, settings_in
from ttgateway.commands.options import as_json_option
from ttgateway.commands.terminal.console import CommandFailed, Console, notice, pass_console
from ttgateway.commands.terminal.tables import as_text, plain, printable, table
from ttgateway.control.surroundings import openable, trial_shape
from ttgateway.notifier.callbacks.trial import tried
from ttgateway.openings import Entries, add, check_room, load, opening, remove
from ttgateway.refusals import Refusal

_CLOSED = (
    "Closed whatever is opened: metadata services of clouds, multicast, broadcast, IPv6 addresses that embed IPv4"
    " ones, and the gateway itself."
)


@click.command()
@click.argument("words", metavar="[NETWORK [port PORT]]", nargs=-1)
@click.option("--remove", "removes", is_flag=True, help="Close NETWORK again, as it was opened by this command.")
@click.option(
    "--test", "url", metavar="URL", help="Tell whether URL would be called, by which rule, and what opens it."
)
@as_json_option
@config_option
@pass_console
def allow(
    console: Console, words: tuple[str, ...], removes: bool, url: str | None, as_json: bool, config: Path | None
) -> None:
    """Let the gateway call NETWORK, such as 203.0.113.0/24 or 203.0.113.7; or show what it may call.

    Private networks need no opening. What is opened holds at once, and until it is removed. With port PORT only that
    port is opened, whichever it is. --test ends with exit code 1 if URL would not be called.
    """
    if url is not None and (words or removes):
        raise click.UsageError("--test goes with neither NETWORK nor --remove")
    if removes and not words:
        raise click.UsageError("--remove wants NETWORK")
    if url is not None:
        _test(console, url, config, as_json=as_json)
    elif words:
        _change(console, " ".join(words), config, removes=removes)
    else:
        rules = console.run(lambda reactor, _: rules_of(console, reactor, config))
        click.echo(as_text(rules) if as_json else rules_text(rules))


def _test(console: Console, url: str, config: Path | None, *, as_json: bool) -> None:
    found = console.run(lambda reactor, _: tested(console, reactor, url, config))
    click.echo(as_text(found) if as_json else trial_text(found))
    if not found["called"]:
        click.get_current_context().exit(1)


def _change(console: Console, text: str, config: Path | None, *, removes: bool) -> None:
    try:
        wanted = str(opening(text) if removes else openable(text))
    except Refusal as refusal:
        raise CommandFailed(str(refusal), 2) from None
    changed, online = console.run(lambda reactor, _: _changed(console, reactor, wanted, config, removes=removes))
    done = "Closed" if removes else "Opened" if changed else "Was open already:"
    click.echo(f"{done} {wanted}{'' if online else '; that holds when the gateway starts'}.")


async def _changed(
    console: Console, reactor: Any, wanted: str, config: Path | None, *, removes: bool
) -> tuple[bool, bool]:
    changed, online = await change(console, reactor, wanted, removes=removes)
    if removes and not changed:
        raise CommandFailed(_not_opened(wanted, await rules_of(console, reactor, config)))
    return changed, online


def _not_opened(wanted: str, rules: dict[str, Any]) -> str:
    if wanted in rules["settings"]:
        return f"{wanted} is opened by the settings: take it out of callbacks.allow there, and restart the gateway"
    return f"{wanted} was not opened by this command (ttgateway allow)"


async def rules_of(console: Console, reactor: Any, config: Path | None) -> Any:
    """Return what opens more than private networks, as `CallPolicy.rules` has it; raise `CommandFailed`."""

    def offline() -> Any:
        found = opened_in(console)
        _settings_not_asked(config)
        return policy_of(settings_in(config), found).rules

    return await either(console, reactor, lambda daemon: daemon.ask("GET", "allowed"), offline)


async def tested(console: Console, reactor: Any, url: str, config: Path | None) -> Any:
    """Return what would become of ``url``, as a `TrialShape`; raise `CommandFailed`."""

    async def online(daemon: Daemon) -> Any:
        return await daemon.ask("POST", "trial", url=url)

    found = await either(console, reactor, online, lambda: opened_in(console))
    if not isinstance(found, tuple):
        return found
    _settings_not_asked(config)
    trial = await tried(url, policy_of(settings_in(config), found), resolver_of(console.aside, reactor))
    return msgspec.to_builtins(trial_shape(trial))


async def change(console: Console, reactor: Any, wanted: str, *, removes: bool) -> tuple[bool, bool]:
    """Open ``wanted``, or close it; return whether that changed anything, and whether a daemon did it."""

    async def online(daemon: Daemon) -> tuple[bool, bool]:
        answer = await daemon.change("ttgateway allow", "DELETE" if removes else "POST", "allowed", network=wanted)
        return bool(answer["changed"]), True

    def offline() -> tuple[bool, bool]:
        with opened(console.state_dir, MachineClock(), must_exist=True) as db:
            if removes:
                return remove(db, opening(wanted)), False
            try:
                check_room(load(db), opening(wanted))
            except Refusal as refusal:
                raise CommandFailed(str(refusal)) from None
            return add(db, opening(wanted)), False

    return await either(console, reactor, online, offline)


def opened_in(console: Console) -> Entries:
    """Return what is opened by this command in the file of a gateway that does not run; raise `CommandFailed`."""
    with opened(console.state_dir, MachineClock(), must_exist=True) as db:
        return load(db)


def _settings_not_asked(config: Path | None) -> None:
    if config is None:
        notice("No gateway runs here: its settings are taken for the defaults. --config names their file.")


def rules_text(rules: dict[str, Any]) -> str:
    """Return what may be called, and why, for people."""
    rows = [(", ".join(rules["private"]), "being private; but for the router, and ports of other kinds of service")]
    if rules["loopback"]:
        rows.append(("loopback", "the gateway itself listens on loopback only"))
    rows += [(plain(entry), "the settings: callbacks.allow") for entry in rules["settings"]]
    rows += [(plain(entry), "ttgateway allow") for entry in rules["command"]]
    lines = [table(("MAY BE CALLED", "BY"), rows), "", _CLOSED]
    if rules["sourceOnly"]:
        lines.append("A device may register its own address only: callbacks.source_only in the settings.")
    return "\n".join(lines)


def trial_text(found: dict[str, Any]) -> str:
    """Return what would become of a URL, for people."""
    verdict = "would be called." if found["called"] else "would not be called."
    lines = [f"{printable(found['url'])} {verdict}"]
    lines += [f"  {plain(one['address'])}: {printable(one['rule'])}" for one in found["addresses"]]
    if not found["addresses"]:
        lines.append(f"  {printable(found['whyNot'])}")
    return "\n".join(lines)
