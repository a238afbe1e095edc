"""One case: the gateway, the honest ones beside the attack, what was promised, and what came of it."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.abuse.attack import Attack, Toll
from tests.abuse.cases import SECRET, SILENT_PORT, Case
from tests.abuse.honest import Caller, Stranger, Till
from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener

P99 = 100.0
"""Milliseconds within which an order is confirmed, 99 times of 100."""
RECOVERS_WITHIN = 5.0
MOST_GROWTH = 32 * 1024 * 1024
MOST_LOG = 8 * 1024
"""Bytes that the log may grow in one case; what a day of it may come to is 10 MB."""
CALM = 1.0
NORMAL = 0.1
"""Seconds in which anybody is served when all is well."""
_STRANGERS = ("127.0.0.9", "127.66.0.1", "127.66.0.2", "127.99.0.1")
_CLOCK = 100.0
"""Ticks of the kernel a second, in which CPU time is told."""


@dataclass
class Outcome:
    """What came of one case; ``broken`` are the promises that were."""

    name: str
    toll: Toll = field(default_factory=Toll)
    lines: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def promise(self, kept: bool, words: str) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(words)


class LimitedDaemon(Daemon):
    """A daemon that may open only so many files."""

    def __init__(self, folder: Path, settings: str, descriptors: int) -> None:
        super().__init__(folder, settings)
        self._descriptors = descriptors

    def command(self) -> list[str]:
        """Return the command line."""
        line = super().command()
        return ["prlimit", f"--nofile={self._descriptors}:{self._descriptors}", *line] if self._descriptors else line


class Scene:
    """A gateway that serves, with a listener that is told of everything and one that accepts and never answers."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.daemon = LimitedDaemon(folder, case.settings, case.descriptors).start()
        self.listener = Listener().open()
        self.silent = Listener("127.0.0.1")
        self.silent.manners = lambda _, peer: peer.wait_for_the_end()
        self.silent.open()
        with contextlib.closing(self.daemon.client()) as client:
            assert client.register(self.listener.url).status == 200

    def descriptors(self) -> int:
        """Return how many files the daemon has open."""
        return len(list(Path(f"/proc/{self.daemon.process.pid}/fd").iterdir()))

    def cpu(self) -> float:
        """Return the CPU seconds that the daemon has used."""
        fields = Path(f"/proc/{self.daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK

    def starved(self) -> float:
        """Return for how many seconds the daemon's threads have waited for a processor, because others had both."""
        tasks = Path(f"/proc/{self.daemon.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[1]) for task in tasks) / 1e9

    def close(self) -> None:
        """End the daemon; raises ``AssertionError`` where it does not end in order."""
        try:
            self.daemon.stop()
        finally:
            self.daemon.end()
            self.listener.close()
            self.silent.close()


@contextlib.contextmanager
def attacked(scene: Scene, attacks: tuple[Attack, ...], toll: Toll) -> Iterator[None]:
    """Let all attacks go on; in the end ``toll`` is what they came to."""
    line = [sys.executable, "-m", "tests.abuse.attacker", str(scene.daemon.port)]
    places = {SECRET: scene.daemon.secret, SILENT_PORT: str(scene.silent.port)}
    running: list[subprocess.Popen[bytes]] = []
    try:
        for attack in attacks:
            process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)  # noqa: S603
            running.append(process)
            _tell(process, attack, places)
        yield
    finally:
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
        for process in running:
            assert process.stdout is not None
            said = process.stdout.read()
            process.stdout.close()
            if process.wait(30) == 0:
                toll.add(Toll(**json.loads(said)))


def _tell(process: "subprocess.Popen[bytes]", attack: Attack, places: dict[str, str]) -> None:
    assert process.stdin is not None
    process.stdin.write(attack.to_json(places).encode() + b"\n")
    process.stdin.flush()


def besiege(scene: Scene, name: str, case: Case) -> Outcome:
    """Do one case to the gateway of ``scene``; return what came of it."""
    outcome = Outcome(name)
    port, secret = scene.daemon.port, scene.daemon.secret
    calm = [Till(port, secret, case.till, fresh=fresh) for fresh in (False, True)]
    _work(calm, CALM)
    files, memory, log = scene.descriptors(), scene.daemon.resident(), len(scene.daemon.log())
    tills, stranger = [Till(port, secret, case.till, fresh=fresh) for fresh in (False, True)], Stranger(port)
    used, starved, began = scene.cpu(), scene.starved(), time.monotonic()
    with attacked(scene, case.attacks, outcome.toll):
        _work([*tills, stranger], case.seconds)
        used, starved, grown = scene.cpu() - used, scene.starved() - starved, scene.daemon.resident() - memory
    ended = time.monotonic()
    recovered = _recovers(scene, files, ended)
    logged = scene.daemon.log()[log:]
    outcome.lines += [
        f"  attack     {outcome.toll}",
        f"  posts      kept connection {tills[0].waits}; before the attack {calm[0].waits}",
        f"             fresh connections {tills[1].waits}; before the attack {calm[1].waits}",
        f"  strangers  {stranger.waits}",
        f"  gateway    CPU {100 * used / (ended - began):.0f} % (waited {starved:.2f} s for a processor), "
        f"memory {grown / 2**20:+.1f} MiB, log {len(logged):+,} bytes, normal again after {recovered:.2f} s",
    ]
    _judge_tills(outcome, case, *tills)
    _judge_gateway(outcome, grown, recovered, logged)
    outcome.promise(secret not in logged, "the log tells a secret")
    outcome.promise(not scene.daemon.complaints(), f"in the log: {logged[:3000]}")
    _deliver(scene, [*calm, *tills], outcome)
    return outcome


def _judge_tills(outcome: Outcome, case: Case, kept: Till, fresh: Till) -> None:
    """Note what was promised to the tills and not kept; and whether it was an attack at all."""
    worst = kept.waits.percentile(99)
    outcome.promise(worst <= P99, f"p99 {worst:.0f} ms on a kept connection")
    if case.sheltered:
        worst = fresh.waits.percentile(99)
        outcome.promise(worst <= P99, f"p99 {worst:.0f} ms on fresh connections")
    outcome.promise(not kept.waits.broken, "a kept connection of a till was broken off")
    outcome.promise(not kept.refused + fresh.refused, f"orders refused: {kept.refused + fresh.refused}")
    outcome.promise(not outcome.toll.failures, "a reply of 5xx")
    outcome.promise(outcome.toll.opened > 0, "the attackers never got in: this was no attack")
    outcome.promise(not case.wants or case.wants in outcome.toll.replies, f"no attacker was told {case.wants}")


def _judge_gateway(outcome: Outcome, grown: int, recovered: float, logged: str) -> None:
    """Note what was promised of the gateway itself and not kept."""
    outcome.promise(recovered <= RECOVERS_WITHIN, f"not normal again in {RECOVERS_WITHIN:.0f} s")
    outcome.promise(grown <= MOST_GROWTH, f"memory grew by {grown / 2**20:.0f} MiB")
    outcome.promise(len(logged) <= MOST_LOG, f"the log grew by {len(logged)} bytes")


def _work(callers: Sequence[Caller], seconds: float) -> None:
    for caller in callers:
        caller.start()
    time.sleep(seconds)
    for caller in callers:
        caller.stop()


def _recovers(scene: Scene, files: int, ended: float) -> float:
    """Return the seconds after the attack until all was normal: anybody served, in time, the descriptors back."""
    while not _normal(scene, files):
        if time.monotonic() - ended > 2 * RECOVERS_WITHIN:
            return float("inf")
        time.sleep(0.05)
    return time.monotonic() - ended


def _normal(scene: Scene, files: int) -> bool:
    if scene.descriptors() > files + 4:
        return False
    try:
        return all(_served(scene, source) for source in _STRANGERS)
    except OSError:
        return False


def _served(scene: Scene, source: str) -> bool:
    """Return whether someone at ``source`` is served in time, as a stranger and as a till."""
    for secret, path in (("", "/api/v2"), (scene.daemon.secret, "/api/v2/activeorders/000")):
        with contextlib.closing(Client(scene.daemon.port, secret, source, timeout=1.0)) as client:
            began = time.monotonic()
            status = client.call("GET", path).status
            if status not in (200, 404) or time.monotonic() - began > NORMAL:
                return False
    return True


def _deliver(scene: Scene, tills: list[Till], outcome: Outcome) -> None:
    """Check that all that was confirmed was told, in order; then end all orders."""
    confirmed = {change: at for till in tills for change, at in till.confirmed.items()}
    try:
        eventually(lambda: scene.daemon.account(scene.listener.url)["pending"] == 0)
    except AssertionError:
        outcome.broken.append("not all was delivered in 10 s")
    told = {each.change: each.at for each in scene.listener.told}
    lost = sum(change not in told for change in confirmed)
    late = sorted(told[change] - at for change, at in confirmed.items() if change in told)
    seqs = scene.listener.seqs()
    p99 = 1e3 * late[len(late) * 99 // 100] if late else 0.0
    outcome.lines.append(
        f"  delivery   {len(late)} of {len(confirmed)} told, {lost} lost, p99 {p99:.1f} ms from posting"
    )
    outcome.promise(lost == 0, f"{lost} changes lost")
    outcome.promise(seqs == sorted(set(seqs)), "changes out of order, or twice")
    scene.listener.told.clear()
    with contextlib.closing(scene.daemon.client()) as client:
        client.call("DELETE", "/api/v2/activeorders")
