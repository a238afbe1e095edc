from collections.abc import Callable, Sequence
from typing import Any

import apsw
import pytest

from ttgateway.store.tables.batches import Rows, done

ADD = Rows("INSERT INTO numbers VALUES", 2, "ON CONFLICT (number) DO UPDATE SET name = excluded.name")


@pytest.fixture
def db() -> apsw.Connection:
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    return db


def rows_in(db: apsw.Connection) -> list[tuple[Any, ...]]:
    return list(db.execute("SELECT * FROM numbers ORDER BY number"))


class Adding:
    """Adds a number, alone or together with its neighbours."""

    groups: list[list[int]] = []  # noqa: RUF012

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, db: apsw.Connection) -> None:
        self.together(db, [self])

    @staticmethod
    def together(db: apsw.Connection, works: Sequence["Adding"]) -> None:
        Adding.groups.append([work.number for work in works])
        ADD.write(db, [(work.number, "added") for work in works])


@pytest.fixture(autouse=True)
def no_groups() -> None:
    Adding.groups = []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 200])
def test_any_number_of_rows_is_written(db: apsw.Connection, count: int) -> None:
    rows = [(number, f"n{number}") for number in range(count)]
    ADD.write(db, rows)
    assert rows_in(db) == rows


def test_the_last_of_two_rows_for_one_key_stays(db: apsw.Connection) -> None:
    ADD.write(db, [(1, "first"), (2, "other"), (1, "last")])
    assert rows_in(db) == [(1, "last"), (2, "other")]


def test_few_kinds_of_statement_are_prepared(db: apsw.Connection) -> None:
    seen: set[str] = set()

    def trace(cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        seen.add(sql)
        return True

    db.exec_trace = trace
    for count in range(1, 200):
        ADD.write(db, [(number, "x") for number in range(count)])
    assert len(seen) == 7


def test_neighbours_of_a_kind_are_done_together_and_nothing_changes_its_place(db: apsw.Connection) -> None:
    def count(db: apsw.Connection) -> int:
        return len(rows_in(db))

    works: list[Callable[[apsw.Connection], Any]] = [
        Adding(1),
        Adding(2),
        count,
        Adding(3),
        count,
        count,
        Adding(4),
        Adding(5),
    ]
    assert done(db, works) == [None, None, 2, None, 3, 3, None, None]
    assert Adding.groups == [[1, 2], [3], [4, 5]]
