"""Scripts against a real daemon over real sockets, in a network namespace of its own: callbacks reach nobody.

``python -m tests.fuzz.outside SEED REQUESTS FILE`` does it where it stands, and writes what came of it to the file;
`run` makes the namespace for that.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import apsw
import msgspec

from tests.fuzz.grammar import Grammar
from tests.fuzz.judging import Answered, Documented, Wrong, check_depth, check_frames, replies
from tests.fuzz.scripts import Script, filling
from tests.system.daemon import Client, Daemon
from ttgateway.store import opening
from ttgateway.store.tables.entry import COLUMNS, Entry

AT_ONCE = 48
"""Clients at a time."""
QUIET = 0.15
"""Seconds without a byte after which a client that need not wait takes it that no more comes."""
PATIENT = 300
"""Of so many clients one waits until the server closes the connection."""
MOST_WAIT = 85.0
"""Seconds within which it must: the longest deadline of 65 s and what comes after it, on a busy machine."""
MOST_GROWTH = 32 * 2**20
"""Bytes by which the daemon may grow between a tenth of the way and the end: its caches fill meanwhile."""

_HONEST_EVERY = 40
_ANSWER_WITHIN = 30.0
_RESERVE = 300.0


class Result(msgspec.Struct, kw_only=True):
    """What came of it; ``failure`` is empty where nothing went wrong, ``honest`` the seconds of honest orders."""

    scripts: int = 0
    requests: int = 0
    seconds: float = 0.0
    honest: list[float] = msgspec.field(default_factory=list)
    statuses: dict[int, int] = {}
    conforming: int = 0
    patient: int = 0
    longest: float = 0.0
    warm: int = 0
    resident: int = 0
    posted: int = 0
    failure: str = ""
    blamed: tuple[Script, ...] = ()


def run(seed: str, requests: int) -> Result:
    """Do it in a namespace of its own; return what came of it."""
    own = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "result"
        line = [*own, sys.executable, "-m", "tests.fuzz.outside", seed, str(requests), str(told)]
        within = _RESERVE + requests / 50
        ended = subprocess.run(  # noqa: S603
            line, check=False, capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL
        )
        if not told.exists():
            return Result(failure=f"it ended with {ended.returncode}: {ended.stderr[-3000:]}")
        return msgspec.json.decode(told.read_bytes(), type=Result)


class Siege:
    """Clients that play scripts against one daemon."""

    def __init__(self, daemon: Daemon, seed: str, requests: int, result: Result) -> None:
        self._daemon = daemon
        self._seed = seed
        self._wanted = requests
        self._result = result
        self._till = Client(daemon.port, daemon.secret)
        document = self._till.call("GET", "/api/openapi.json").fields
        self._documented = Documented(document)
        self._grammar = Grammar(document)
        self._epoch = self._till.call("GET", "/api/v2/gateway").fields["gateway"]["epoch"]
        self._secret = self._new_secret()
        self._uuid, self._listener = "00000000-0000-4000-8000-000000000000", "0" * 12
        self._number = 0
        self.posted: set[str] = set()

    def _new_secret(self) -> str:
        return str(self._daemon.control("POST", "/tokens", {"name": "fuzz"})["secret"])

    async def run(self) -> None:
        """Play until enough was asked; raises whatever goes wrong."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._clients(group))

    async def _clients(self, group: asyncio.TaskGroup) -> None:
        result = self._result
        while result.requests < self._wanted:
            self._number = number = self._number + 1
            script = self._grammar.script(random.Random(f"{self._seed}/outside/{number}"))  # noqa: S311
            result.requests += script.requests
            if not result.warm and result.requests > self._wanted // 10:
                result.warm = self._daemon.resident()
            if number % _HONEST_EVERY == 0:
                await asyncio.to_thread(self._honest_order, number)
            if number % PATIENT == 0 and not script.leaves:
                group.create_task(self._play(script, number, patient=True))
            else:
                await self._play(script, number)

    async def _play(self, script: Script, number: int, *, patient: bool = False) -> None:
        result = self._result
        try:
            reader, writer = await asyncio.wait_for(self._connect(number), 10)
            try:
                await self._send(script, writer)
                data, whole = await self._receive(reader, script, patient)
            finally:
                writer.transport.abort()
            self._judge(script, data, whole)
        except Exception:
            result.blamed = (script,)
            raise
        result.scripts += 1

    async def _connect(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        source = f"127.0.{1 + number % 200}.{1 + number // 200 % 200}"
        return await asyncio.open_connection("127.0.0.1", self._daemon.port, local_addr=(source, 0), limit=2**22)

    async def _send(self, script: Script, writer: asyncio.StreamWriter) -> None:
        pieces = script.pieces(filling(self._secret, self._uuid, self._listener, self._epoch))
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await asyncio.wait_for(writer.drain(), 10)
                await asyncio.sleep(0)

    async def _receive(self, reader: asyncio.StreamReader, script: Script, patient: bool) -> tuple[bytes, bool]:
        """Return what came, and whether nothing of it can have been lost."""
        if script.leaves:
            return b"", False
        began, data = time.monotonic(), b""
        most = MOST_WAIT if patient else _ANSWER_WITHIN
        while (waited := time.monotonic() - began) < most:
            enough = not patient and (data or script.asked is None)
            try:
                more = await asyncio.wait_for(reader.read(2**16), QUIET if enough else most - waited)
            except TimeoutError:
                if enough:
                    return data, True
                break
            except ConnectionError:
                return data, False
            if not more:
                break
            data += more
        waited = time.monotonic() - began
        if waited >= most:
            raise Wrong(f"neither answered nor closed within {most:.0f} s")
        if patient:
            self._result.patient += 1
            self._result.longest = max(self._result.longest, waited)
        return data, True

    def _judge(self, script: Script, data: bytes, whole: bool) -> None:
        answers, frames = replies(data, script, whole=whole)
        if whole:
            check_frames(frames)
        for answer in answers:
            self._result.statuses[answer.status] = self._result.statuses.get(answer.status, 0) + 1
        self._note(answers)
        if script.asked is not None and whole:
            if len(answers) != 1:
                raise Wrong(f"one sound request ({script.asked}) has {len(answers)} answers: {data[:300]!r}")
            check_depth(script.asked, answers[0])
            if self._result.scripts % 3 == 0:
                self._result.conforming += self._documented.check(script.asked, answers[0])

    def _note(self, answers: list[Answered]) -> None:
        for answer in answers:
            fields = answer.fields or {}
            order, listener = fields.get("activeorder"), fields.get("listener")
            if answer.status == 200 and isinstance(order, dict):
                self._uuid = order["uuid"]
                self.posted.add(order["uuid"])
            self._listener = listener if isinstance(listener, str) else self._listener

    def _honest_order(self, number: int) -> None:
        """Post an order as a till does, and clear it; raises `Wrong`."""
        began = time.monotonic()
        reply = Client(self._daemon.port, self._daemon.secret).post_order(4_000_000_000 + number)
        self._result.honest.append(time.monotonic() - began)
        if reply.status != 200:
            raise Wrong(f"an honest order got {reply}")
        self.posted.add(reply.fields["activeorder"]["uuid"])
        Client(self._daemon.port, self._daemon.secret).clear_order(4_000_000_000 + number)
        if Client(self._daemon.port, self._secret).call("GET", "/api/v2/activeorders").status == 401:
            self._secret = self._new_secret()


def _besiege(daemon: Daemon, seed: str, requests: int, result: Result) -> None:
    siege = Siege(daemon, seed, requests, result)
    began = time.monotonic()
    asyncio.run(siege.run())
    result.seconds = time.monotonic() - began
    result.posted, result.resident = len(siege.posted), daemon.resident()
    if result.resident - result.warm > MOST_GROWTH:
        raise Wrong(f"the daemon grew from {result.warm >> 20} to {result.resident >> 20} MiB")
    health = daemon.client().call("GET", "/healthz")
    if health.status != 200:
        raise Wrong(f"not well at the end: {health}")
    daemon.stop()
    if daemon.complaints():
        raise Wrong("logged: " + "\n".join(daemon.complaints()[:20]) + daemon.log()[-2000:])
    db = apsw.Connection(str(daemon.state / opening.FILE), flags=apsw.SQLITE_OPEN_READONLY)
    entries = [Entry.from_row(row) for row in db.execute(f"SELECT {COLUMNS} FROM changes ORDER BY seq")]  # noqa: S608
    db.close()
    if lost := siege.posted - {entry.order_uuid for entry in entries}:
        raise Wrong(f"confirmed, and not in the journal: {sorted(lost)[:5]}")


def main(seed: str, requests: str, told: str) -> None:
    """Do it here, where nothing but loopback can be reached."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607
    result = Result()
    shm = Path("/dev/shm")  # noqa: S108  # the disk is not what is tried here
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        daemon = Daemon(Path(folder), '[access]\nhosts = ["gateway"]\n').start()
        try:
            _besiege(daemon, seed, int(requests), result)
        except BaseException as error:
            causes = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
            result.failure = "".join(traceback.format_exception(causes[0], limit=-6)) + "\n".join(
                daemon.complaints()[:20]
            )
        finally:
            daemon.end()
    Path(told).write_bytes(msgspec.json.encode(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
