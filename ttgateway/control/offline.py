"""Tokens in the file itself, for when no daemon runs: under the daemon's own lock, by the store's own code."""

import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import apsw

from ttgateway.clock import Clock
from ttgateway.control.console import CommandFailed
from ttgateway.control.server import matching, token_shape
from ttgateway.orders.moment import shown
from ttgateway.refusals import Refusal
from ttgateway.secrets import MOST_TOKENS, new_token, token_name
from ttgateway.store import opening, tokens
from ttgateway.store.opening import DamagedStoreError, StoreUnusable
from ttgateway.store.tokens import Token

_LOCKED = 75

Shape = dict[str, object]


class StoreInUse(Exception):
    """Another process holds the state directory: a daemon that starts, runs or ends, or a command like this."""


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

    @contextlib.contextmanager
    def _opened(self, *, must_exist: bool) -> Iterator[apsw.Connection]:
        path = self._state_dir / opening.FILE
        if must_exist and not path.exists():
            raise CommandFailed(f"{self._state_dir}: no gateway has its state there (--state-dir names another)")
        held = self._lock()
        try:
            db = opening.open_file(str(path), self._clock.boot, self._clock.now(), opening.schema())
            try:
                path.chmod(0o600)
                yield db
            finally:
                opening.close(db, self._clock.now())
        except DamagedStoreError:
            raise CommandFailed(f"{path}: is damaged; start the gateway, which mends it, and try again") from None
        except StoreUnusable as error:
            raise CommandFailed(str(error)) from None
        except (apsw.Error, OSError) as error:
            raise CommandFailed(f"{path}: {error}") from None
        finally:
            os.close(held)

    def _lock(self) -> int:
        try:
            return opening.lock(self._state_dir)
        except StoreUnusable as error:
            if error.code == _LOCKED:
                raise StoreInUse from None
            raise CommandFailed(str(error)) from None


def _shown(wall: float | None) -> str | None:
    return None if wall is None else shown(wall, UTC)
