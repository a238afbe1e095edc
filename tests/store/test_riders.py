import apsw

from tests.store.bench import Slip
from ttgateway.store.riders import Riders


def test_each_writes_what_it_has_in_the_order_in_which_they_came_and_none_twice() -> None:
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE numbers (number INTEGER)")
    riders, first, second, silent = Riders(), Slip(), Slip(), Slip()
    for rider in (first, silent, second):
        riders.add(rider)
    first.news, second.news = [1, 2], [3]
    works = riders.take()
    assert len(works) == 2
    for work in works:
        work(db)
    assert [row[0] for row in db.execute("SELECT number FROM numbers")] == [1, 2, 3]
    assert riders.take() == []


def test_what_was_not_written_is_known_to_each_and_comes_again() -> None:
    riders, first, second = Riders(), Slip(), Slip()
    riders.add(first)
    riders.add(second)
    first.news = [1]
    riders.take()
    riders.lost()
    assert (first.losses, second.losses) == (1, 1)
    assert len(riders.take()) == 1
