"""What a run came to."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.fates import Profile


@dataclass
class Report:
    """What a run came to; ``story`` has a line for each event, and ``broken`` one for each rule that was broken."""

    seed: int
    profile: Profile
    broken: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    hours: float = 0.0

    @property
    def digest(self) -> str:
        """A short name of everything that happened."""
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()[:16]
