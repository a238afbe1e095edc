import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.commands.chaos.board import Board
from tests.commands.chaos.runs import script_of
from ttgateway.commands.chaos.script import Act, Fault, Manner

SEEDS = st.integers(0, 2**32)
SINGLE = (Fault.DUPLICATE, Fault.SLOW, Fault.PAUSE, Fault.HALF)


def acts_of(seed: int, *faults: Fault, changes: int = 150, api: int = 2) -> list[Act]:
    script, _ = script_of(seed, faults or tuple(Fault), api)
    return list(script.acts(changes))


def part(acts: list[Act], fault: Fault) -> list[Act]:
    """Return the acts of the first time that ``fault`` comes."""
    first = next(number for number, act in enumerate(acts) if act.fault is fault)
    after = next((number for number in range(first, len(acts)) if acts[number].fault is not fault), len(acts))
    return acts[first:after]


def seqs(acts: list[Act]) -> list[int]:
    return [act.delivery.seq for act in acts]


def board_after(seed: int, *faults: Fault, without: str = "") -> tuple[Board, set[str]]:
    """Return a listener that heeds each rule but one, and the uuids of the orders that it should show."""
    script, book = script_of(seed, faults or tuple(Fault))
    board = Board(Board.RULES - {without})
    for act in script.acts(200):
        board.take(act, msgspec.json.decode(act.delivery.body))
    return board, {order.uuid for order in book.orders}


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_right_listener_shows_the_right_orders_in_the_end(seed: int) -> None:
    script, book = script_of(seed)
    board = Board()
    for act in script.acts(300):
        board.take(act, msgspec.json.decode(act.delivery.body))
    shown = {uuid: (order["name"], order["state"], order["seq"]) for uuid, order in board.orders.items()}
    assert shown == {order.uuid: (order.name, order.state, order.seq) for order in book.orders}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("snapshots", Fault.SNAPSHOT),
        ("old snapshots", Fault.OLD_SNAPSHOT),
        ("replays", Fault.GAP),
    ],
)
def test_a_listener_without_one_of_the_rules_comes_to_show_others(rule: str, fault: Fault) -> None:
    def wrong(without: str) -> int:
        boards = [board_after(seed, fault, without=without) for seed in range(30)]
        return sum(set(board.orders) != right for board, right in boards)

    assert wrong("") == 0
    assert wrong(rule) > 0


@pytest.mark.parametrize("fault", [Fault.DUPLICATE, Fault.UNREAD, Fault.REWIND])
def test_a_listener_that_heeds_no_repeats_does_things_twice(fault: Fault) -> None:
    right, wrong = (board_after(1, fault, without=rule)[0].noted for rule in ("", "repeats"))
    assert len(right) == len(set(right))
    assert len(wrong) > len(set(wrong))


def test_the_same_seed_makes_the_same_acts() -> None:
    first, second, other = (acts_of(seed) for seed in (7, 7, 8))
    assert first == second != other


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_every_fault_comes_before_any_comes_again(seed: int) -> None:
    came: list[Fault] = []
    for act in acts_of(seed, *SINGLE, changes=200):
        if act.fault and act.attempt == 1:
            came.append(act.fault)
    for number in range(0, len(came) - len(SINGLE), len(SINGLE)):
        assert set(came[number : number + len(SINGLE)]) == set(SINGLE)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_without_faults_it_is_what_a_healthy_gateway_sends(seed: int) -> None:
    script, _ = script_of(seed, ())
    acts = list(script.acts(60))
    assert seqs(acts) == list(range(1, len(acts) + 1))
    assert [act.previous for act in acts] == list(range(len(acts)))
    assert not any(act.delivery.flags or act.fault or act.wait or act.attempt > 1 for act in acts)
    assert script.written >= 60


def test_a_duplicate_is_the_same_but_for_the_attempt() -> None:
    first, second = part(acts_of(1, Fault.DUPLICATE), Fault.DUPLICATE)
    assert second == msgspec.structs.replace(first, attempt=2)


@pytest.mark.parametrize(("fault", "manner"), [(Fault.UNREAD, Manner.UNREAD), (Fault.HALF, Manner.HALF)])
def test_what_was_broken_off_comes_again_whole(fault: Fault, manner: Manner) -> None:
    first, second = part(acts_of(1, fault), fault)
    assert (first.manner, first.attempt) == (manner, 1)
    assert second == msgspec.structs.replace(first, manner=Manner.WHOLE, attempt=2)


def test_a_rewind_repeats_the_last_few_in_order() -> None:
    acts = acts_of(1, Fault.REWIND)
    again = part(acts, Fault.REWIND)
    at = acts.index(again[0])
    assert [msgspec.structs.replace(act, fault=None) for act in again] == acts[at - len(again) : at]
    assert len(again) == 3
    assert acts[at + len(again)].previous == again[-1].delivery.seq


def test_a_gap_names_what_never_came_and_is_told_again_as_a_replay() -> None:
    acts = acts_of(1, Fault.GAP)
    first, *replayed = part(acts, Fault.GAP)
    before = acts[acts.index(first) - 1].delivery.seq
    assert first.previous == first.delivery.seq - 1 > before
    assert seqs(replayed) == list(range(before + 1, first.delivery.seq + 1))
    assert {act.delivery.flags for act in replayed} == {"replay"}


def test_what_is_coalesced_leaves_out_changes_but_no_order() -> None:
    acts = acts_of(3, Fault.COALESCED)
    told = part(acts, Fault.COALESCED)
    assert {act.delivery.flags for act in told} == {"coalesced"}
    uuids = [msgspec.json.decode(act.delivery.body)["uuid"] for act in told]
    assert len(uuids) == len(set(uuids))
    assert seqs(told) == sorted(seqs(told))
    assert told[0].previous == acts[acts.index(told[0]) - 1].delivery.seq


@pytest.mark.parametrize("fault", [Fault.SNAPSHOT, Fault.BROKEN_SNAPSHOT, Fault.OLD_SNAPSHOT, Fault.NEW_JOURNAL])
def test_snapshots_stand_between_their_marks_and_each_delivery_names_the_one_before(fault: Fault) -> None:
    acts = acts_of(2, fault)
    told = [act for act in part(acts, fault) if act.delivery.flags]
    marks = [act.delivery.mark for act in told]
    assert marks[0] == ".begin"
    assert marks[-1] == ".end"
    assert marks.count(".begin") == (2 if fault is Fault.BROKEN_SNAPSHOT else 1)
    assert msgspec.json.decode(told[-1].delivery.body)["count"] == marks[::-1].index(".begin") - 1
    assert [act.previous for act in told[1:]] == seqs(told)[:-1]


def test_an_old_snapshot_is_older_than_what_was_told() -> None:
    acts = acts_of(2, Fault.OLD_SNAPSHOT)
    told = part(acts, Fault.OLD_SNAPSHOT)
    assert told[0].delivery.seq < acts[acts.index(told[0]) - 1].delivery.seq


def test_a_new_journal_has_another_name_and_higher_numbers() -> None:
    acts = acts_of(2, Fault.NEW_JOURNAL)
    (first, *_), before = part(acts, Fault.NEW_JOURNAL), [act for act in acts if act.journal == 0]
    assert first.journal == 1
    assert first.delivery.seq > max(seqs(before)) + 900


def test_a_version_1_listener_gets_its_ten_fields_and_no_marks() -> None:
    acts = acts_of(2, api=1)
    assert all(len(msgspec.json.decode(act.delivery.body)) == 10 for act in acts)
    assert not any(act.delivery.mark for act in acts)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_version_1_listener_shows_the_right_orders_where_no_snapshot_was(seed: int) -> None:
    faults = list(Fault)[: list(Fault).index(Fault.COALESCED) + 1]
    script, book = script_of(seed, faults, api=1)
    board = Board()
    for act in script.acts(200):
        board.take(act, msgspec.json.decode(act.delivery.body))
    assert set(board.orders) == {order.uuid for order in book.orders}


def test_a_pause_is_longer_than_a_connection_is_kept() -> None:
    (act,) = part(acts_of(1, Fault.PAUSE), Fault.PAUSE)
    assert act.wait > 2.0


def test_the_documentation_tells_of_each_fault() -> None:
    page = (Path(__file__).parents[3] / "docs/chaos.rst").read_text()
    assert set(re.findall(r"^``([a-z-]+)``$", page, re.MULTILINE)) == {fault.value for fault in Fault}
