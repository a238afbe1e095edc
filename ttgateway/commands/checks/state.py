"""The state directory: is it there and can it be written, whose is it, and can anybody else read what is in it?

Nearly all that lies in it is secret: the store and its copies hold the hashes of the secrets and the listeners' own.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.store.disk import BALLAST_FILE
from ttgateway.store.opening import LOCK

PART = "state"

MOST = 1_000
"""Files that are looked at."""

_ROOT = 0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def look(state_dir: Path) -> tuple[Findings, None]:
    """Return what is found of the state directory and the files in it. Blocks."""
    try:
        about = state_dir.stat()
    except FileNotFoundError:
        do = "Name the gateway's own with --state-dir; the first start makes it"
        return [fault(PART, f"{state_dir} does not exist", do)], None
    except OSError as error:
        return [_closed(state_dir, error)], None
    if not stat.S_ISDIR(about.st_mode):
        return [fault(PART, f"{state_dir} is no directory", "Name the gateway's own with --state-dir")], None
    if not os.access(state_dir, os.R_OK | os.X_OK):
        return [_closed(state_dir, PermissionError(0, "permission denied"), about.st_uid)], None
    found = [*_directory(state_dir, about), *_files(state_dir, about.st_uid)]
    return found or [ok(PART, f"{state_dir} belongs to {_user(about.st_uid)}, and to nobody else")], None


def _closed(state_dir: Path, error: OSError, owner: int | None = None) -> Finding:
    who = "the user that the gateway runs as" if owner is None else _user(owner)
    do = f"Run this as {who}: sudo -u {'USER' if owner is None else _sudo(owner)} ttgateway ..."
    return fault(PART, f"{state_dir} cannot be read by {_user(os.geteuid())}: {str(error.strerror).lower()}", do)


def _directory(state_dir: Path, about: os.stat_result) -> Iterator[Finding]:
    mode = stat.S_IMODE(about.st_mode)
    if mode & _OTHERS:
        yield fault(PART, f"{state_dir} is open to others (mode {mode:o})", f"chmod 700 {quote(str(state_dir))}")
    if (lock := state_dir / LOCK).is_dir():
        yield fault(
            PART,
            f"{lock} is a directory: no gateway can start",
            f"Move it away: mv {quote(str(lock))} {quote(str(lock))}.away",
        )
    if not mode & stat.S_IWUSR or not os.access(state_dir, os.W_OK):
        what = f"{state_dir} cannot be written by {_user(os.geteuid())}"
        yield fault(
            PART, what, f"Let it belong to the gateway's user, with mode 700: chmod 700 {quote(str(state_dir))}"
        )


def _files(state_dir: Path, owner: int) -> Iterator[Finding]:
    files = list(_looked_at(state_dir))
    owners = {about.st_uid for _, about in files}
    if len(owners) == 1 and not owners & {owner, _ROOT}:  # who runs commands as root leaves files, not a directory
        [of_files] = owners
        what = f"{state_dir} belongs to {_user(owner)}, all that is in it to {_user(of_files)}"
        yield fault(PART, what, f"chown {_name(of_files)} {quote(str(state_dir))}, and run commands as that user")
        owner = of_files
    for path, about in files:
        yield from _file(path, about, owner)


def _looked_at(state_dir: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in islice(sorted(state_dir.rglob("*")), MOST):
        try:
            about = path.lstat()
        except OSError:  # it has gone meanwhile
            continue
        if not stat.S_ISLNK(about.st_mode):
            yield path, about


def _file(path: Path, about: os.stat_result, owner: int) -> Iterator[Finding]:
    mode, is_folder = stat.S_IMODE(about.st_mode), stat.S_ISDIR(about.st_mode)
    wanted = 0o700 if is_folder else 0o600
    closed = wanted & ~mode
    if mode & _OTHERS and not is_folder and path.name != BALLAST_FILE:  # of a folder in here the names could be read
        yield fault(PART, f"{path} can be read by others (mode {mode:o})", f"chmod {wanted:o} {quote(str(path))}")
    if about.st_uid != owner:
        what = f"{path} belongs to {_user(about.st_uid)}, the directory to {_user(owner)}"
        yield fault(PART, what, f"chown {_name(owner)} {quote(str(path))}, and run commands as that user")
    elif closed:
        yield fault(PART, f"{path} cannot be used by its owner (mode {mode:o})", f"chmod {wanted:o} {quote(str(path))}")
    elif not is_folder and not os.access(path, os.R_OK):
        do = f"Run this as {_user(owner)}: sudo -u {_sudo(owner)} ttgateway ..."
        yield warning(PART, f"{path} cannot be read by {_user(os.geteuid())}", do)


def _name(number: int) -> str:
    """Return a user as ``chown`` takes one: by name, or by number where there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _sudo(number: int) -> str:
    return f"{'' if _known(number) else '#'}{_name(number)}"


def _user(number: int) -> str:
    return f"{'' if _known(number) else 'uid '}{_name(number)}"


def _known(number: int) -> bool:
    return _name(number) != str(number)
