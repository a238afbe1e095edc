"""System calls of a real gateway that fail for a while: strace is attached to begin a fault, and detached to end it."""

import http.client
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.storagefaults.tills import BROKEN_OFF, Tills, broken, tracebacks
from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener
from ttgateway.store.opening import FILE

FILES = ("", FILE, f"{FILE}-wal", f"{FILE}-shm", "ballast", "backups", "backups/1.db.new", "backups/2.db.new", "lock")
"""Only calls on these fail: the rest of the machine is well."""

FAULTS: dict[str, tuple[str, ...]] = {
    "pwrite64": ("error=EIO", "error=ENOSPC", "error=EROFS", "error=EINTR", "retval=0"),
    "fdatasync": ("error=EIO", "error=ENOSPC"),
    "ftruncate": ("error=EIO", "error=EROFS"),
    "pread64": ("error=EIO", "error=EINTR", "retval=0"),
    "statfs": ("error=EIO",),
}
"""What fails under way, and how; ``retval=0`` of a write is one that took nothing."""

AT_START: dict[str, tuple[str, ...]] = {
    "openat": ("error=EIO", "error=EMFILE", "error=EROFS", "error=EACCES"),
    "pread64": ("error=EIO",),
    "pwrite64": ("error=EIO", "error=ENOSPC", "error=EROFS"),
    "fdatasync": ("error=EIO",),
    "fsync": ("error=EIO",),
    "ftruncate": ("error=EIO",),
    "unlink": ("error=EIO", "error=EROFS"),
    "rename": ("error=EIO",),
    "mkdir": ("error=ENOSPC",),
}
"""What fails while the gateway starts."""

CANNOT_START = {73, 74}
"""The exit codes of a gateway that cannot start for its files; it says why in one line."""

STARTS_WITHIN = 8.0

WHEN = ("{n}", "{n}+", "{n}+2", "{n}..{m}")
"""Once, from then on, every second one, for a while: of the calls on the store's files, counted from the n-th."""

LASTS = 0.7
"""Seconds for which each fault lasts."""

BACK_WITHIN = 5.0


@dataclass
class Report:
    """What was done and found."""

    cases: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    back: list[float] = field(default_factory=list)
    taken: int = 0
    refused: int = 0
    kills: int = 0
    failures: list[str] = field(default_factory=list)


class Traced(Daemon):
    """A gateway that may be started under strace."""

    tracing: Sequence[str] = ()

    def command(self) -> list[str]:
        """Return the command line."""
        return [*self.tracing, *super().command()]

    def start_or_end(self, within: float) -> int | None:
        """Start; return the exit code if it ends, ``None`` if it serves or does neither within so many seconds."""
        self.begin()
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            code = self.process.poll()
            if code is not None:
                self._process = None
                return code
            if self.serves():
                return None
            time.sleep(0.02)
        return None


class Calls:
    """One gateway whose calls fail in one way after the other."""

    def __init__(self, folder: Path, chance: random.Random, report: Report) -> None:
        self._chance = chance
        self._trace = folder / "trace"
        self._report = report
        self.daemon = Traced(folder)
        self.listener = Listener()
        self._number = 0
        self._told = 0  # the last seq of the cases before

    def open(self) -> None:
        """Start the gateway, with a listener that is told everything."""
        self.listener.open()
        self.daemon.start()
        client = self.daemon.client()
        assert client.register(self.listener.url).status == 200
        client.close()

    def close(self) -> None:
        """Leave no process behind."""
        self.daemon.end()
        self.listener.close()

    def case(self, call: str, fault: str, when: str) -> None:
        """Let the call fail, and look whether the promise is kept; at times kill while it fails, or after."""
        self._number += 1
        nth = self._chance.choice([1, 2, self._chance.randint(3, 40)])
        inject = f"{call}:{fault}:when={when.format(n=nth, m=nth + self._chance.randint(2, 30))}"
        kill = self._chance.choice(["no", "no", "after", "meanwhile"])
        report = self._report
        report.cases += 1
        try:
            with Tills(self.daemon, f"{self._number:04}") as tills:
                self._fail(inject, kill == "meanwhile")
                if kill == "after":
                    tills.back_within(BACK_WITHIN)
                    self._kill()
                report.back.append(tills.back_within(BACK_WITHIN))
            answers = tills.answers
            if kill == "meanwhile":  # what was refused may have reached the disk, and nothing after it
                answers.refused.clear()
            report.taken += len(answers.taken)
            report.refused += len(answers.refused)
            failures = broken(answers, self.listener, self.daemon, self._told) + tracebacks(self.daemon)
            if kill == "no" and not self._well():
                failures.append("/healthz is red after it")
        except AssertionError as error:
            failures = [str(error)]
        report.failures += [f"{inject}, kill {kill}: {failure}" for failure in failures]
        self._forget()

    def _forget(self) -> None:
        """What was told so far is judged."""
        self._told = max([self._told, *self.listener.seqs()])
        self.listener.told.clear()

    def _fail(self, inject: str, kill: bool) -> None:
        """Attach strace for `LASTS` seconds."""
        line = [*self._strace(inject.partition(":")[0], inject), "-p", str(self.daemon.process.pid)]
        self._trace.unlink(missing_ok=True)
        tracer = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            eventually(self._trace.exists, 5.0)
            time.sleep(LASTS)
            if kill:
                self._kill()
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
        self._count(inject)

    def start_case(self, call: str, fault: str) -> None:
        """Let the call fail while the gateway starts: it serves, or says why it cannot; and the next start is well."""
        self._number += 1
        inject = f"{call}:{fault}:when={self._chance.randint(1, 6)}{self._chance.choice(['', '+'])}"
        self._report.cases += 1
        daemon = self.daemon
        daemon.kill() if self._chance.random() < 0.5 else daemon.stop()
        self._trace.unlink(missing_ok=True)
        daemon.tracing = [*self._strace(call, inject), "-D"]
        code = daemon.start_or_end(STARTS_WITHIN)
        daemon.tracing = []
        failures = [] if code is None or code in CANNOT_START else [f"exit code {code}: {daemon.log()[-1000:]}"]
        self._count(inject)
        if code is None:
            daemon.kill()
        daemon.start()
        with Tills(daemon, f"{self._number:04}") as tills:
            self._report.back.append(tills.back_within(BACK_WITHIN))
        self._report.taken += len(tills.answers.taken)
        failures += broken(tills.answers, self.listener, daemon, self._told) + tracebacks(daemon)
        self._report.failures += [f"{inject}, at the start: {failure}" for failure in failures]

    def _strace(self, call: str, inject: str) -> list[str]:
        paths = [part for name in FILES for part in ("-P", str(self.daemon.state / name).rstrip("/"))]
        return ["strace", "-f", "-o", str(self._trace), *paths, "-e", f"trace={call}", "-e", f"inject={inject}"]

    def _count(self, inject: str) -> None:
        count = self._trace.read_text("utf-8", "replace").count("(INJECTED)")
        fault = inject.rpartition(":")[0]
        self._report.injected[fault] = self._report.injected.get(fault, 0) + count

    def _kill(self) -> None:
        self._report.kills += 1
        self.daemon.kill()
        self.daemon.start()

    def _well(self) -> bool:
        """Tell whether it says within a while that it works; or that it was damaged, and so serves a recovered file."""
        client = Client(self.daemon.port)

        def works() -> bool:
            try:
                reply = client.call("GET", "/healthz")
            except (OSError, http.client.HTTPException):  # it may be starting anew
                return False
            return reply.status == 200 or "store damaged" in str(reply.fields)

        try:
            eventually(works, 7.0)
        except AssertionError:
            return False
        finally:
            client.close()
        return True


def run(seed: int, seconds: float) -> Report:
    """Let every call fail in every way, as often as the time allows."""
    report = Report()
    chance = random.Random(seed)  # noqa: S311
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="ttgateway-calls-") as folder:
        calls = Calls(Path(folder), chance, report)
        try:
            calls.open()
            while time.monotonic() < ends:
                every = [(call, fault, when) for call, faults in FAULTS.items() for fault in faults for when in WHEN]
                every += [(call, fault, "") for call, faults in AT_START.items() for fault in faults]
                chance.shuffle(every)
                for call, fault, when in every:
                    if time.monotonic() > ends:
                        break
                    calls.case(call, fault, when) if when else calls.start_case(call, fault)
            calls.daemon.stop()
        except BROKEN_OFF as error:  # the rest would fail for the same reason
            report.failures.append(f"{error!r}; its log ends with {calls.daemon.log()[-1500:]}")
        finally:
            calls.close()
    return report
