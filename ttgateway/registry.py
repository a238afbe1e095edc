"""The registry of listeners: registering, renewing, removing, mending; and who wants to know of it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from ttgateway.clock import Clock
from ttgateway.orders.change import ChangeType
from ttgateway.refusals import (
    CallbackMissing,
    ChangesGone,
    ListenerOptionInvalid,
    ListenerSilent,
    ListenerUnknown,
    TooMany,
)
from ttgateway.store.store import Store
from ttgateway.store.tables import listeners
from ttgateway.store.tables.listeners import CatchUp, Listener, Progress
from ttgateway.watcher import NOT_TOLD, AttemptRecord, Status, Watcher
from ttgateway.whole import MOST_WHOLE


class Callbacks(Protocol):
    """What the registry needs of the side that calls listeners."""

    def canonical(self, url: object) -> str:
        """Return ``url`` in its one spelling; raise `CallbackInvalid`."""

    def check_secret(self, secret: object) -> str:
        """Return ``secret`` if deliveries can be signed with it; raise `ListenerOptionInvalid`."""

    def reach(self, url: str, caller: str) -> Awaitable[None]:
        """Send a HEAD to the canonical ``url``; fails with `CallbackForbidden` or `ListenerSilent`.

        ``caller`` is the address of the device that asks for it.
        """


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What a device asks for; values as they came, each is checked (protocol section 6)."""

    url: object
    api: int
    caller: str
    secret: object = None
    events: object = None
    snapshot: bool = False
    catch_up: object = None


class Registry:
    """All listeners, by id and by canonical URL.

    Each command changes ``_by_url`` at once, so that two that come together see each other; ``_kept`` is what is
    durable, and what ``_by_url`` goes back to when a commit fails.
    """

    def __init__(
        self, store: Store, clock: Clock, callbacks: Callbacks, entropy: Callable[[int], bytes], most: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._callbacks = callbacks
        self._entropy = entropy
        self._most = most
        self._progress = {listener.id: progress for listener, progress in store.listeners}
        self._by_url = {listener.url: listener for listener, _ in store.listeners}
        self._kept = dict(self._by_url)
        self._watcher: Watcher | None = None

    def watch(self, watcher: Watcher) -> None:
        """Tell ``watcher`` of every listener there is, and of every change among them from now on."""
        self._watcher = watcher
        for listener in self._kept.values():
            watcher.registered(listener, self._progress[listener.id])

    def all(self) -> list[tuple[Listener, Progress]]:
        """Return every listener with its progress."""
        self._settle()
        return [(listener, self._progress[listener.id]) for listener in self._kept.values()]

    def listener(self, listener_id: str) -> tuple[Listener, Progress]:
        """Return the listener with this id, and its progress; raise `ListenerUnknown`."""
        self._settle()
        for listener in self._kept.values():
            if listener.id == listener_id:
                return listener, self._progress[listener_id]
        raise ListenerUnknown("No listener has this id.")

    def attempts(self, listener_id: str) -> list[AttemptRecord]:
        """Return the last attempts at a listener, newest first; raise `ListenerUnknown`."""
        listener, _ = self.listener(listener_id)
        return [] if self._watcher is None else self._watcher.attempts(listener)

    @property
    def delivers(self) -> bool:
        """Whether listeners are told anything at present."""
        return self._watcher is not None and self._watcher.running

    def status(self, listener: Listener) -> Status:
        """Return how it stands with ``listener``."""
        if self._watcher is None or not self._watcher.running:
            return NOT_TOLD
        return self._watcher.status(listener)

    def heard(self, host: str) -> None:
        """Take note that a request came from this address."""
        if self._watcher is not None:
            self._watcher.heard(host)

    def _settle(self) -> None:
        if self._watcher is not None and self._watcher.running:
            self._watcher.settle()

    async def register(self, asked: Registration) -> Listener:
        """Reach the listener with a HEAD, and keep it; the same URL again is the same listener.

        Raises `CallbackMissing`, `CallbackInvalid`, `CallbackForbidden`, `ListenerSilent`, `ListenerOptionInvalid`,
        `TooMany` and `NotNow`.
        """
        if asked.url is None or asked.url == "":
            raise CallbackMissing("Missing http_client.")
        url = self._callbacks.canonical(asked.url)
        secret = "" if asked.secret is None else self._callbacks.check_secret(asked.secret)
        events, catch_up = _events(asked.events), _catch_up(asked.catch_up)
        self._check_room(url)
        try:
            await self._callbacks.reach(url, asked.caller)
        except ListenerSilent as silent:  # tell the device what it sent, not how we spell it
            raise ListenerSilent(str(asked.url), silent.cause) from None
        self._check_room(url)
        known = self._by_url.get(url)
        listener = Listener(
            id=known.id if known else self._entropy(6).hex(),
            url=url,
            api=asked.api,
            secret=secret,
            events=events,
            snapshot=asked.snapshot,
            catch_up=catch_up,
            registered=known.registered if known else self._clock.now().wall,
        )
        await self._keep(listener)
        return listener

    async def unregister(self, url: object) -> Listener:
        """Forget the listener with this URL; raise `ListenerUnknown`, `CallbackMissing` or `CallbackInvalid`."""
        if url is None or url == "":
            raise CallbackMissing("Missing http_client.")
        canonical = self._callbacks.canonical(url)
        while (listener := self._by_url.get(canonical)) is None:
            if await self._store.commits.settled():
                raise ListenerUnknown("No listener is registered at this URL.")
        await self.remove(listener)
        return listener

    async def remove(self, listener: Listener) -> None:
        """Forget ``listener``, its cursor and what was parked for it."""
        url = listener.url
        if url in self._by_url and self._by_url[url].id == listener.id:
            del self._by_url[url]  # before the commit: who registers meanwhile is another listener
        try:
            await self._store.write(listeners.removing(listener.id))
        except BaseException:
            if url not in self._by_url and url in self._kept:
                self._by_url[url] = self._kept[url]
            raise
        if self._progress.pop(listener.id, None) is None:
            return  # somebody else removed it meanwhile
        if url in self._kept and self._kept[url].id == listener.id:
            del self._kept[url]
        if self._watcher is not None:
            self._watcher.removed(listener)
        self._store.cursors.forget(listener.id)

    async def replay(self, listener_id: str, since: int) -> None:
        """Have a listener told again, before what waits, every change after ``since`` that it has passed.

        Raises `ListenerUnknown`, `ListenerOptionInvalid` where ``since`` is no seq, `ChangesGone`, and `NotNow`.
        """
        listener, progress = self.listener(listener_id)
        if type(since) is not int or not 0 <= since <= MOST_WHOLE:
            raise ListenerOptionInvalid("Invalid since. Must be the seq of a change, or 0.")
        upto, trimmed = progress.cursor, self._store.journal.trimmed
        if since >= upto:
            return
        if since < trimmed:
            raise ChangesGone(f"Changes up to {trimmed} are no longer kept. Take the active orders instead.")
        await self._store.write(listeners.replaying(listener_id, progress.replay_from(since), upto))
        self.listener(listener_id)  # it may be gone by now
        progress.replay_after, progress.replay_upto = progress.replay_from(since), progress.cursor
        if progress.cursor > upto:
            self._store.cursors.moved(listener_id, progress)
        if self._watcher is not None:
            self._watcher.replay(listener)

    async def resync(self, listener_id: str) -> None:
        """Have a listener told how things stand, in place of what waits; raise `ListenerUnknown` or `NotNow`."""
        listener, progress = self.listener(listener_id)
        await self._store.write(listeners.resyncing(listener_id))
        self.listener(listener_id)
        progress.snapshot_due = True
        if self._watcher is not None:
            self._watcher.resync(listener)

    async def ping(self, listener_id: str, caller: str = "") -> None:
        """Send a HEAD to a listener, on behalf of the device at ``caller``; an answer ends its backoff.

        Raises `ListenerUnknown`, `CallbackForbidden` and `ListenerSilent`.
        """
        listener, _ = self.listener(listener_id)
        await self._callbacks.reach(listener.url, caller)
        if self._watcher is not None:
            self._watcher.answered(listener)

    def _check_room(self, url: str) -> None:
        if url not in self._by_url and len(self._by_url) >= self._most:
            raise TooMany(f"Too many listeners. At most {self._most} may register.")

    async def _keep(self, listener: Listener) -> None:
        """Write ``listener``. It is in memory before, so that two that register at once are one; out if that fails."""
        last = self._store.journal.last
        progress = self._progress.setdefault(listener.id, Progress(base=last, cursor=last))
        self._by_url[listener.url] = listener
        asked = msgspec.structs.replace(progress, snapshot_due=listener.snapshot)
        try:
            await self._store.write(listeners.saving(listener, asked))
        except BaseException:
            self._let_go(listener)
            raise
        self._kept[listener.url] = listener
        progress.snapshot_due = progress.snapshot_due or listener.snapshot
        if self._watcher is not None:
            self._watcher.registered(listener, progress)

    def _let_go(self, listener: Listener) -> None:
        """Undo a registration that could not be written, unless a later one has taken its place."""
        kept = self._kept.get(listener.url)
        if kept is None or kept.id != listener.id:
            self._progress.pop(listener.id, None)
        if self._by_url.get(listener.url) is not listener:
            return
        if kept is None:
            del self._by_url[listener.url]
        else:
            self._by_url[listener.url] = kept


def _events(value: object) -> tuple[str, ...]:
    known = [kind.value for kind in ChangeType]
    if value is None:
        return ()
    if not isinstance(value, Sequence) or not value or not all(kind in known for kind in value):
        raise ListenerOptionInvalid(f"Invalid events. Must be a list of {', '.join(known)}.")
    return tuple(kind for kind in known if kind in value)


def _catch_up(value: object) -> CatchUp:
    if value is None:
        return CatchUp.EVERY
    try:
        return CatchUp(value)  # type: ignore[arg-type]  # a value of another kind is just not found
    except ValueError:
        raise ListenerOptionInvalid("Invalid catch_up. Must be every or latest.") from None
