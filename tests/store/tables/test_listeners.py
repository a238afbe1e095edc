import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.store.files import listener, progress
from tests.support import AtOnce, OnDemand, memory_store, result_of
from ttgateway.store.commits import MEND_EVERY, SOON
from ttgateway.store.store import Store
from ttgateway.store.tables import listeners
from ttgateway.store.tables.listeners import CatchUp, Listener, Parked, Progress

TIMES = st.none() | st.floats(0, 4e9)
COUNTS = st.integers(0, 2**53)


class House:
    """A store in memory, and what its file holds."""

    def __init__(self, executor: AtOnce | OnDemand | None = None) -> None:
        self.timers = Clock()
        self.store: Store = memory_store(self.timers, executor=executor)

    def add(self, added: Listener, at: Progress | None = None) -> None:
        result_of(self.store.write(listeners.saving(added, at or progress())))

    def known(self) -> dict[str, tuple[Listener, Progress]]:
        self.timers.advance(SOON)
        return {found[0].id: found for found in result_of(self.store.write(listeners.load))}

    def parked(self) -> list[int]:
        self.timers.advance(SOON)

        def seqs(db: apsw.Connection) -> list[int]:
            return [int(row[0]) for row in db.execute("SELECT seq FROM parked ORDER BY listener, seq")]

        return result_of(self.store.write(seqs))


@pytest.fixture
def house() -> House:
    return House()


def park(house: House, seq: int, moved: Progress, who: str = "listener-1") -> None:
    house.store.cursors.parked(Parked(who, seq, 1.0, "422", b"{}"), moved)


@given(
    st.builds(
        Progress,
        base=COUNTS,
        cursor=COUNTS,
        previous=COUNTS,
        delivered=COUNTS,
        coalesced=COUNTS,
        filtered=COUNTS,
        parked=COUNTS,
        snapshot_due=st.booleans(),
        attempts=COUNTS,
        failures=COUNTS,
        delay=st.floats(0, 60),
        failing_since=TIMES,
        last_success=TIMES,
        last_failure=TIMES,
        last_cause=st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=8),
        replay_after=COUNTS,
        replay_upto=COUNTS,
    )
)
def test_how_far_a_listener_has_come_reads_as_it_was_written(moved: Progress) -> None:
    house = House()
    house.add(listener())
    house.store.cursors.moved("listener-1", moved)
    assert house.known()["listener-1"][1] == moved
    house.timers.advance(SOON)


@pytest.mark.parametrize(
    "asked",
    [
        listener(),
        listener(api=1, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        listener(events=("ORDER_CREATED", "ORDER_PAGED"), snapshot=True, catch_up=CatchUp.LATEST, registered=1e9),
    ],
)
def test_what_a_listener_asked_for_reads_as_it_was_written(house: House, asked: Listener) -> None:
    house.add(asked)
    assert house.known()["listener-1"][0] == asked


def test_registering_again_renews_the_wishes_and_leaves_the_progress_alone(house: House) -> None:
    house.add(listener(), progress(cursor=7))
    house.add(listener(api=1, catch_up=CatchUp.LATEST), progress(cursor=99))
    who, how_far = house.known()["listener-1"]
    assert (who.api, who.catch_up) == (1, CatchUp.LATEST)
    assert how_far == progress(cursor=7)


def test_registering_again_can_ask_for_a_snapshot_and_never_calls_one_off(house: House) -> None:
    house.add(listener(), progress())
    house.add(listener(), Progress(base=0, cursor=0, snapshot_due=True))
    assert house.known()["listener-1"][1].snapshot_due
    house.add(listener(), progress())
    assert house.known()["listener-1"][1].snapshot_due


def test_listeners_come_in_the_order_of_their_registration(house: House) -> None:
    for number, registered in ((1, 3.0), (2, 1.0), (3, 2.0)):
        house.add(listener(number, registered=registered))
    assert list(house.known()) == ["listener-2", "listener-3", "listener-1"]


def test_progress_is_written_within_50_ms_as_it_stands_then() -> None:
    disk = OnDemand()
    house = House(disk)
    house.store.write(listeners.saving(listener(), progress()))
    disk.step()
    moved = progress()
    house.store.cursors.moved("listener-1", moved)
    moved.cursor = 5
    house.timers.advance(SOON)
    moved.cursor = 6
    disk.step()
    loaded = house.store.write(listeners.load)
    disk.step()
    assert result_of(loaded)[0][1].cursor == 5


def test_progress_that_was_lost_is_written_again(house: House, logged: Logged) -> None:
    house.add(listener())
    moved = progress()
    moved.cursor = 5
    house.store.cursors.moved("listener-1", moved)
    park(house, 5, moved)
    house.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    assert house.store.commits.failures == 1
    house.timers.advance(MEND_EVERY)
    assert house.known()["listener-1"][1].cursor == 5
    assert house.parked() == [5]
    logged.flush()


def test_what_was_written_is_not_written_again_after_a_later_loss(house: House, logged: Logged) -> None:
    house.add(listener())
    park(house, 5, progress())
    house.timers.advance(SOON)
    result_of(house.store.write(lambda db: db.execute("DELETE FROM parked")))
    house.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    house.timers.advance(MEND_EVERY)
    assert house.parked() == []
    logged.flush()


def test_a_refused_change_is_kept_with_its_text_and_cause(house: House) -> None:
    house.add(listener())
    house.store.cursors.parked(Parked("listener-1", 5, 9.5, "422", b'{"seq":5}'), progress(5))

    def rows(db: apsw.Connection) -> list[Parked]:
        return [listeners.parked_from_row(row) for row in db.execute("SELECT * FROM parked")]

    house.timers.advance(SOON)
    assert result_of(house.store.write(rows)) == [Parked("listener-1", 5, 9.5, "422", b'{"seq":5}')]
    assert house.known()["listener-1"][1].cursor == 5


def test_only_the_newest_refused_changes_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listeners.MOST_PARKED == 1_000
    monkeypatch.setattr(listeners, "MOST_PARKED", 3)
    house.add(listener(1))
    house.add(listener(2))
    park(house, 1, progress(), "listener-2")
    for seq in (1, 2, 3, 4):
        park(house, seq, progress())
        house.timers.advance(SOON)
    for seq in (5, 6):
        park(house, seq, progress())
    house.timers.advance(SOON)
    assert house.parked() == [4, 5, 6, 1]


def unpark(house: House, seq: int, moved: Progress, who: str = "listener-1") -> None:
    house.store.cursors.unparked(who, seq, moved)


def test_a_change_that_was_delivered_after_all_is_kept_no_longer(house: House) -> None:
    house.add(listener(1))
    house.add(listener(2))
    for who in ("listener-1", "listener-2"):
        park(house, 5, progress(), who)
    park(house, 6, progress())
    house.timers.advance(SOON)
    unpark(house, 5, progress(7))
    assert house.parked() == [6, 5]
    assert house.known()["listener-1"][1] == progress(7)


def test_one_that_is_parked_and_delivered_before_the_next_commit_is_not_kept(house: House) -> None:
    house.add(listener())
    park(house, 5, progress())
    unpark(house, 5, progress())
    house.timers.advance(SOON)
    assert house.parked() == []


def test_that_it_was_delivered_is_written_again_if_it_was_lost_and_only_then(house: House, logged: Logged) -> None:
    house.add(listener())
    park(house, 5, progress())
    house.timers.advance(SOON)
    unpark(house, 5, progress())
    house.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    house.timers.advance(MEND_EVERY)
    assert house.parked() == []
    park(house, 5, progress())
    house.timers.advance(SOON)
    assert house.parked() == [5]
    house.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)
    house.timers.advance(MEND_EVERY)
    assert house.parked() == [5]
    logged.flush()


def test_a_replay_is_written_beside_the_progress(house: House) -> None:
    house.add(listener(1), progress(9))
    house.add(listener(2), progress(9))
    result_of(house.store.write(listeners.replaying("listener-1", 3, 9)))
    one, other = (house.known()[who][1] for who in ("listener-1", "listener-2"))
    assert (one.replay_after, one.replay_upto, one.cursor, one.replaying) == (3, 9, 9, True)
    assert other == progress(9)


def test_a_resync_makes_a_snapshot_due(house: House) -> None:
    house.add(listener(1))
    house.add(listener(2))
    result_of(house.store.write(listeners.resyncing("listener-1")))
    assert {who: how_far.snapshot_due for who, (_, how_far) in house.known().items()} == {
        "listener-1": True,
        "listener-2": False,
    }


@pytest.mark.parametrize(
    ("under_way", "since", "begins"),
    [((0, 0), 3, 3), ((2, 2), 3, 3), ((4, 7), 3, 3), ((4, 7), 6, 4), ((4, 7), 8, 4)],
)
def test_two_replays_are_one(under_way: tuple[int, int], since: int, begins: int) -> None:
    after, upto = under_way
    how_far = Progress(base=0, cursor=9, replay_after=after, replay_upto=upto)
    assert how_far.replay_from(since) == begins


def test_a_removed_listener_takes_its_refused_changes_along(house: House) -> None:
    house.add(listener(1))
    house.add(listener(2))
    park(house, 5, progress(), "listener-1")
    park(house, 6, progress(), "listener-2")
    house.timers.advance(SOON)
    result_of(house.store.write(listeners.removing("listener-1")))
    assert list(house.known()) == ["listener-2"]
    assert house.parked() == [6]


def test_nothing_more_is_written_about_a_forgotten_listener(house: House) -> None:
    house.add(listener(1))
    house.add(listener(2))
    for who in ("listener-1", "listener-2"):
        park(house, 5, progress(5), who)
    house.store.cursors.forget("listener-1")
    house.timers.advance(SOON)
    assert {key: how_far.cursor for key, (_, how_far) in house.known().items()} == {"listener-1": 0, "listener-2": 5}
    assert house.parked() == [5]


def test_news_of_a_listener_that_is_gone_bring_nothing_back(house: House) -> None:
    house.add(listener())
    park(house, 5, progress(5))
    result_of(house.store.write(listeners.removing("listener-1")))
    park(house, 6, progress(6))
    house.timers.advance(SOON)
    assert (house.known(), house.parked()) == ({}, [])


def test_a_row_that_is_no_listener_is_refused() -> None:
    row = (*msgspec.structs.astuple(listener()), *msgspec.structs.astuple(progress()))
    with pytest.raises(msgspec.ValidationError):
        listeners.from_row(("id", "url", "two", *row[3:]))
