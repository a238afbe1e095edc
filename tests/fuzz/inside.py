"""Rounds of scripts on a gateway in this process, on a clock of our own: fast, and the same at every run."""

import contextlib
import os
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
from twisted.logger import globalLogPublisher

from tests.fuzz.gateway import MOST_WAIT, Complaints, Gateway, Wire, passing
from tests.fuzz.grammar import Grammar
from tests.fuzz.judging import Answered, Documented, Wrong, check_depth
from tests.fuzz.scripts import Asked, Script, filling

TOGETHER = 8
"""Scripts whose connections are open at the same time."""

BATCHES = 100
"""Batches in a round, each on a gateway of its own."""

_CHECK_EVERY = 3
"""Of the replies whose schema is known, how many are passed over for one that is checked: that takes the longest."""


class Result(msgspec.Struct, kw_only=True):
    """What came of a round. ``failure`` is empty where nothing went wrong, else ``batch`` is where it did."""

    seed: str
    scripts: int = 0
    requests: int = 0
    honest: int = 0
    conforming: int = 0
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    resident: int = 0
    process: int = 0
    failure: str = ""
    batch: int = -1
    blamed: tuple[Script, ...] = ()


_NEVER = (401, 405, 408, 411, 413, 414, 415, 421, 426, 431)
"""What says that the head of a request is not sound, or its secret (which another script may have revoked)."""


def resident() -> int:
    """Return how many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def scripts_of(grammar: Grammar, seed: str, batch: int) -> list[Script]:
    """Return the scripts of one batch of a round."""
    random = Random(f"{seed}/{batch}")  # noqa: S311
    return [grammar.script(random) for _ in range(TOGETHER)]


class Round:
    """Scripts on one gateway, and what came of them."""

    def __init__(self, result: Result) -> None:
        self.gateway = Gateway()
        self.grammar = Grammar(self.gateway.document)
        self._documented = Documented(self.gateway.document)
        self._result = result
        self._uuid = "00000000-0000-4000-8000-000000000000"
        self._listener = "0" * 12

    def run(self, scripts: Sequence[Script], number: int) -> None:
        """Let the clients of ``scripts`` do their worst, and an honest one its work; raises whatever goes wrong."""
        gateway, random = self.gateway, Random(number)  # noqa: S311
        gateway.keep_secret()
        filled = filling(gateway.shown, self._uuid, self._listener, gateway.gateway.epoch)
        wires = [Wire(gateway.site, script.peer) for script in scripts]
        left = [script.pieces(filled)[::-1] for script in scripts]
        while open_ones := [index for index, pieces in enumerate(left) if pieces]:
            index = random.choice(open_ones)
            wires[index].send(left[index].pop())
            if not left[index] and scripts[index].leaves:
                wires[index].end()
        gateway.honest_order(number)
        gateway.pass_time(MOST_WAIT)
        for wire, script in zip(wires, scripts, strict=True):
            self._judge(wire, script)
            wire.end()
        gateway.check_bounds()

    def _judge(self, wire: Wire, script: Script) -> None:
        result = self._result
        if not (wire.closed or wire.ended):
            raise Wrong(f"open {MOST_WAIT:.0f} s after the last byte")
        answers = wire.came(script)
        self.gateway.note(answers)
        result.scripts += 1
        result.requests += script.requests
        result.statuses.update(answer.status for answer in answers)
        for answer in answers:
            fields = answer.fields or {}
            self._uuid = fields.get("activeorder", {}).get("uuid", self._uuid)
            listener = fields.get("listener")
            self._listener = listener if isinstance(listener, str) else self._listener
        if script.asked is not None:
            self._check_sound(script.asked, script, answers)
            if result.scripts % _CHECK_EVERY == 0:
                result.conforming += self._documented.check(script.asked, answers[0])

    def _check_sound(self, asked: Asked, script: Script, answers: list[Answered]) -> None:
        """Raise `Wrong` unless a request that nothing was done to has its one answer, and the one that it deserves."""
        if len(answers) != 1:
            raise Wrong(f"one sound request ({asked}) has {len(answers)} answers")
        status = answers[0].status
        if script.known and status in _NEVER and (status != 401 or self.gateway.opens):
            raise Wrong(f"a sound request ({asked}) was answered with {status}")
        check_depth(asked, answers[0])


def run(seed: str, batches: int = BATCHES) -> Result:
    """Do a whole round; return what came of it."""
    result = Result(seed=seed)
    complaints = Complaints()
    globalLogPublisher.addObserver(complaints)
    try:
        _run(result, complaints, batches)
    finally:
        globalLogPublisher.removeObserver(complaints)
    result.resident, result.process = resident(), os.getpid()
    return result


def _run(result: Result, complaints: Complaints, batches: int) -> None:
    scripts: list[Script] = []
    before = passing()  # of a round that failed in this process
    try:
        round_ = Round(result)
        for batch in range(batches):
            result.batch = batch
            scripts = scripts_of(round_.grammar, result.seed, batch)
            round_.run(scripts, batch)
            result.honest += 1
            _no_complaints(complaints)
        scripts = []
        round_.gateway.close()
        del round_
        if left := passing() - before:
            raise Wrong(f"left of connections that have ended: {dict(left)}")
        _no_complaints(complaints)
    except Exception:
        result.failure = traceback.format_exc(limit=-6)
        result.blamed = tuple(scripts)


def _no_complaints(complaints: Complaints) -> None:
    if complaints.found:
        raise Wrong("logged: " + "\n".join(complaints.found))


def breaks(scripts: Sequence[Script]) -> str:
    """Return how a fresh gateway fails at these scripts, each in a batch of its own; ``""`` where it does not."""
    complaints = Complaints()
    globalLogPublisher.addObserver(complaints)
    try:
        round_ = Round(Result(seed=""))
        for number, script in enumerate(scripts):
            round_.run([script], number)
            _no_complaints(complaints)
        with contextlib.suppress(AssertionError):
            round_.gateway.audience.stop()
    except Exception:
        return traceback.format_exc(limit=-6)
    finally:
        globalLogPublisher.removeObserver(complaints)
    return ""
