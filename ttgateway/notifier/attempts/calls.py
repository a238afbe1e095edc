"""What is sent to one listener: a delivery, or the HEAD that asks whether it works; one at a time."""

from collections.abc import Callable

from ttgateway.notifier.attempts.attempt import DELIVERY, Destination
from ttgateway.notifier.attempts.logbook import Logbook
from ttgateway.notifier.attempts.outcome import Outcome
from ttgateway.notifier.attempts.request import head_request, post_request, post_start
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.notifier.delivery import Delivery
from ttgateway.notifier.owner import Owner
from ttgateway.store.tables.listeners import Listener, Progress


class Calls:
    """Makes attempts, and has them noted. ``ended`` is called with the outcome of each, unless that is cancelled."""

    __slots__ = ("_destination", "_ended", "_owner", "_start", "logbook")

    def __init__(self, url: CallbackURL, owner: Owner, ended: Callable[[Outcome], None]) -> None:
        self._owner = owner
        self._destination = Destination(url, owner.network)
        self._start = post_start(url)
        self._ended = ended
        self.logbook = Logbook(owner.figures)

    @property
    def under_way(self) -> bool:
        """Whether an attempt is."""
        return self._destination.under_way

    @property
    def began(self) -> float:
        """When the last attempt did, on the sweep's clock."""
        return self._destination.began

    @property
    def host(self) -> str:
        """Where the listener was last reached, or is to be: an address, or a name that was never found."""
        address = self._destination.address
        return str(address) if address is not None else self._destination.url.host

    def post(self, listener: Listener, delivery: Delivery, progress: Progress) -> None:
        """Send ``delivery``, as the attempt at it that ``progress`` counts."""
        wall = self._owner.clock.wall()
        webhook_id = f"{self._owner.epoch}.{delivery.seq}{delivery.mark}"
        attempt, flags = progress.attempts, delivery.flags
        request = post_request(
            self._start, webhook_id, int(wall), progress.previous, attempt, flags, listener.secret, delivery.body
        )
        self.logbook.began(wall, delivery.seq, attempt, flags)
        self._destination.attempt(request, self._attempt_ended, DELIVERY)

    def head(self) -> None:
        """Ask whether the listener works, or only chokes on what was sent last."""
        self.logbook.asks(self._owner.clock.wall())
        self._destination.attempt(head_request(self._destination.url), self._attempt_ended, DELIVERY, head=True)

    def close(self) -> None:
        """Cancel the attempt that is under way, and close the connection."""
        self._destination.cancel()
        self._destination.close()

    def _attempt_ended(self, outcome: Outcome) -> None:
        self.logbook.ended(outcome, self._owner.network.sweep.now() - self._destination.began)
        self._ended(outcome)
