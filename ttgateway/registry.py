"""The registry of listeners: registering, renewing, removing; and who wants to know of it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from ttgateway.clock import Clock
from ttgateway.orders.change import ChangeType
from ttgateway.refusals import CallbackMissing, ListenerOptionInvalid, ListenerSilent, ListenerUnknown, TooMany
from ttgateway.store import listeners
from ttgateway.store.listeners import CatchUp, Listener, Progress
from ttgateway.store.store import Store


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


class Status(msgspec.Struct, frozen=True):
    """How it stands with a listener at present; ``next_attempt`` in seconds from now, ``None`` if none is due."""

    state: str
    pending: int
    oldest_pending: float
    next_attempt: float | None


class Watcher(Protocol):
    """Who calls the listeners, and so must know who they are."""

    @property
    def running(self) -> bool:
        """Whether listeners are told anything at present."""

    def registered(self, listener: Listener, progress: Progress) -> None:
        """A listener registered, for the first time or again."""

    def removed(self, listener: Listener) -> None:
        """A listener is no longer to be told anything."""

    def heard(self, host: str) -> None:
        """A request came from this address: whoever listens there is alive."""

    def status(self, listener: Listener) -> Status:
        """Return how it stands with a listener."""


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
        return [(listener, self._progress[listener.id]) for listener in self._kept.values()]

    @property
    def delivers(self) -> bool:
        """Whether listeners are told anything at present."""
        return self._watcher is not None and self._watcher.running

    def status(self, listener: Listener) -> Status:
        """Return how it stands with ``listener``."""
        if self._watcher is None or not self._watcher.running:
            return Status("down", 0, 0.0, None)
        return self._watcher.status(listener)

    def heard(self, host: str) -> None:
        """Take note that a request came from this address."""
        if self._watcher is not None:
            self._watcher.heard(host)

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
