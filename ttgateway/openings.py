"""Openings: the networks that the operator lets be called by command, besides those in the settings."""

from collections.abc import Callable, Sequence

import apsw

from ttgateway.refusals import Refusal, TooMany
from ttgateway.settings import Opening, allowed_network
from ttgateway.store.store import Store
from ttgateway.store.tables import openings

MOST = 256
"""Openings that are kept: each call is judged by all of them."""

Entries = tuple[Opening, ...]


class OpeningInvalid(Refusal):
    """What the operator wants to let be called is no network, or one that nothing opens."""


class Openings:
    """The openings of one gateway; what is changed holds, and is durable, when the change returns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries = _read(store.openings)
        self._changed: Callable[[Entries], None] = lambda entries: None

    @property
    def entries(self) -> Entries:
        """What may be called; all of it is durable."""
        return self._entries

    def on_change(self, changed: Callable[[Entries], None]) -> None:
        """Call ``changed`` with what may be called: now, and whenever that has changed."""
        self._changed = changed
        changed(self._entries)

    async def add(self, opening: Opening) -> bool:
        """Let ``opening`` be called; tell whether it was not among the openings; raise `TooMany` or `NotNow`."""
        check_room(self._entries, opening)
        return await self._change(lambda db: add(db, opening))

    async def remove(self, opening: Opening) -> bool:
        """Let ``opening`` no longer be called; tell whether it was among the openings; raise `NotNow`."""
        return await self._change(lambda db: remove(db, opening))

    async def _change(self, change: Callable[[apsw.Connection], bool]) -> bool:
        """Write what ``change`` makes of what is in the file: others may be about to change it as well."""
        made: list[Entries] = []

        def work(db: apsw.Connection) -> bool:
            changed = change(db)
            made[:] = [load(db)]
            return changed

        return await self._store.commits.write(work, lambda: self._set(made[0]))

    def _set(self, entries: Entries) -> None:
        self._entries = entries
        self._changed(entries)


def opening(text: object) -> Opening:
    """Return the opening that ``NETWORK`` or ``NETWORK port PORT`` means; raise `OpeningInvalid`."""
    try:
        return allowed_network(" ".join(str(text).split()))
    except ValueError as error:
        raise OpeningInvalid(
            f"{error}. A network is like 203.0.113.0/24 or 203.0.113.7, with one port alone: 203.0.113.7 port 8080."
        ) from None


def check_room(entries: Entries, opening: Opening) -> None:
    """Raise `TooMany` where ``opening`` would be one more than are kept."""
    if opening not in entries and len(entries) >= MOST:
        raise TooMany(f"Too many networks. At most {MOST} may be opened.")


def load(db: apsw.Connection) -> Entries:
    """Return the openings in the file; raise ``ValueError`` where they are damaged."""
    return _read(openings.load(db))


def add(db: apsw.Connection, opening: Opening) -> bool:
    """Write ``opening`` to the file; tell whether it was not there."""
    entries = load(db)
    if opening in entries:
        return False
    _save(db, (*entries, opening))
    return True


def remove(db: apsw.Connection, opening: Opening) -> bool:
    """Take ``opening`` out of the file; tell whether it was there."""
    entries = load(db)
    if opening not in entries:
        return False
    _save(db, tuple(entry for entry in entries if entry != opening))
    return True


def _read(texts: Sequence[str]) -> Entries:
    return tuple(map(allowed_network, texts))


def _save(db: apsw.Connection, entries: Entries) -> None:
    openings.saving([str(entry) for entry in entries])(db)
