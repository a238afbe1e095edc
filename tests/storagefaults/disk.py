"""A disk that is full for a while, and one that nobody may write to: a small tmpfs in a mount namespace of our own."""

import ctypes
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.storagefaults.tills import BROKEN_OFF, Tills, broken, tracebacks
from tests.system.daemon import Client, Daemon, Reply, eventually
from tests.system.listeners import Listener
from ttgateway.store.disk import LEAST_FREE

SIZE = LEAST_FREE + 32 * 1024 * 1024
LOW = LEAST_FREE // 2
BACK_WITHIN = 5.0
NEW_MOUNTS = 0x00020000
"""``CLONE_NEWNS`` of unshare(2)."""


@dataclass
class Report:
    """What was done and found."""

    rounds: int = 0
    back: list[float] = field(default_factory=list)
    taken: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)


def apart() -> None:
    """Give this process, and its children, mounts of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("--make-rprivate", "/")


def _mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True, timeout=20)  # noqa: S603, S607


class SmallDisk:
    """The tmpfs that holds a gateway's state directory; another process fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder))

    def fill(self, leave: int = 0) -> None:
        """Take all room, but for so many bytes."""
        stat = os.statvfs(self.folder)
        size = stat.f_bavail * stat.f_frsize - leave
        line = ["dd", "if=/dev/zero", f"of={self.folder}/theirs", "bs=64k", "oflag=append", "conv=notrunc"]
        count = [] if leave == 0 else ["iflag=count_bytes", f"count={max(0, size)}"]
        subprocess.run([*line, *count], check=False, capture_output=True, timeout=60)  # noqa: S603

    def free(self) -> None:
        """Give the room back."""
        (self.folder / "theirs").unlink(missing_ok=True)

    def write_protect(self, protected: bool) -> None:
        """Let nobody write, or everybody again."""
        _mount("-o", f"remount,{'ro' if protected else 'rw'}", str(self.folder))


class Rounds:
    """One gateway on a small disk."""

    def __init__(self, disk: SmallDisk, log: Path, report: Report) -> None:
        self._disk = disk
        self._report = report
        self.daemon = Daemon(disk.folder)
        self.daemon.log_file = log  # that is not the gateway's: on the full disk it would have no room
        self.listener = Listener()
        self._number = 0
        self._taken = ""  # the last change of this round's order that was taken

    def open(self) -> None:
        """Start the gateway, with a listener that is told everything."""
        self.listener.open()
        client = self.daemon.start().client()
        assert client.register(self.listener.url).status == 200
        client.close()

    def close(self) -> None:
        """Leave no process behind."""
        self.daemon.end()
        self.listener.close()

    def run(self) -> None:
        """Let room get low, then none be left, then give it back; in every second round kill the gateway meanwhile."""
        self._number += 1
        self._report.rounds += 1
        failures = []
        try:
            client = self.daemon.client()
            failures += _expect(client.post_order(f"9{self._number}"), 200, "an order with room")
            self._disk.fill(leave=LOW)
            failures += self._low(client)
            with Tills(self.daemon, f"{self._number:04}") as tills:
                failures += self._full(client)
                if self._number % 2 == 0:
                    self.daemon.kill()
                self._disk.free()
                if not self.daemon.runs:
                    self.daemon.start()
                self._report.back.append(tills.back_within(BACK_WITHIN))
                time.sleep(0.5)
            client.close()
            self._report.taken += len(tills.answers.taken)
            self._report.refused += len(tills.answers.refused)
            failures += broken(tills.answers, self.listener, self.daemon) + tracebacks(self.daemon)
            failures += self._told_once() + self._stands()
        except AssertionError as error:
            failures.append(str(error))
        finally:
            self._disk.free()
        self.listener.told.clear()
        self._report.failures += [f"round {self._number} of a full disk: {failure}" for failure in failures]

    def _low(self, client: Client) -> list[str]:
        """New orders are refused, changes to active ones are taken, and all of it is told."""
        name = f"9{self._number}"
        failures = _expect(client.post_order(f"8{self._number}"), 507, "a new order with little room")
        failures += _expect(client.post_order(name, "7"), 200, "a change with little room")
        self._taken = "7"
        told = lambda: any(each.fields["locationName"] == "7" for each in list(self.listener.told))  # noqa: E731
        eventually(told, 5.0)
        return failures

    def _full(self, client: Client) -> list[str]:
        """The ballast goes, what was told can be acknowledged, and nothing but 507 is answered."""
        self._disk.fill()
        name, ballast = f"9{self._number}", self.daemon.state / "ballast"
        statuses: set[int] = set()
        number = 0
        ends = time.monotonic() + 1.5
        while time.monotonic() < ends or (not statuses & {507} and number < 2_000):
            number += 1
            status = client.post_order(name, str(number)).status
            statuses.add(status)
            if status == 200:
                self._taken = str(number)
            if number % 50 == 0:
                self._disk.fill()
        failures = [f"answered {statuses - {200, 507}} on a full disk"] if statuses - {200, 507} else []
        if 507 in statuses and ballast.exists():
            failures.append("the ballast was not given up")
        return failures

    def _told_once(self) -> list[str]:
        """What was acknowledged more than a moment before the kill is not told again: acknowledgements have fitted."""
        seqs = self.listener.seqs()
        again = len(seqs) - len(set(seqs))
        return [f"{again} told again"] if again > 20 else []

    def _stands(self) -> list[str]:
        """The order is what the last change says that was taken: none was lost, and none counts that was refused."""
        client = self.daemon.client()
        shown = client.call("GET", f"/api/v2/activeorders/9{self._number}").fields["activeorder"]
        client.close()
        stands = shown["locationName"]
        return [] if stands == self._taken else [f"the order stands at {stands}, and {self._taken} was confirmed"]

    def protected(self) -> None:
        """A disk that may only be read: the gateway says so in one line; once it may be written, it starts."""
        self._report.rounds += 1
        self.daemon.stop()
        self._disk.write_protect(True)
        code, lines = self.daemon.run_for(15.0)
        self._disk.write_protect(False)
        if code != 73 or len(lines) != 1:
            self._report.failures.append(f"on a write-protected disk: exit code {code}, {lines}")
        self.daemon.start()
        client = self.daemon.client()
        failures = _expect(client.post_order(77), 200, "an order once the disk may be written again")
        self._report.failures += failures
        client.close()


def _expect(reply: Reply, status: int, what: str) -> list[str]:
    if reply.status == status and (status != 507 or reply.fields["returnCode"] == -904):
        return []
    return [f"{what}: {reply.status} {reply.fields}"]


def run(seconds: float) -> Report:
    """Fill and free the disk again and again; call `apart` before."""
    report = Report()
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="ttgateway-disk-") as folder:
        mounted = Path(folder) / "disk"
        mounted.mkdir()
        rounds = Rounds(SmallDisk(mounted), Path(folder) / "log", report)
        try:
            rounds.open()
            rounds.protected()
            while time.monotonic() < ends and not report.failures:
                rounds.run()
            _ballast_is_back(rounds)
            rounds.daemon.stop()
        except BROKEN_OFF as error:
            report.failures.append(repr(error))
        finally:
            rounds.close()
            subprocess.run(["umount", "-l", str(mounted)], check=False, timeout=20)  # noqa: S603, S607
    return report


def _ballast_is_back(rounds: Rounds) -> None:
    """There is a ballast again: at a start, or within a minute."""
    rounds.daemon.kill()
    rounds.daemon.start()
    eventually((rounds.daemon.state / "ballast").exists, 2.0)
