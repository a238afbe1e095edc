"""One gateway that is killed again and again under traffic."""

import contextlib
import random
import tempfile
import time
from pathlib import Path

from tests.crash import openings, promises
from tests.crash.cast import Cast
from tests.crash.office import Office
from tests.crash.promises import Figures, Life
from tests.system.daemon import Daemon, eventually
from tests.system.traffic import Traffic

TILLS = 3
"""They post at the same time: what one was told is then often not yet what the disk has begun to write."""

QUIET = 0.3
"""Seconds after which nothing that was acknowledged may be told again."""

SPREAD = 1.0
"""Seconds within which a gateway that starts would tell what it believes to be untold."""

WAYS = {"serving": 66, "starting": 14, "stopping": 12, "orderly": 8}
"""In which moments a life ends, and how often of a hundred; the last is no kill."""


class Series:
    """A gateway with its cast; `run` kills it, and returns what was not kept and the figures."""

    def __init__(self, folder: Path, seed: int, kills: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311
        self._folder = folder
        self._kills = kills
        self.daemon = Daemon(folder)
        self.cast = Cast()
        self.figures = Figures()
        self.lives: list[Life] = []
        self.failures: list[str] = []

    def run(self) -> None:
        """Kill the gateway as often as was asked, and look whether it has kept its promises."""
        daemon, cast = self.daemon, self.cast
        try:
            daemon.start()
            self.lives.append(Life(daemon.started_at, served=True))
            client = daemon.client()
            cast.register(client)
            client.close()
            tills = [Traffic(daemon, pace=0.02, first=number * 1_000_000) for number in range(1, TILLS + 1)]
            office = Office(daemon, cast, self._chance)
            with contextlib.ExitStack() as stack:
                for till in tills:
                    stack.enter_context(till)
                office.open()
                stack.callback(office.close)
                while self.figures.kills < self._kills - 1:
                    self._end_and_begin(office)
            eventually(self._all_told, 20.0)
            self._kill_in_a_quiet_moment()
            self._judge(tills, office)
            daemon.stop()
            self.failures += daemon.complaints()[:3]
        finally:
            daemon.end()
            cast.close()

    def _all_told(self) -> bool:
        return all(shown["pending"] == 0 for shown in self.daemon.control("GET", "/listeners"))

    def _end_and_begin(self, office: Office) -> None:
        """Let one life end in some way, and the next begin."""
        chance, daemon = self._chance, self.daemon
        way = chance.choices(list(WAYS), list(WAYS.values()))[0]
        time.sleep(chance.uniform(0.0, 0.1) if chance.random() < 0.25 else chance.uniform(0.1, 0.6))
        if way in ("stopping", "orderly"):
            daemon.terminate()
        if way == "orderly":
            daemon.wait()
            self.lives[-1].orderly = True
        else:
            time.sleep(chance.uniform(0.0, 0.12) if way == "stopping" else 0.0)
            self._kill()
        self.lives[-1].ended = time.monotonic()
        if way == "starting":
            daemon.begin()
            self.lives.append(Life(daemon.started_at))
            time.sleep(chance.uniform(0.2, 1.0))
            self._kill()
            self.lives[-1].ended = time.monotonic()
        self._begin(office)

    def _kill_in_a_quiet_moment(self) -> None:
        """Under traffic cursors travel with the orders' commits; now they have to be written for themselves."""
        time.sleep(QUIET)
        self._kill()
        self.lives[-1].ended = time.monotonic()
        self.daemon.start()
        self.lives.append(Life(self.daemon.started_at))
        time.sleep(SPREAD)

    def _kill(self) -> None:
        self.daemon.kill()
        self.figures.kills += 1

    def _begin(self, office: Office) -> None:
        daemon, cast = self.daemon, self.cast
        daemon.start()
        self.lives.append(Life(daemon.started_at, served=True))
        self.failures += office.check()
        began = daemon.started_at
        eventually(lambda: all(one.told and one.told[-1].at > began for one in cast.prompt))

    def _judge(self, tills: list[Traffic], office: Office) -> None:
        cast, lives, figures = self.cast, self.lives, self.figures
        acknowledged = [each for till in tills for each in till.acknowledged]
        figures.changes, figures.answered = len(acknowledged), office.answered
        figures.told = sum(len(listener.told) for listener in cast.all)
        self.failures += promises.nothing_lost(cast, acknowledged)
        self.failures += promises.in_order(cast, lives)
        self.failures += promises.one_body_a_seq(cast)
        self.failures += promises.few_repeats(cast, lives, figures)
        self.failures += promises.replays_whole(cast, office.replays)
        promises.soon_back(cast, lives, figures)
        # 404: the order was cleared by a request whose answer the kill has swallowed. 503: the gateway was stopping.
        odd = {reply.status for till in tills for reply in till.refused()} - {404, 503}
        self.failures += [f"a till was answered {status}" for status in odd]
        for shown in self.daemon.control("GET", "/listeners"):
            if shown["url"] == cast.first.url and (shown["delivered"], shown["parked"]) != (cast.first.seqs()[-1], 0):
                self.failures.append(f"the accounts do not balance: {shown}")


def run(seed: int, kills: int) -> tuple[int, Figures, list[str]]:
    """Run one series; return its seed, its figures, and what was not kept. Leaves no process and no file behind."""
    with tempfile.TemporaryDirectory(prefix="ttgateway-crash-") as folder:
        in_opening = min(openings.KILLS, kills // 4)
        series = Series(Path(folder) / "traffic", seed, kills - in_opening)
        series.daemon.folder.mkdir()
        try:
            series.run()
            if in_opening:
                series.failures += openings.run(Path(folder), random.Random(seed), in_opening)  # noqa: S311
                series.figures.kills += in_opening
        except Exception as error:  # whatever goes wrong is a failure of this series, and the others go on
            series.failures.append(f"{type(error).__name__}: {error}")
        series.failures += _orphans(folder)
    return seed, series.figures, series.failures


def _orphans(folder: str) -> list[str]:
    """Return the processes that still have to do with ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.encode() in (process / "cmdline").read_bytes():
                found.append(f"a process was left behind: {process.name}")
    return found
