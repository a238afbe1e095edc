"""The recording, in a process of its own each time: it becomes SQLite's default there, for good."""

import subprocess
import sys
from pathlib import Path

import pytest

PREPARED = """
import os, shutil, sys
from pathlib import Path
from random import Random
from tests.disks.recording import install
disks = install()
import apsw
from tests.disks.operations import *
directory = Path(sys.argv[1])
recording = disks.watch(directory)
db = apsw.Connection(str(directory / "a.db"))
db.pragma("journal_mode", "WAL")
db.pragma("synchronous", "FULL")
db.execute("CREATE TABLE t (x)")

def rows():
    other = apsw.Connection(str(directory / "a.db"))
    found = [row[0] for row in other.execute("SELECT x FROM t")]
    other.close()
    return found
"""

TESTS = {
    "committed rows survive a power cut, others need not": """
db.execute("INSERT INTO t VALUES (1)")
for number in range(20):
    recording.power_cut(Random(number))
    assert rows() == [1]
""",
    "without syncs a committed row is lost in some states": """
db.pragma("synchronous", "NORMAL")
db.execute("INSERT INTO t VALUES (1)")
lost = [recording.medium.image(Random(number)) for number in range(20)]
found = set()
for image in lost:
    recording.restart(image)
    found.add(tuple(rows()))
assert found == {(), (1,)}, found
""",
    "who had the files open writes nowhere after a power cut": """
db.execute("INSERT INTO t VALUES (1)")
recording.power_cut(Random(1))
new = apsw.Connection(str(directory / "a.db"))
new.execute("INSERT INTO t VALUES (2)")
db.execute("INSERT INTO t VALUES (3)")
db.close()
assert rows() == [1, 2]
new.close()
assert rows() == [1, 2]
""",
    "two directories do not mix": """
(directory / "other").mkdir()
other = disks.watch(directory / "other")
before = len(other.operations)
db.execute("INSERT INTO t VALUES (1)")
assert len(other.operations) == before == 0
""",
    "faults strike when and as often as they are told to": """
recording.fail("xWrite", apsw.FullError("planted"), ending="-wal", after=1, times=1)
for number in (1, 2):
    try:
        db.execute("INSERT INTO t VALUES (?)", (number,))
    except apsw.FullError:
        assert number == 1
recording.fail("xRead", apsw.IOError("planted"), ending=".db")
try:
    rows()
    raise AssertionError
except apsw.IOError as error:
    assert error.extendedresult == apsw.SQLITE_IOERR_READ
recording.mend()
assert rows() == [2]
""",
    "half of a write is written where a fault says so, in whole sectors": """
for after, partly in ((0, False), (1, True)):  # a frame's header, which lies within a sector, and its page
    before = len(recording.operations)
    recording.fail("xWrite", apsw.IOError("planted"), partly=True, after=after, times=1)
    try:
        db.execute("INSERT INTO t VALUES (1)")
        raise AssertionError
    except apsw.IOError:
        pass
    found = [one for one in recording.operations[before:] if type(one).__name__ == "Write"]
    assert len(found) == after + partly, found
    if partly:
        assert len(found[-1].data) < 2048 and (found[-1].offset + len(found[-1].data)) % 512 == 0
""",
    "what Python does is seen": """
(directory / "f").mkdir()
(directory / "f" / "one").write_bytes(b"1")
os.rename(directory / "f" / "one", directory / "two")
shutil.copyfile(directory / "two", directory / "three")
with open(directory / "two", "ab") as file:
    file.write(b"2")
    file.flush()
    os.fsync(file.fileno())
(directory / "three").unlink()
descriptor = os.open(directory, os.O_RDONLY)
os.fsync(descriptor)
os.close(descriptor)
shutil.rmtree(directory / "f")
kinds = [type(operation).__name__ for operation in recording.operations]
assert kinds[kinds.index("MakeFolder"):] == [
    "MakeFolder", "Create", "Write", "Rename", "Create", "Truncate", "Write", "Write", "Sync", "Delete", "SyncFolder",
    "RemoveFolder"], kinds
image = recording.power_cut(Random(1))
assert image.files["two"] == b"12" and "three" not in image.files
""",
    "the same numbers give the same log": """
logs = []
for name in ("b", "c"):
    (directory / name).mkdir()
    disks.seed(5)
    one = disks.watch(directory / name)
    own = apsw.Connection(str(directory / name / "a.db"))
    own.pragma("journal_mode", "WAL")
    own.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    logs.append(one.operations)
assert logs[0] == logs[1]
""",
}


@pytest.mark.parametrize("name", TESTS)
def test_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / "watched").mkdir()
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PREPARED + TESTS[name], str(tmp_path / "watched")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
