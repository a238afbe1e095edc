"""The file itself, for when no daemon runs: under the daemon's own lock, by the store's own code."""

import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

import apsw
from twisted.internet.task import deferLater

from ttgateway.clock import Clock
from ttgateway.commands.gateway.client import Daemon, DaemonNotRunning, daemon_of
from ttgateway.commands.terminal.console import CommandFailed, Console
from ttgateway.control.server import matching, token_shape
from ttgateway.orders.moment import shown
from ttgateway.refusals import Refusal
from ttgateway.secrets import MOST_TOKENS, new_token, token_name
from ttgateway.store import opening
from ttgateway.store.copies import restore
from ttgateway.store.damage import recovery
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import StoreUnusable
from ttgateway.store.tables import tokens
from ttgateway.store.tables.tokens import Token

Shape = dict[str, object]


PATIENCE = 5.0
"""Seconds for which a daemon may hold its state directory without answering: it starts, or ends."""

AGAIN = 0.2

T = TypeVar("T")


class StoreInUse(Exception):
    """Another process holds the state directory: a daemon that starts, runs or ends, or a command like this."""


async def either(
    console: Console, reactor: Any, online: Callable[[Daemon], Awaitable[T]], offline: Callable[[], T]
) -> T:
    """Return what ``online`` returns where a daemon runs, and what ``offline`` returns where none does.

    ``offline`` raises `StoreInUse`; raises `CommandFailed` where one holds the state directory and does not answer.
    """
    daemon = daemon_of(console, reactor)
    ends = reactor.seconds() + PATIENCE
    while True:
        try:
            return await online(daemon)
        except DaemonNotRunning:
            pass
        try:
            return offline()
        except StoreInUse:
            if reactor.seconds() >= ends:
                raise CommandFailed(
                    f"{console.state_dir}: a gateway holds this state directory, but does not answer on its"
                    " control socket; look at its log, or try again"
                ) from None
        await deferLater(reactor, AGAIN)


@contextlib.contextmanager
def held(state_dir: Path, *, must_exist: bool) -> Iterator[Path]:
    """Hold the state directory as a daemon does; give the store's file, with an interrupted restore finished.

    Raises `StoreInUse`, or `CommandFailed` with what is wrong, also with what is raised of the store in the block.
    """
    path = state_dir / opening.FILE
    if must_exist and not path.exists() and not (state_dir / restore.RESTORED / opening.FILE).exists():
        raise CommandFailed(f"{state_dir}: no gateway has its state there (--state-dir names another)")
    lock = _lock(state_dir)
    try:
        restore.finish(state_dir)
        recovery.check_finished(state_dir)
        yield path
    except DamagedStoreError:
        raise CommandFailed(f"{path}: is damaged; start the gateway, which mends it, and try again") from None
    except StoreUnusable as error:
        raise CommandFailed(str(error)) from None
    except (apsw.Error, OSError) as error:
        raise CommandFailed(f"{path}: {error}") from None
    finally:
        os.close(lock)


@contextlib.contextmanager
def opened(state_dir: Path, clock: Clock, *, must_exist: bool) -> Iterator[apsw.Connection]:
    """Give the connection to a store that no daemon has, as a daemon opens and closes it; raises what `held` does."""
    with held(state_dir, must_exist=must_exist) as path:
        db = opening.open_file(str(path), clock.boot, clock.now(), opening.schema())
        try:
            yield db
        finally:
            opening.close(db, clock.now())


def _lock(state_dir: Path) -> int:
    try:
        return opening.lock(state_dir)
    except StoreUnusable as error:
        if error.code == opening.HELD:
            raise StoreInUse from None
        raise CommandFailed(str(error)) from None


class OfflineTokens:
    """The tokens in the file of one state directory. Each call opens and closes the file, and none waits.

    ``entropy`` returns as many random bytes as it is asked for. Everything raises `StoreInUse`, or `CommandFailed`
    with what is wrong with the file.
    """

    def __init__(self, state_dir: Path, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._entropy = entropy

    def all(self) -> list[Shape]:
        """Return every token as the daemon shows it, with times in UTC: the file does not know the gateway's zone."""
        with self._opened(must_exist=True) as db:
            return [token_shape(token, _shown) for token in tokens.load(db).values()]

    def create(self, name: str, *, key: bool) -> Shape:
        """Make a token, in a fresh state directory if there is none; return it as the daemon shows it."""
        try:
            made = new_token(token_name(name), key=key, entropy=self._entropy, wall=self._clock.now().wall)
        except Refusal as refusal:
            raise CommandFailed(str(refusal)) from None
        with self._opened(must_exist=False) as db:
            if len(tokens.load(db)) >= MOST_TOKENS:
                raise CommandFailed(f"Too many tokens. At most {MOST_TOKENS} are kept.")
            tokens.saving(made.token)(db)
        return {**token_shape(made.token, _shown), "secret": made.secret}

    def revoke(self, wanted: str) -> int:
        """Remove the token with this id, or else those with this name; return how many there were."""
        with self._opened(must_exist=True) as db:
            found: list[Token] = matching(list(tokens.load(db).values()), wanted)
            for token in found:
                tokens.removing(token.hash)(db)
        return len(found)

    def _opened(self, *, must_exist: bool) -> contextlib.AbstractContextManager[apsw.Connection]:
        return opened(self._state_dir, self._clock, must_exist=must_exist)


def _shown(wall: float | None) -> str | None:
    return None if wall is None else shown(wall, UTC)
