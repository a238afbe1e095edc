from itertools import islice
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.commands.chaos.runs import MIDNIGHT, NOON, book_of
from ttgateway.commands.simulation.restaurant import Action, Restaurant, Step
from ttgateway.orders.change import OrderChange
from ttgateway.orders.order import OrderType

TO_GO = OrderType.TO_GO


def test_a_change_is_told_as_a_gateway_tells_it() -> None:
    book = book_of(1)
    book.write(Step(NOON, Action.START, "101", OrderType.ON_PREMISE, ""))
    entry = book.write(Step(NOON + 95.5, Action.LOCATE, "101", OrderType.ON_PREMISE, "7"))
    told = msgspec.json.decode(entry.text(2), type=OrderChange)
    assert (told.seq, told.type, told.state, told.location_name) == (2, "ORDER_MODIFIED", "located", "7")
    assert (told.created, told.state_changed, told.elapsed_time) == ("2025-06-16T12:00:00", "2025-06-16T12:01:35", 95)
    assert entry.at == MIDNIGHT + NOON + 95.5
    assert len(msgspec.json.decode(entry.text(1))) == 10


def test_a_picture_stays_as_things_stood() -> None:
    book = book_of(1)
    for number, name in enumerate(("101", "102")):
        book.write(Step(NOON + number, Action.START, name, TO_GO, ""))
    book.write(Step(NOON + 3, Action.PAGE, "101", TO_GO, ""))
    picture = book.picture()
    book.write(Step(NOON + 4, Action.CLEAR, "101", TO_GO, ""))
    assert (picture.last, [entry.seq for entry in picture.standing()]) == (3, [2, 3])
    assert [entry.seq for entry in book.picture().standing()] == [2]
    assert [order.name for order in book.orders] == ["102"]


def test_a_replaced_journal_tells_no_number_twice() -> None:
    book = book_of(1)
    book.write(Step(NOON, Action.START, "101", TO_GO, ""))
    book.begin_anew()
    assert book.write(Step(NOON, Action.START, "102", TO_GO, "")).seq == 1002


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_each_step_of_a_story_is_one_change(seed: int) -> None:
    book = book_of(seed)
    for number, step in enumerate(islice(Restaurant(10, 40.0, Random(seed)).story(NOON), 300)):  # noqa: S311
        before = {order.name: order for order in book.orders}
        assert book.write(step).seq == number + 1
        assert before != {order.name: order for order in book.orders}
