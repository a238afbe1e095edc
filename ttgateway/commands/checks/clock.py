"""The clock: was it ever set, was it set back, and does somebody keep it right?"""

import ctypes
from datetime import UTC
from typing import Any

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.health import BEHIND, STEP
from ttgateway.orders.moment import is_plausible, shown

PART = "clock"

_SET = "Set it: timedatectl set-ntp true, or by hand: timedatectl set-time"
_TIME_ERROR = 5  # of <sys/timex.h>: nobody has set the clock right, or not for long


def look(wall: float, noted: float | None, view: dict[str, Any] | None, kept: bool | None) -> tuple[Findings, None]:
    """Return what is found of the clock, which shows Unix time ``wall``.

    ``noted`` is the Unix time that the store was last written at, ``kept`` whether the system says that the clock is
    kept right by a time server (`is_kept`).
    """
    now = shown(wall, UTC).replace("T", " ")
    if not is_plausible(wall):
        return [fault(PART, f"it shows {now} UTC: it was never set", _SET)], None
    if noted is not None and noted - wall > BEHIND:
        last = shown(noted, UTC).replace("T", " ")
        return [fault(PART, f"it shows {now} UTC, but the store was written at {last} already", _SET)], None
    if view is not None and (told := _of_gateway(wall, now, view)) is not None:
        return [told], None
    if kept is False:
        return [warning(PART, f"it shows {now} UTC, and no time server keeps it right", _SET)], None
    return [ok(PART, f"it shows {now} UTC")], None


def _of_gateway(wall: float, now: str, view: dict[str, Any]) -> Finding | None:
    """Return what a running gateway knows of the clock that this command does not; ``None``: nothing is wrong."""
    drift, behind, its = (float(view[name]) for name in ("clockDrift", "clockBehind", "wall"))
    word, shows = view["status"]["check"]["clock"], shown(its, UTC).replace("T", " ")
    if word == "unset":
        return fault(PART, "the gateway's clock was never set", _SET)
    if word == "behind":
        what = f"it shows the gateway {shows} UTC, {behind:,.0f} s before a change that is written already"
        return fault(PART, what, f"{_SET}. If it is right, it was ahead then; that ends with the next start")
    if abs(its - wall) > BEHIND:
        what = f"it shows {now} UTC, but to the gateway {shows}"
        return fault(PART, what, "Look what the gateway is started with; restart it: systemctl restart ttgateway")
    if abs(drift) > STEP:
        what = f"it was set by {drift:+,.0f} s since the gateway started; nothing depends on it"
        return warning(PART, what, "Times shown from before and after do not compare; look why it was wrong")
    return None


def is_kept() -> bool | None:
    """Tell whether the kernel says that a time server keeps the clock right; ``None`` where it does not say."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    state = adjtimex(ctypes.create_string_buffer(512))  # all zero: a question, nothing is set
    return None if state < 0 else bool(state != _TIME_ERROR)
