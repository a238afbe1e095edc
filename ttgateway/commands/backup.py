"""``ttgateway backup``: a whole and checked copy of the store, made while the gateway runs, or without it.

The daemon makes the copy in its state directory, the only place where it may write; from there this process brings it
to where the operator wants it, with the operator's rights and relative to the operator's folder, and checks it there.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

import apsw
import click

from ttgateway.commands.gateway.client import Daemon, DaemonWantsRoom
from ttgateway.commands.gateway.offline import either, held
from ttgateway.commands.terminal.busy import Busy, busy
from ttgateway.commands.terminal.console import CommandFailed, Console, pass_console
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.tables import plain
from ttgateway.store import opening, pages
from ttgateway.store.copies.contents import NO_STORE, Contents, look
from ttgateway.store.copies.copying import copy, sync
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import StoreUnusable

LOOK_EVERY = 0.2
"""Seconds between two looks at how far the daemon has come."""

AT_ONCE = 4 * 1024 * 1024
"""Bytes that are brought over before Ctrl-C is listened to again."""

CANNOT_CREATE = 73
"""The exit code where FILE cannot be made: EX_CANTCREAT."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, readable=False))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@pass_console
def backup(console: Console, file: Path, force: bool) -> None:
    """Write a copy of all that the gateway keeps to FILE, and check it.

    The gateway goes on meanwhile. FILE is for its owner alone: it holds the listeners' secrets, and the hashes of
    those that open the gateway. There is either all of it or nothing. Back from it: ttgateway restore FILE
    """
    found = console.run(lambda reactor, ending: backed_up(console, reactor, ending, file, force=force))
    click.echo(f"{file}: {described(found)}. Every page and row was checked.")


def described(contents: Contents) -> str:
    """Return what a store holds, in words."""
    return (
        f"{contents.active} active orders, {contents.orders} in all, {contents.changes} changes,"
        f" {contents.listeners} listeners, {contents.tokens} secrets; last seq {contents.seq},"
        f" schema {contents.schema}, {contents.size / 1e6:.1f} MB"
    )


async def backed_up(console: Console, reactor: Any, ending: Ending, file: Path, *, force: bool) -> Contents:
    """Write the copy; return what it holds. Raises `CommandFailed`, and then leaves at ``file`` what was there."""
    check_target(console.state_dir, file, force=force)
    fresh = file.with_name(f"{file.name}.new")

    async def online(daemon: Daemon) -> None:
        await _from_the_daemon(console, daemon, ending, line, fresh)

    try:
        with busy("copying the store") as line:
            await either(console, reactor, online, lambda: _from_the_file(console.state_dir, file, fresh))
            line.text = "checking the copy"
            found = checked(fresh, console.state_dir / opening.FILE)
            check_target(console.state_dir, file, force=force)
            fresh.replace(file)
            sync(file.absolute().parent)
    except DaemonWantsRoom as error:
        raise CommandFailed(str(error), CANNOT_CREATE) from None
    except OSError as error:
        raise _cannot_write(file, error) from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return found


def check_target(state_dir: Path, file: Path, *, force: bool) -> None:
    """Raise `CommandFailed` where ``file`` must not be written."""
    refuse_store(state_dir, file)
    try:
        exists = file.exists()
    except OSError as error:  # in a folder that may not be looked into, or under no name that can be
        raise _cannot_write(file, error) from None
    if exists and not force:
        raise CommandFailed(f"{file}: exists already; --force replaces it", CANNOT_CREATE)


def refuse_store(state_dir: Path, file: Path) -> None:
    """Raise `CommandFailed` where ``file`` is the store in ``state_dir`` itself, or its log."""
    for place in (file.resolve(), file.parent.resolve() / file.name):
        if place.parent == state_dir.resolve() and place.name.startswith(opening.FILE):
            raise CommandFailed(f"{file}: is the store itself", 2)


def checked(fresh: Path, store: Path) -> Contents:
    """Return what a copy of ``store`` holds that was just made; raise `CommandFailed` where it is no store."""
    try:
        return look(fresh, opening.schema())
    except DamagedStoreError as error:
        raise CommandFailed(f"the copy is damaged, and so may be the store: {plain(error)}", NO_STORE) from None
    except StoreUnusable as error:
        raise CommandFailed(str(error).replace(str(fresh), str(store)), error.code) from None


async def _from_the_daemon(console: Console, daemon: Daemon, ending: Ending, line: Busy, fresh: Path) -> None:
    """Have the daemon make a copy, and bring it to ``fresh``."""
    await daemon.ask("POST", "backup")
    try:
        asked = await daemon.ask("GET", "backup")
        while asked["state"] == "copying":
            if ending.asked:
                raise CommandFailed("interrupted")
            line.text = f"{asked['done']} of {asked['pages']} pages copied"
            await ending.pause(LOOK_EVERY)
            asked = await daemon.ask("GET", "backup")
        if asked["state"] != "ready":
            raise CommandFailed(f"the gateway cannot copy its store: {plain(asked['why'])}")
        line.text = "bringing the copy over"
        await _bring(console.state_dir / asked["path"], fresh, ending)
    finally:
        with contextlib.suppress(CommandFailed):
            await daemon.ask("DELETE", "backup")


async def _bring(path: Path, fresh: Path, ending: Ending) -> None:
    """Copy a file, so that Ctrl-C is heard meanwhile; the copy is on the disk."""
    fresh.unlink(missing_ok=True)
    with path.open("rb") as source, os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
        while part := source.read(AT_ONCE):
            to.write(part)
            await ending.pause(0)
            if ending.asked:
                raise CommandFailed("interrupted")
        to.flush()
        os.fsync(to.fileno())


def _from_the_file(state_dir: Path, file: Path, fresh: Path) -> None:
    """Copy the store that no daemon has, as it stands: it is neither upgraded nor closed in order."""
    with held(state_dir, must_exist=True) as path:
        db = pages.connect(str(path))
        try:
            copy(db, fresh)
        except apsw.Error as error:
            if pages.is_damage(error):
                raise DamagedStoreError(str(error)) from None
            raise CommandFailed(f"{file}: cannot be written: {error}", CANNOT_CREATE) from None
        except OSError as error:
            raise _cannot_write(file, error) from None
        finally:
            opening.leave(db)


def _cannot_write(file: Path, error: OSError) -> CommandFailed:
    """Return what is told of ``error``: of a file beside ``file`` that is to become it, nobody has heard."""
    named = str(error.filename or file)
    named = str(file) if named.startswith(str(file)) else named
    return CommandFailed(f"{named}: {(error.strerror or 'cannot be written').lower()}", CANNOT_CREATE)
