"""A store that is damaged while it serves: the notifier reads it for a listener that is far behind."""

import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.notifier.shop import Shop, answered
from tests.storagefaults.damages import KINDS
from ttgateway.orders.order import OrderType
from ttgateway.store.damage import soundness
from ttgateway.store.damage.soundness import RECENT
from ttgateway.store.opening import FILE
from ttgateway.store.store import Store
from ttgateway.store.tables.journal import PAGE

BEHIND = RECENT + 3 * PAGE
"""How many changes the listener has to be told: the first three pages are read from the file."""

HARMLESS, HEALED = "not met", "found, recovered and told at the start after"
NOTED = "a row found, told to the operator, and a snapshot made"


@dataclass
class Counts:
    """How many cases ended in which way, and those that broke the promise."""

    ended: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    cases: int = 0


def run(seed: int, seconds: float, only: int | None = None) -> Counts:
    """Damage and deliver for so many seconds; or only the case with this number."""
    counts = Counts()
    folder = Path(tempfile.mkdtemp(prefix="ttgateway-running-", dir="/dev/shm"))
    try:
        bodies = _left(folder / "left")
        ends, number = time.monotonic() + seconds, only or 0
        while time.monotonic() < ends and len(counts.failures) < 10:
            _case(folder, bodies, f"{seed}/{number}", counts)
            number += 1
            if only is not None:
                break
    finally:
        shutil.rmtree(folder)
    return counts


def _left(directory: Path) -> dict[int, bytes]:
    """Leave a store with a listener that was told nothing; return the changes by seq."""
    directory.mkdir()
    shop = Shop(directory=directory)
    shop.register()
    shop.dial.down.add("10.0.0.2")
    for number in range(BEHIND // 2):
        shop.post(str(number), kind=OrderType.TO_GO)
        shop.clear(str(number))
    rows = _rows(shop.store)
    shop.close()
    return rows


def _rows(store: Store) -> dict[int, bytes]:
    found: list[dict[int, bytes]] = []
    store.write(lambda db: dict(db.execute("SELECT seq, body FROM changes"))).addCallback(found.append)
    return found[0]


def _case(folder: Path, bodies: dict[int, bytes], name: str, counts: Counts) -> None:
    chance = random.Random(name)  # noqa: S311
    directory = folder / "case"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(folder / "left", directory)
    shop = Shop(directory=directory)
    done = KINDS[chance.choice(["bits", "bits of changes", "zeros", "noise", "swapped"])](chance, directory / FILE)
    counts.cases += 1
    asked: list[bool] = []
    shop.store.findings.on_damage(lambda: asked.append(True))
    try:
        failures = _tell(shop, bodies, asked)
        shop.close()
        if shop.store.findings.damaged:
            failures += _start_anew(directory, shop.store.epoch)
    except Exception as error:  # a traceback is a broken promise as well
        failures = [f"{type(error).__name__}: {error}"]
    counts.ended[HEALED if asked else NOTED if shop.store.damage else HARMLESS] += 1
    counts.failures += [f"case {name.partition('/')[2]}: {done}: {failure}" for failure in failures]


def _tell(shop: Shop, bodies: dict[int, bytes], asked: list[bool]) -> list[str]:
    """Let the listener take what comes; it must be what was written, in order, up to the damage."""
    told: list[int] = []
    failures = []
    for _ in range(200):
        shop.wait(0.2)
        peer = shop.dial.peers[-1] if shop.dial.peers else None
        while peer is not None and peer.open and peer.transport.value():  # type: ignore[no-untyped-call]
            _, headers, body = peer.request()
            seq = int(headers["webhook-id"].rpartition(".")[2])
            if headers.get("ttgateway-flags") != "snapshot":  # which first tells what was cleared
                told.append(seq)
            if body != bodies.get(seq):
                failures.append(f"wrong bytes for seq {seq}: {body!r}")
            peer.answer()
        if asked or (told and told[-1] == BEHIND):
            break
    if told != list(range(1, len(told) + 1)):
        failures.append("told out of order, or something was left out")
    if not asked and len(told) < BEHIND and not shop.store.damage:
        failures.append(f"it hangs after {len(told)} of {BEHIND}")
    if shop.store.findings.damaged and not asked:
        failures.append("the file is damaged, and nothing follows from it")
    if asked and (len(asked) > 1 or not shop.store.damage):
        failures.append("asked to start anew more than once, or nothing is said of the damage")
    return failures


def _start_anew(directory: Path, epoch: str) -> list[str]:
    """Start as the gateway then does: it says what was damaged, and the listener gets a snapshot."""
    with mock.patch.object(soundness, "CHECKED_EACH_TIME", 0):  # however large: it was not closed as a sound one is
        shop = Shop(directory=directory)
    store = shop.store
    failures = [] if store.damage and store.epoch != epoch else ["nothing is said of the damage at the next start"]
    shop.post("77")
    shop.wait(2.0)
    told = answered(shop) if shop.dial.peers else []
    if store.listeners and not told:
        failures.append("the listener is told nothing after it")
    shop.close()
    return failures
