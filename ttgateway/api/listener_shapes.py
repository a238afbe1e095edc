"""What replies about listeners and changes hold (protocol section 9)."""

from ttgateway.api.shapes import ActiveOrder, Count, Shape, Time
from ttgateway.orders.change import ChangeType
from ttgateway.store.tables.listeners import CatchUp


class ToldChange(ActiveOrder, frozen=True):
    """One change of an order (protocol section 8)."""

    seq: Count
    type: ChangeType


class AttemptShape(Shape, frozen=True):
    """One attempt to tell a listener; ``seconds`` is how long it took."""

    at: Time
    seq: int
    attempt: int
    outcome: str
    cause: str
    seconds: float
    flags: str


class ListenerShape(Shape, frozen=True):
    """A listener, and how it stands with it.

    The accounts balance: what was accepted for it is ``delivered``, ``coalesced``, ``filtered``, ``parked`` or
    ``pending``.
    """

    id: str
    url: str
    api: int
    state: str
    registered: Time
    events: list[str]
    snapshot: bool
    catch_up: CatchUp
    signed: bool
    delivered: Count
    coalesced: Count
    filtered: Count
    parked: Count
    pending: Count
    oldest_pending_seconds: Count
    last_success: Time | None
    last_failure: Time | None
    last_failure_cause: str | None
    failing_since: Time | None
    next_attempt_seconds: float | None


class DetailedListener(ListenerShape, frozen=True):
    """A listener with its last fifty attempts, newest first."""

    attempts: list[AttemptShape]


class OneListener(Shape, frozen=True):
    """One listener."""

    listener: DetailedListener


class Changes(Shape, frozen=True):
    """Changes, as the WebSocket tells them, in the order of their seq; ``last`` is the gateway's newest seq."""

    count: Count
    items: list[ToldChange]
    epoch: str
    last: Count
