"""What is sent to one listener: a delivery, or the HEAD that asks whether it works; one at a time."""

from collections.abc import Callable

from ttgateway.notifier.attempt import DELIVERY, Attempt, Destination
from ttgateway.notifier.callback import CallbackURL
from ttgateway.notifier.delivery import Delivery
from ttgateway.notifier.logbook import Logbook
from ttgateway.notifier.outcome import Outcome
from ttgateway.notifier.owner import Owner
from ttgateway.notifier.request import head_request, post_request, post_start
from ttgateway.store.listeners import Listener, Progress


class Calls:
    """Makes attempts, and has them noted. ``ended`` is called with the outcome of each, unless that is cancelled."""

    __slots__ = ("_attempt", "_destination", "_ended", "_owner", "_start", "logbook")

    def __init__(self, url: CallbackURL, owner: Owner, ended: Callable[[Outcome], None]) -> None:
        self._owner = owner
        self._destination = Destination(url, owner.network)
        self._start = post_start(url)
        self._ended = ended
        self._attempt: Attempt | None = None
        self.logbook = Logbook(owner)

    @property
    def under_way(self) -> bool:
        """Whether an attempt is."""
        return self._attempt is not None

    @property
    def host(self) -> str:
        """Where the listener was last reached, or is to be: an address, or a name that was never found."""
        address = self._destination.address
        return str(address) if address is not None else self._destination.url.host

    def post(self, listener: Listener, delivery: Delivery, progress: Progress) -> None:
        """Send ``delivery``, as the attempt at it that ``progress`` counts."""
        wall = self._owner.clock.now().wall
        request = post_request(
            self._start,
            webhook_id=f"{self._owner.epoch}.{delivery.seq}{delivery.mark}",
            timestamp=int(wall),
            previous=progress.previous,
            attempt=progress.attempts,
            flags=delivery.flags,
            secret=listener.secret,
            body=delivery.body,
        )
        self.logbook.began(wall, delivery.seq, progress.attempts, delivery.flags)
        self._begin(request, head=False)

    def head(self) -> None:
        """Ask whether the listener works, or only chokes on what was sent last."""
        self.logbook.asks(self._owner.clock.now().wall)
        self._begin(head_request(self._destination.url), head=True)

    def close(self) -> None:
        """Cancel the attempt that is under way, and close the connection."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._destination.close()

    def _begin(self, request: bytes, *, head: bool) -> None:
        self._attempt = Attempt(self._destination, request, self._attempt_ended, DELIVERY, head)
        self._attempt.start()

    def _attempt_ended(self, outcome: Outcome) -> None:
        self._attempt = None
        self.logbook.ended(outcome)
        self._ended(outcome)
