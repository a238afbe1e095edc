"""Work that runs to its end although whoever asked for it has gone: a store that is half done helps nobody."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred

T = TypeVar("T")


def shielded(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """Return what ``work`` comes to. To cancel that, as Klein does when a client hangs up, does not cancel the work."""
    shield: Deferred[T] = Deferred()
    ensureDeferred(work).chainDeferred(shield)
    return shield
