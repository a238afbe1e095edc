"""How a listener's progress changes with what becomes of a delivery. The accounts balance after each of these.

They are of first deliveries: a replay changes them only where it delivers what was parked.
"""

from ttgateway.notifier.delivery import Delivery
from ttgateway.store.tables.listeners import Progress


def delivered(progress: Progress, delivery: Delivery, wall: float) -> None:
    """The listener has it, at Unix time ``wall``: whatever was wrong is over."""
    if delivery.entry is not None:
        progress.delivered += 1
    elif delivery.unparks(progress):
        progress.parked -= 1
        progress.delivered += 1
    progress.previous = delivery.seq
    progress.last_success = wall
    if progress.failures:
        progress.failures = 0
        progress.delay = 0.0
        progress.failing_since = None
    passed_over(progress, delivery)


def parked(progress: Progress, delivery: Delivery) -> None:
    """The listener refused this change for good."""
    progress.parked += 1
    passed_over(progress, delivery)


def passed_over(progress: Progress, delivery: Delivery) -> None:
    """The delivery is dealt with: move to where the listener stands afterwards."""
    progress.attempts = 0
    progress.coalesced += delivery.coalesced
    progress.filtered += delivery.filtered
    if delivery.cursor is not None:
        progress.move_to(delivery.cursor)
    if delivery.ends_snapshot:
        progress.snapshot_due = False
    if delivery.again is not None and delivery.goes_on_with_replay(progress):
        progress.replay_after = delivery.again.upto


def failed(progress: Progress, cause: str, delay: float, wall: float) -> None:
    """The listener is down: the next try is ``delay`` seconds away."""
    progress.failures += 1
    progress.delay = delay
    progress.last_failure = wall
    progress.last_cause = cause
    if progress.failing_since is None:
        progress.failing_since = wall
