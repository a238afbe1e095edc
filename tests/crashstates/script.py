"""A scenario as it was recorded."""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.crashstates.ledger import contents_of
from tests.crashstates.notes import Content
from tests.crashstates.scenarios import SCENARIOS
from tests.crashstates.till import Till
from tests.disks.laying import image_in
from tests.disks.medium import Image
from tests.disks.operations import Operation
from tests.disks.recording import RecordingVFS


@dataclass(frozen=True)
class Script:
    """A recorded scenario: what lay in the directory at first, and all that was done."""

    name: str
    first: Image
    operations: list[Operation]
    contents: list[Content]
    fresh: bool
    damaged: bool
    before: Content | None


def record(name: str, disks: RecordingVFS, directory: Path, seed: int) -> Script:
    """Run a scenario in ``directory``, which is empty, and return what was done; the same for the same ``seed``."""
    scenario = SCENARIOS[name]
    random = Random(f"{name} {seed}")  # noqa: S311
    disks.seed(seed)
    with _known_uuids(random), contextlib.closing(Recorded(disks, directory)) as recorded:
        till = Till(recorded.recording, random, scenario.limits)
        scenario.prepare(till)
        first, before = image_in(directory), till.known if scenario.replaced else None
        recorded.recording.restart(first)
        scenario.run(till)
        operations = recorded.recording.operations
    return Script(name, first, operations, contents_of(operations), scenario.fresh, scenario.damaged, before)


class Recorded:
    """A directory that is recorded until this is closed."""

    def __init__(self, disks: RecordingVFS, directory: Path) -> None:
        self._disks = disks
        self.recording = disks.watch(directory)

    def close(self) -> None:
        """Record no more."""
        self._disks.forget(self.recording)


@contextmanager
def _known_uuids(random: Random) -> Iterator[None]:
    """Let the names that the store gives itself be the same each time."""
    real = uuid.uuid4
    uuid.uuid4 = lambda: uuid.UUID(int=random.getrandbits(128), version=4)
    try:
        yield
    finally:
        uuid.uuid4 = real
