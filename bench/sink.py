"""The sink (``sink.c``): the listeners of all that is measured, and what each of them was told, and when."""

import mmap
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

MOST = 8_000_000
"""How many deliveries fit into one phase."""

_COUNT = struct.Struct("<Q")
_RECORD = struct.Struct("<IIQQ")


class Arrival(NamedTuple):
    """A delivery at the sink: ``size`` of its body in bytes, ``at`` in nanoseconds (``time.monotonic_ns``)."""

    listener: int
    size: int
    seq: int
    at: int


class Sink:
    """A running sink, as a context manager. ``core`` is the processor that it is kept on, if that is given."""

    def __init__(self, core: int | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ttgateway-sink-", dir="/dev/shm"))
        self._core = core

    def __enter__(self) -> Self:
        """Build it, and start it."""
        program, records = self._folder / "sink", self._folder / "records"
        compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
        subprocess.run([compiler, "-O2", "-o", program, Path(__file__).with_name("sink.c")], check=True)  # noqa: S603
        pinned = [] if self._core is None else ["taskset", "-c", str(self._core)]
        self._process = subprocess.Popen(  # noqa: S603
            [*pinned, program, records, str(MOST)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        with records.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and forget what has arrived."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._map.close()
        shutil.rmtree(self._folder)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def url(self, listener: int) -> str:
        """Return where a listener is told; ``listener`` is the number that its arrivals have."""
        return f"http://127.0.0.1:{self.port}/{listener}"

    def count(self) -> int:
        """Return how many deliveries have arrived since `reset`."""
        return int(_COUNT.unpack_from(self._map)[0])

    def reset(self) -> None:
        """Forget what has arrived. Nothing may be on its way."""
        _COUNT.pack_into(self._map, 0, 0)

    def arrivals(self) -> list[Arrival]:
        """Return what has arrived since `reset`, in the order of arrival."""
        end = _COUNT.size + self.count() * _RECORD.size
        return [Arrival(*record) for record in _RECORD.iter_unpack(self._map[_COUNT.size : end])]
