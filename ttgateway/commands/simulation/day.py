"""A restaurant's day: when it is open, how many guests come at which hour, and how many take their food along."""

from bisect import bisect_right

DAY = 86_400.0
"""Seconds of a day; a story's day has no change of the clocks."""

OPENS, CLOSES = 11 * 3600.0, 22 * 3600.0
"""Seconds after midnight: from the one to the other orders are taken."""

NIGHT = 60.0
"""Seconds that are left of a night that is passed over."""

# The hour, how many come beside the busiest hour, and which share of them takes the food along; straight lines between.
_CURVE = (
    (11.0, 0.15, 0.35),
    (11.75, 0.60, 0.30),
    (12.25, 1.00, 0.25),
    (13.00, 0.90, 0.25),
    (14.00, 0.35, 0.30),
    (15.00, 0.12, 0.35),
    (16.50, 0.12, 0.40),
    (17.50, 0.50, 0.45),
    (18.50, 0.95, 0.40),
    (19.50, 1.00, 0.30),
    (20.50, 0.55, 0.30),
    (21.25, 0.25, 0.35),
    (22.0, 0.05, 0.50),
)
_HOURS = [hour for hour, _, _ in _CURVE]


def busyness(second: float) -> float:
    """Return how many guests come at ``second`` of the story, beside those of the busiest hour: 0.0 to 1.0."""
    return _at(second, 1) if OPENS <= second % DAY < CLOSES else 0.0


def to_go_share(second: float) -> float:
    """Return which share of those who come at ``second`` takes the food along: 0.0 to 1.0."""
    return _at(second, 2)


def opening(second: float) -> float:
    """Return ``second`` if orders are taken then, else when that begins again."""
    midnight = second - second % DAY
    if second % DAY >= CLOSES:
        midnight += DAY
    return max(second, midnight + OPENS)


def between(before: float, after: float, *, nights: bool) -> float:
    """Return how many seconds are played from one second of the story to a later one: without ``nights``, no more than
    `NIGHT` of them when the day changes."""
    seconds = after - before
    return seconds if nights or after // DAY == before // DAY else min(seconds, NIGHT)


def clock(second: float) -> str:
    """Return what the restaurant's clock shows: ``19:05``."""
    minute = int(second % DAY) // 60
    return f"{minute // 60:02}:{minute % 60:02}"


def _at(second: float, column: int) -> float:
    hour = second % DAY / 3600.0
    after = min(max(bisect_right(_HOURS, hour), 1), len(_CURVE) - 1)
    left, right = _CURVE[after - 1], _CURVE[after]
    share = min(1.0, max(0.0, (hour - left[0]) / (right[0] - left[0])))
    return left[column] + share * (right[column] - left[column])
