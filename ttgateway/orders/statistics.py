"""How fast the orders of a day were served."""

from datetime import datetime, timedelta, tzinfo

import msgspec


class Statistics(msgspec.Struct, frozen=True):
    """The orders cleared in one day (protocol section 4).

    ``average_seconds`` is the mean of cleared minus started, ``percent_goal`` how many percent took ``target_time``
    seconds or less; both 0.0 where no order was cleared.
    """

    average_seconds: float
    orders_today: float
    target_time: float
    percent_goal: float


class Served(msgspec.Struct, frozen=True):
    """A number of cleared orders: how long they took together, in seconds, and how many of them met the target."""

    orders: int
    seconds: float
    in_time: int


def statistics_of(served: Served, target: float) -> Statistics:
    """Return the statistics of ``served``, counted with a ``target`` in seconds."""
    orders = max(1, served.orders)
    return Statistics(
        average_seconds=served.seconds / orders,
        orders_today=float(served.orders),
        target_time=float(target),
        percent_goal=100.0 * served.in_time / orders,
    )


def start_of_day(wall: float, zone: tzinfo, days: int = 0) -> float:
    """Return when the day in ``zone`` that holds Unix time ``wall`` began, or the one ``days`` later: Unix seconds.

    Where the clocks skip midnight, the day begins at the first instant after the gap; where midnight comes twice, at
    the first.
    """
    today = datetime.fromtimestamp(wall, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (today + timedelta(days=days)).timestamp()
