"""A log that was cut or changed is told from one that a power cut has torn."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.files import clock_at, open_again, shop_in
from ttgateway.store.damage import log
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE

FRAME = 24 + 4096
ORDERS = 8


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Return a directory with the files of a gateway that was killed: nothing of them is in the database file yet."""
    running = tmp_path / "running"
    running.mkdir()
    shop = shop_in(running, clock_at())
    for number in range(ORDERS):
        shop.post(str(number))
    killed = tmp_path / "killed"
    shutil.copytree(running, killed)
    for connection in shop.store._connections:
        connection.close()
    return killed


def log_of(directory: Path) -> Path:
    return directory / f"{FILE}-wal"


def edited(directory: Path, edit: Callable[[bytearray], object]) -> None:
    content = bytearray(log_of(directory).read_bytes())
    edit(content)
    log_of(directory).write_bytes(content)


def last_commit(log: bytearray) -> int:
    """Return at which byte the last transaction but one ends."""
    frames = [at for at in range(32, len(log), FRAME) if log[at + 8 : at + 16] == log[16:24]]
    return [at + FRAME for at in frames if log[at + 4 : at + 8] != bytes(4)][-2]


def without_index(directory: Path) -> None:
    """A power cut takes the index with it: it is never synced."""
    (directory / f"{FILE}-shm").unlink()


def found(directory: Path) -> int:
    db = open_again(directory / FILE, clock_at())
    count = int(db.execute("SELECT count(*) FROM changes").get)
    db.close()
    return count


@pytest.mark.parametrize("index", [True, False])
def test_a_log_as_a_kill_leaves_it_is_read_to_its_end(killed: Path, index: bool) -> None:
    if not index:
        without_index(killed)
    assert found(killed) == ORDERS
    assert found(killed) == ORDERS


def test_a_torn_last_transaction_was_told_to_nobody(killed: Path) -> None:
    without_index(killed)

    def tear(log: bytearray) -> None:
        torn = last_commit(log) + FRAME - 512
        log[torn : torn + 512] = bytes(512)

    edited(killed, tear)
    assert found(killed) == ORDERS - 1


def test_a_torn_transaction_does_not_look_like_damage_after_the_next_power_cut(killed: Path, tmp_path: Path) -> None:
    without_index(killed)

    def tear(log: bytearray) -> None:
        log[last_commit(log) : last_commit(log) + FRAME] = bytes(FRAME)

    edited(killed, tear)
    shop = shop_in(killed, clock_at())
    shop.post("again")
    shop.post("and again")
    again = tmp_path / "again"
    shutil.copytree(killed, again)
    for connection in shop.store._connections:
        connection.close()
    without_index(again)
    edited(again, tear)
    assert found(again) == ORDERS - 1 + 1


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("at", [0, 8, 16, 24, 32, 40, 48, 100, 32 + FRAME + 48, 32 + 9 * FRAME + 16])
def test_a_flipped_bit_with_more_behind_it_is_damage(killed: Path, at: int, index: bool) -> None:
    if not index:
        without_index(killed)

    def flip(log: bytearray) -> None:
        log[at] ^= 1

    edited(killed, flip)
    with pytest.raises(DamagedStoreError, match="its log"):
        open_again(killed / FILE, clock_at())


def test_a_flipped_bit_in_the_last_transaction_is_known_by_the_index(killed: Path) -> None:
    def flip(log: bytearray) -> None:
        log[-100] ^= 1

    edited(killed, flip)
    with pytest.raises(DamagedStoreError, match="its log is sound for"):
        open_again(killed / FILE, clock_at())


@pytest.mark.parametrize("left", [0, 20, 32, 32 + FRAME, 32 + 10 * FRAME + 100])
def test_a_log_that_was_cut_is_known_by_the_index(killed: Path, left: int) -> None:
    edited(killed, lambda log: log.__delitem__(slice(left, None)))
    with pytest.raises(DamagedStoreError, match="its log"):
        open_again(killed / FILE, clock_at())


def test_a_log_that_is_gone_is_known_by_the_index(killed: Path) -> None:
    log_of(killed).unlink()
    with pytest.raises(DamagedStoreError, match="its log"):
        open_again(killed / FILE, clock_at())


def test_an_index_that_is_torn_or_of_another_log_tells_nothing(killed: Path) -> None:
    index = killed / f"{FILE}-shm"
    index.write_bytes(index.read_bytes()[:60])
    assert found(killed) == ORDERS


SALT = b"saltsalt"


class MadeUpLog:
    """A log of transactions of so many frames each, of which the first ``sound`` frames can be read."""

    def __init__(self, *transactions: int) -> None:
        self.head = struct.pack(">4I", 0x377F0682, 3_007_000, 4096, 0) + SALT
        self.seed = log.checksum(self.head, False)
        self.head += struct.pack(">2I", *self.seed)
        self.frames: list[bytes] = []
        for size in transactions:
            self.append(size)

    def append(self, size: int, at: int | None = None, mark: int = 0) -> None:
        """Write a transaction at the end, or at frame ``at``, over what is there."""
        at = len(self.frames) if at is None else at
        for number in range(size):
            before = struct.unpack(">2I", self.frames[at - 1][16:24]) if at else self.seed
            start = struct.pack(">2I", 7 + number, 21 if number == size - 1 else 0)
            content = bytes([mark]) * 4096
            checked = struct.pack(">2I", *log.checksum(start + content, False, *before))
            self.frames[at : at + 1] = [start + SALT + checked + content]
            at += 1

    def loss(self, directory: Path, sound: int) -> str | None:
        path = str(directory / FILE)
        Path(f"{path}-shm").write_bytes(2 * struct.pack("=I8xB3xI12x8s8x", 3_007_000, 1, sound, SALT))
        Path(f"{path}-wal").write_bytes(self.head + b"".join(self.frames))
        return log.loss(path, None)


def test_a_whole_log_has_lost_nothing(tmp_path: Path) -> None:
    assert MadeUpLog(3, 4, 1).loss(tmp_path, sound=8) is None


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_transaction_that_goes_on_from_the_end_of_a_damaged_one_proves_that_it_was_whole(
    tmp_path: Path, at: int
) -> None:
    damaged = MadeUpLog(5, 4)
    damaged.frames[at] = damaged.frames[at][:-1] + b"\x01"
    assert damaged.loss(tmp_path, sound=at) == f"its log is damaged after {at} pages"


def test_an_old_end_and_a_new_salt_in_one_torn_header_prove_nothing(tmp_path: Path) -> None:
    torn = MadeUpLog(41, 6)
    assert (32 + 41 * FRAME + 8) % 512 == 0
    torn.frames[41] = struct.pack(">2I", 18, 21) + torn.frames[41][8:]
    assert torn.loss(tmp_path, sound=41) is None


def test_what_commits_that_failed_have_left_proves_nothing(tmp_path: Path) -> None:
    left = MadeUpLog(3, 8)
    left.append(5, at=3, mark=1)
    left.append(2, at=3, mark=2)
    left.frames[3] = left.frames[3][:-1] + b"\x03"  # and the power fails in the middle of the last
    assert left.loss(tmp_path, sound=3) is None
