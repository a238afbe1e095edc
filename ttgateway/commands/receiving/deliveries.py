"""What a listener is told, judged: is it in order, was it told before, is anything missing (protocol section 7)."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ttgateway.commands.terminal.tables import age, aligned, plain

REMEMBERED = 10_000
"""How many webhook-ids are known again: a gateway that crashed repeats what it told in its last 50 ms."""

_HEADS = ("TIME", "SEQ", "ORDER", "CHANGE", "STATE", "TABLE", "TYPE", "PAGED", "AGE")
_WIDTHS = (8, 7, 5, 8, 7, 5, 10, 5, 7)
_RIGHTS = tuple(head in ("SEQ", "ORDER", "TABLE", "AGE") for head in _HEADS)

HEAD = aligned(_HEADS, _WIDTHS, _RIGHTS)
"""The heads of the columns of `line`."""

Shape = dict[str, object]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One POST that a listener got. ``seq`` and ``previous`` are ``None`` where none, or no number, was sent."""

    body: Shape
    webhook_id: str
    seq: int | None
    previous: int | None
    attempt: int
    flags: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Tell whether something happened: a snapshot only tells how things stand."""
        return "snapshot" not in self.flags

    @property
    def epoch(self) -> str:
        """Which journal of the gateway it comes from; ``""`` if it does not say."""
        return self.webhook_id.rpartition(".")[0].partition(".")[0] if "." in self.webhook_id else ""


class Judgement(msgspec.Struct, frozen=True):
    """What is to be said of a delivery; ``repeated``: it was told before, ``faults``: what should not be."""

    repeated: bool
    faults: tuple[str, ...] = ()


def delivery_of(body: Shape, header: Callable[[str], str | None]) -> Delivery:
    """Return the delivery with this body; ``header`` returns a header's value, or ``None``."""
    seq = body.get("seq")
    return Delivery(
        body=body,
        webhook_id=header("webhook-id") or "",
        seq=seq if isinstance(seq, int) and not isinstance(seq, bool) else None,
        previous=_number(header("ttgateway-previous")),
        attempt=_number(header("ttgateway-attempt")) or 1,
        flags=tuple((header("ttgateway-flags") or "").replace(",", " ").split()),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


class Deliveries:
    """All that one listener was told since it began."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._epoch = ""
        self._last: int | None = None

    def judge(self, got: Delivery) -> Judgement:
        """Return what is to be said of ``got``, which comes next."""
        if got.seq is None:
            return Judgement(False, ("this has no seq: not a delivery of a ttgateway",))
        if got.webhook_id and got.webhook_id in self._known and "replay" not in got.flags:
            self._last = got.seq
            return Judgement(True)
        self._remember(got.webhook_id)
        faults = self._faults(got, got.seq)
        if "replay" not in got.flags:
            self._last = got.seq
        return Judgement(False, tuple(faults))

    def _faults(self, got: Delivery, seq: int) -> list[str]:
        faults = []
        last, self._epoch, known = self._last, got.epoch, self._epoch
        if last is None or "replay" in got.flags:
            return []
        if known and known != got.epoch:
            return [f"the gateway began a new journal (epoch {plain(got.epoch)}, before: {plain(known)})"]
        if seq <= last and got.is_change:
            faults.append(f"seq goes back: {seq} after {last}")
        if got.previous is not None and got.previous != last:
            faults.append(f"gap: before {seq} the gateway told {got.previous} here, but this listener last saw {last}")
        return faults

    def _remember(self, webhook_id: str) -> None:
        self._known[webhook_id] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def happened(body: Shape) -> str:
    """Return at what time of the gateway's a change happened; ``""`` where it does not tell that.

    That is when the order's state changed or, for what changes no state, as old as it was then.
    """
    try:
        created, changed = (datetime.fromisoformat(str(body[name])) for name in ("created", "stateChanged"))
        time = max(changed, created + timedelta(seconds=float(str(body["elapsedTime"]))))
    except (KeyError, ValueError, TypeError, OverflowError):
        return ""
    return f"{time:%H:%M:%S}"


def line(got: Delivery, time: str, notes: tuple[str, ...] = ()) -> str:
    """Return ``got`` as one line under `HEAD`; ``notes`` is what else to say of it."""
    body = got.body
    kind = plain(body.get("type")).removeprefix("ORDER_").lower()
    seconds = body.get("elapsedTime")
    cells = (
        time,
        plain(got.seq),
        plain(body.get("name")),
        kind,
        plain(body.get("state")),
        plain(body.get("locationName")),
        plain(body.get("orderType")),
        "paged" if body.get("paged") is True else "",
        age(seconds) if isinstance(seconds, int) else "",
    )
    if "name" not in body:  # the marks around a snapshot
        count = f", {plain(body['count'])} orders" if "count" in body else ""
        text = f"{aligned(cells[:2], _WIDTHS[:2], _RIGHTS[:2])}  {kind.replace('_', ' ')}{count}"
    else:
        text = aligned(cells, _WIDTHS, _RIGHTS)
    said = [*(plain(flag) for flag in got.flags), *([f"attempt {got.attempt}"] if got.attempt > 1 else []), *notes]
    return f"{text}  ({', '.join(said)})" if said else text
