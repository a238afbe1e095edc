"""What a listener that wants the latest only is told, and with which flags, in every combination of what can be."""

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred

from tests.notifier.shop import Shop, answered, told
from tests.support import AtOnce, result_of
from ttgateway.notifier.delivery import SNAPSHOT, Again, Delivery
from ttgateway.store.tables.listeners import Progress

T = TypeVar("T")

STARTED_OR_MODIFIED = ["ORDER_CREATED", "ORDER_MODIFIED"]
WAITING = [3, 4, 5, 6, 7]
PAGED = 5
CLEARED = 6


def let_five_changes_wait(shop: Shop) -> None:
    """Of three orders: one is located twice and cleared, one is paged, one is new."""
    shop.post("1", "5")
    shop.post("1", "6")
    shop.page("2")
    shop.clear("1")
    shop.post("3")


def expected(*, behind: bool, narrowed: bool, snapshot: bool, replay: bool) -> list[tuple[int, str]]:
    """Return the seq and the flags of all that is told."""
    again = [(1, "replay"), (2, "replay")] if replay else []
    if snapshot:
        return [*again, (CLEARED, "snapshot"), (5, "snapshot"), (7, "snapshot")]
    newest = [5, 6, 7] if behind else WAITING
    flags = "coalesced" if behind else ""
    return again + [(seq, flags) for seq in newest if not (narrowed and seq == PAGED)]


@pytest.mark.parametrize("course", ["first attempts", "retries", "restart"])
@pytest.mark.parametrize(
    ("behind", "narrowed", "snapshot", "replay", "api"), [*itertools.product(*[[False, True]] * 4, [1, 2])]
)
def test_what_is_told_and_its_flags(
    behind: bool, narrowed: bool, snapshot: bool, replay: bool, api: int, course: str
) -> None:
    shop = Shop()
    listener = shop.register(api=api, catch_up="latest", events=STARTED_OR_MODIFIED if narrowed else None)
    shop.post("1")
    shop.post("2")
    answered(shop)
    shop.dial.peer.lose()
    if course == "first attempts":
        result_of(shop.notifier.stop())
    else:
        shop.dial.down.add("10.0.0.2")
    let_five_changes_wait(shop)
    if snapshot:
        shop.resync(listener)
    if replay:
        shop.replay(listener, 0)
    shop.wait(61 if behind else 1)
    shop.dial.down.clear()
    if course == "retries":
        shop.wait(1.1)
        shop.gateway.registry.heard("10.0.0.2")
    else:
        shop.restart_notifier()
        while not (shop.dial.peer.open and shop.dial.peer.transport.value()):  # type: ignore[no-untyped-call]
            shop.wait(0.1)
    deliveries = answered(shop)
    wanted = expected(behind=behind, narrowed=narrowed, snapshot=snapshot, replay=replay)
    assert [(body["seq"], headers.get("ttgateway-flags", "")) for body, headers in deliveries] == wanted
    assert {len(body) for body, _ in deliveries} == {10 if api == 1 else 12}
    assert all(body["state"] == "cleared" for body, _ in deliveries if body["seq"] == CLEARED)
    assert [int(headers["ttgateway-previous"]) for _, headers in deliveries] == [2, *(seq for seq, _ in wanted[:-1])]
    assert {headers["ttgateway-attempt"] for _, headers in deliveries[1:]} <= {"1"}
    progress = shop.progress(listener)
    first = [seq for seq, flags in wanted if flags in ("", "coalesced")]
    passed_over = int(narrowed and not snapshot)
    assert (progress.delivered, progress.filtered) == (2 + len(first), passed_over)
    assert progress.coalesced == len(WAITING) - len(first) - passed_over
    assert shop.accounts_balance()
    shop.close()


def test_one_that_was_away_is_told_once_of_an_order_that_changed_while_it_was_tried() -> None:
    shop = Shop()
    listener = shop.register(catch_up="latest")
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    for number in range(100):
        shop.post(str(number % 3), str(number + 1))
        shop.wait(5)
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    deliveries = answered(shop)
    assert [body["seq"] for body, _ in deliveries] == [98, 99, 100]
    assert (shop.progress(listener).delivered, shop.progress(listener).coalesced) == (3, 97)
    shop.close()


class CountingReads(AtOnce):
    """A reader that counts what it reads."""

    def __init__(self) -> None:
        self.reads = 0

    def run(self, work: Callable[[], T]) -> Deferred[T]:
        self.reads += 1
        return super().run(work)


def test_while_nothing_changes_what_it_is_to_be_told_is_not_read_again() -> None:
    shop = Shop()
    shop.register(catch_up="latest")
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    shop.post("1")
    reader = shop.store.journal._executor = CountingReads()
    shop.wait(600)
    assert reader.reads == 1
    shop.post("1", "5")
    shop.wait(60)
    assert reader.reads == 2
    shop.close()


@pytest.mark.parametrize(
    ("asked", "then"),
    [
        ({"catch_up": "every"}, [(6, None), (7, None), (8, None)]),
        ({"catch_up": "every", "events": ["ORDER_PAGED"]}, [(8, None)]),
        ({"catch_up": "latest", "events": ["ORDER_CREATED"]}, [(7, "coalesced")]),
        (
            {"catch_up": "latest", "snapshot": True},
            [(8, "snapshot"), (5, "snapshot"), (8, "snapshot"), (8, "snapshot")],
        ),
    ],
)
def test_who_registers_again_while_a_page_is_told_gets_the_rest_by_its_new_wishes(
    asked: dict[str, Any], then: list[tuple[int, str | None]]
) -> None:
    shop = Shop()
    listener = shop.register(catch_up="latest")
    shop.post("1")
    shop.post("2")
    answered(shop)
    shop.dial.peer.lose()
    shop.dial.down.add("10.0.0.2")
    let_five_changes_wait(shop)
    shop.page("3")
    shop.wait(61)
    shop.dial.down.clear()
    shop.gateway.registry.heard("10.0.0.2")
    deliveries = shop.dial.peer
    assert told(deliveries)[0]["seq"] == 5  # of order 2
    shop.register(**asked)
    deliveries.answer()
    rest = []
    while deliveries.transport.value():  # type: ignore[no-untyped-call]
        rest.append(told(deliveries))
        deliveries.answer()
    assert [(body["seq"], headers.get("ttgateway-flags")) for body, headers in rest] == then
    assert shop.progress(listener).cursor == shop.store.journal.last
    assert shop.accounts_balance()
    shop.close()


def test_a_change_of_a_replay_moves_it_on_only_from_where_it_stands() -> None:
    progress = Progress(base=0, cursor=9, parked=1, replay_after=4, replay_upto=9)
    here = Delivery(5, b"", None, flags="replay", again=Again(4, 5, parked=True))
    elsewhere = Delivery(7, b"", None, flags="replay", again=Again(6, 7, parked=True))
    assert (here.goes_on_with_replay(progress), here.unparks(progress)) == (True, True)
    assert (elsewhere.goes_on_with_replay(progress), elsewhere.unparks(progress)) == (False, False)
    first = Delivery(10, b"", 10)
    assert (first.goes_on_with_replay(progress), first.unparks(progress)) == (False, False)


def test_an_attempt_more_is_one_at_the_same_thing_told_alike() -> None:
    shop = Shop()
    shop.post("1")
    shop.close()
    entry = shop.store.journal.recent(0)
    waiting = Delivery(1, b"", 1, entry=entry)
    coalesced = Delivery(1, b"", 1, flags="coalesced", entry=entry)
    again = Delivery(1, b"", None, flags="replay", again=Again(0, 1, parked=False))
    standing = Delivery(1, b"", None, flags=SNAPSHOT)
    begin = Delivery(1, b"", None, flags=SNAPSHOT, mark=".begin")
    other = Delivery(2, b"", 2, entry=entry)
    assert waiting.is_same(coalesced)
    assert all(one.is_same(one) for one in (waiting, coalesced, again, standing, begin, other))
    different = [waiting, again, standing, begin, other]
    assert not any(one.is_same(two) for one, two in itertools.permutations(different, 2))


def test_alone_the_end_of_a_snapshot_ends_nothing_and_a_change_stays_as_it_is() -> None:
    end = Delivery(9, b"", 9, flags=SNAPSHOT, mark=".end", coalesced=4, ends_snapshot=True)
    assert end.alone() == Delivery(9, b"", None, flags=SNAPSHOT, mark=".end")
    change = Delivery(9, b"", 9, coalesced=4)
    assert change.alone() is change
