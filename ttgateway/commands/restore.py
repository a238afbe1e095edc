"""``ttgateway restore``: back to a copy of the store, while the gateway is stopped."""

import os
from pathlib import Path

import click

from ttgateway.clock import MachineClock
from ttgateway.commands.backup import described, refuse_store
from ttgateway.commands.terminal.busy import busy
from ttgateway.commands.terminal.console import CommandFailed, Console, notice, pass_console
from ttgateway.commands.terminal.tables import plain
from ttgateway.store import opening
from ttgateway.store.copies import restore as going_back
from ttgateway.store.copies.contents import NO_STORE
from ttgateway.store.copies.restore import Restored
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import StoreUnusable

CANNOT_READ = 66
"""The exit code where FILE cannot be read: EX_NOINPUT."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, readable=False))
@pass_console
def restore(console: Console, file: Path) -> None:
    """Put the copy in FILE in the place of the stopped gateway's store.

    What came since the copy is not in it. The store that was there is kept in the state directory, in the newest folder
    of replaced/, and can be restored as well: FILE may be the ttgateway.db in there.
    """
    with busy("checking the copy, and bringing it in"):
        came = restored(console.state_dir, file)
    for line in told(came, file):
        notice(line)


def restored(state_dir: Path, file: Path) -> Restored:
    """Go back to the copy in ``file``; return what came of it, or raise `CommandFailed`: then nothing has changed."""
    refuse_store(state_dir, file)
    try:
        file.open("rb").close()  # before the state directory is made
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}; nothing was changed", CANNOT_READ) from None
    clock = MachineClock()
    try:
        held = opening.lock(state_dir)
    except StoreUnusable as error:
        if error.code != opening.HELD:
            raise CommandFailed(str(error), error.code) from None
        raise CommandFailed(
            f"{state_dir}: a gateway runs on this state directory; stop it first", opening.HELD
        ) from None
    try:
        return going_back.restore(state_dir, file, clock.boot, clock.now(), opening.schema())
    except DamagedStoreError as error:
        raise CommandFailed(f"{file}: is damaged: {plain(error)}; nothing was changed", NO_STORE) from None
    except StoreUnusable as error:
        raise CommandFailed(f"{error}; nothing was changed", error.code) from None
    finally:
        os.close(held)


def told(came: Restored, file: Path) -> list[str]:
    """Return what the operator has to know of it, in lines."""
    lines = [f"Restored {file}: {described(came.contents)}."]
    if came.was_schema < came.contents.schema:
        lines.append(f"It was upgraded from schema {came.was_schema}.")
    if came.aside is not None:
        lines.append(f"The store that was there is kept in {came.aside}.")
        if came.lost is None:
            lines.append("It cannot be compared with the copy; what is in it alone is LOST to the gateway.")
        elif came.lost:
            lines.append(f"LOST to the gateway: its {came.lost} newest changes, and who registered since.")
    if came.present_tokens:
        lines.append("The secrets are those of the store that was there: what was revoked stays so.")
    else:
        lines.append("The secrets are those of the copy: revoke what should open nothing (ttgateway token list).")
    lines.append("The journal has another epoch, and each listener gets a snapshot when the gateway starts.")
    return lines
