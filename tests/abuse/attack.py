"""An attack as data: how many connections, from where, what they say at first and then over and over."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

CHURN = 1_500.0
"""Connections a second that one attacker may open: more would only be a test of this machine's loopback."""


@dataclass(frozen=True)
class Attack:
    """What one attacking process does to the gateway until it is stopped.

    ``connections`` are kept open from ``sources`` addresses, beginning with 127.``net``.0.1 (one source may also be
    named); each says ``opening`` at first. After that ``flood`` is said over and over as fast as the gateway reads, and
    ``most`` bytes of it; or ``drip`` every ``every`` seconds; or ``opening`` again after each reply (``asks``).
    ``reads``: whether what comes back is read. ``stays``: seconds after which a connection is closed by us, with a RST
    if ``resets``. One that has ended is opened again, in all ``rate`` a second.
    """

    connections: int
    opening: bytes = b""
    sources: int = 250
    source: str = ""
    net: int = 66
    drip: bytes = b""
    every: float = 1.0
    flood: bytes = b""
    most: int = 1 << 62
    asks: bool = False
    reads: bool = True
    stays: float = 1e9
    resets: bool = False
    rate: float = CHURN
    pace: float = 0.0
    """Seconds that each connection waits before it asks again."""

    def address(self, number: int) -> str:
        """Return where connection ``number`` comes from."""
        if self.source:
            return self.source
        which = number % self.sources
        return f"127.{self.net}.{which // 250}.{which % 250 + 1}"

    def to_json(self, places: Mapping[str, str]) -> str:
        """Return this as text, for the process that does it, with ``places`` filled in."""
        fields = {name: _text(value) for name, value in dataclasses.asdict(self).items()}
        for place, value in places.items():
            fields["opening"] = str(fields["opening"]).replace(place, value)
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> "Attack":
        """Return what `to_json` wrote."""
        fields = json.loads(text)
        for name in ("opening", "drip", "flood"):
            fields[name] = fields[name].encode("latin-1")
        return cls(**fields)


@dataclass
class Toll:
    """What an attack came to: connections opened, refused or ended by the gateway, bytes said, replies by status."""

    opened: int = 0
    refused: int = 0
    ended: int = 0
    standing: int = 0
    said: int = 0
    heard: int = 0
    replies: dict[str, int] = field(default_factory=dict)
    cpu: float = 0.0
    """CPU seconds of the attacking process."""

    def add(self, other: "Toll") -> None:
        """Add what another attacking process did."""
        for name in ("opened", "refused", "ended", "standing", "said", "heard", "cpu"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for status, count in other.replies.items():
            self.replies[status] = self.replies.get(status, 0) + count

    @property
    def failures(self) -> int:
        """How many replies were a 5xx."""
        return sum(count for status, count in self.replies.items() if status.startswith("5"))

    def __str__(self) -> str:
        """Return it in one line."""
        replies = " ".join(f"{status}x{count:,}" for status, count in sorted(self.replies.items())) or "none"
        return (
            f"{self.opened:,} connections ({self.ended:,} ended by the gateway, {self.refused:,} refused, "
            f"{self.standing:,} stood at the end), {self.said / 2**20:,.1f} MiB said, replies {replies}, "
            f"own CPU {self.cpu:.1f} s"
        )


def _text(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else value
