"""What a transaction that failed leaves in the log must not come back, nor be taken for damage."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.disks.recording import install
from ttgateway.store.transactions import Lost, Transactions


def numbers(db: apsw.Connection) -> list[object]:
    return [row[0] for row in db.execute("SELECT number FROM numbers").fetchall()]


def insert(db: apsw.Connection) -> None:
    db.execute("INSERT INTO numbers VALUES (1, NULL)")


def spill(db: apsw.Connection) -> None:
    """Write more than the cache holds, so that some of it is in the log already; and fail."""
    for _ in range(50):
        db.execute("INSERT INTO numbers VALUES (2, zeroblob(9000))")
    raise apsw.IOError("the disk fails")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.db"


def connection_to(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    for statement in ("journal_mode = WAL", "cache_size = 1", "wal_autocheckpoint = 0"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("CREATE TABLE numbers (number INTEGER, filling BLOB)")
    return connection


@pytest.fixture
def db(path: Path) -> Iterator[apsw.Connection]:
    connection = connection_to(path)
    yield connection
    connection.close()


def log_of(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


def test_the_log_begins_anew_after_a_transaction_that_failed(db: apsw.Connection, path: Path) -> None:
    transactions = Transactions(db, numbers)
    assert transactions.run([insert]) == [None]
    assert log_of(path) > 0
    lost = transactions.run([spill])
    assert isinstance(lost, Lost)
    assert lost.memory == [1]
    assert log_of(path) == 0


def test_nothing_is_written_behind_what_a_failed_transaction_left(db: apsw.Connection, path: Path) -> None:
    transactions = Transactions(db, numbers)
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    numbers(reader)  # while this goes on the log cannot be cleared
    assert isinstance(transactions.run([spill]), Lost)
    left = log_of(path)
    assert left > 0
    refused = transactions.run([insert])
    assert isinstance(refused, Lost)
    assert isinstance(refused.error, apsw.BusyError)
    assert log_of(path) == left
    reader.close()
    assert transactions.run([insert]) == [None]
    assert numbers(db) == [1]
    assert log_of(path) < left


def test_what_was_refused_does_not_come_back_after_a_kill(db: apsw.Connection, path: Path) -> None:
    transactions = Transactions(db, numbers)
    assert transactions.run([insert]) == [None]
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    numbers(reader)
    assert isinstance(transactions.run([spill]), Lost)
    reader.close()
    for beside in ("", "-wal"):
        (path.parent / f"copy.db{beside}").write_bytes(Path(f"{path}{beside}").read_bytes())
    copy = apsw.Connection(str(path.parent / "copy.db"))
    assert numbers(copy) == [1]
    assert copy.pragma("integrity_check") == "ok"
    copy.close()


def test_what_is_durable_is_not_refused_as_the_log_cannot_be_put_into_the_file(tmp_path: Path) -> None:
    recording = install().watch(tmp_path)
    db = connection_to(tmp_path / "numbers.db")
    db.execute("PRAGMA wal_autocheckpoint = 3")
    transactions = Transactions(db, numbers)
    recording.fail("xWrite", apsw.IOError("disk I/O error"), ending=".db")
    assert [transactions.run([insert]) for _ in range(5)] == [[None]] * 5
    assert isinstance(transactions.obstacle, apsw.IOError)
    assert log_of(tmp_path / "numbers.db") > 4 * 4096
    recording.mend()
    assert transactions.run([insert]) == [None]
    assert transactions.obstacle is None
    assert len(numbers(db)) == 6
    db.close()
    install().forget(recording)


def test_a_log_that_begins_anew_after_a_failure_is_hindered_by_nothing(tmp_path: Path) -> None:
    recording = install().watch(tmp_path)
    db = connection_to(tmp_path / "numbers.db")
    db.execute("PRAGMA wal_autocheckpoint = 3")
    transactions = Transactions(db, numbers)
    recording.fail("xWrite", apsw.IOError("disk I/O error"), ending=".db")
    for _ in range(3):
        transactions.run([insert])
    assert transactions.obstacle is not None
    recording.mend()
    assert isinstance(transactions.run([spill]), Lost)
    assert transactions.run([insert]) == [None]
    assert transactions.obstacle is None
    db.close()
    install().forget(recording)


def test_the_log_is_put_into_the_file_when_it_has_so_many_pages(path: Path) -> None:
    db = connection_to(path)
    db.execute("PRAGMA wal_autocheckpoint = 20")
    transactions = Transactions(db, numbers)
    for _ in range(100):
        assert transactions.run([insert]) == [None]
    assert log_of(path) < 22 * (4096 + 24) + 32
    db.close()
