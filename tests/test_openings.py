import pytest
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import OnDemand, memory_store, result_of
from ttgateway.openings import MOST, Entries, OpeningInvalid, Openings, opening
from ttgateway.refusals import NotNow, TooMany
from ttgateway.store.commits import MEND_EVERY

NETWORK, HOST = opening("203.0.113.0/24"), opening("198.51.100.7 port 9100")


class Office:
    """Openings on a slow disk, and what they have told of themselves."""

    def __init__(self) -> None:
        self.disk = OnDemand()
        self.timers = Clock()
        self.store = memory_store(self.timers, executor=self.disk)
        self.told: list[Entries] = []
        self.openings = Openings(self.store)
        self.openings.on_change(self.told.append)

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()


def test_what_is_added_holds_once_it_is_durable_and_not_before() -> None:
    office = Office()
    adding = ensureDeferred(office.openings.add(NETWORK))
    assert not office.openings.entries
    office.settle()
    assert result_of(adding) is True
    assert office.openings.entries == (NETWORK,)
    assert office.told == [(), (NETWORK,)]


def test_what_is_there_already_or_not_there_changes_nothing() -> None:
    office = Office()
    for change, changed in (
        (office.openings.remove, False),
        (office.openings.add, True),
        (office.openings.add, False),
        (office.openings.remove, True),
    ):
        changing = ensureDeferred(change(HOST))
        office.settle()
        assert result_of(changing) is changed
    assert office.openings.entries == ()


def test_two_at_one_time_do_not_undo_each_other() -> None:
    office = Office()
    adding = [ensureDeferred(office.openings.add(one)) for one in (NETWORK, HOST)]
    office.settle()
    assert [result_of(one) for one in adding] == [True, True]
    assert office.openings.entries == (NETWORK, HOST)


def test_what_cannot_be_written_does_not_hold(logged: Logged) -> None:
    office = Office()
    office.store.commits.write(lambda db: 1 // 0).addErrback(lambda _: None)
    adding = ensureDeferred(office.openings.add(NETWORK))
    office.settle()
    with pytest.raises(NotNow):
        result_of(adding)
    assert office.openings.entries == ()
    office.timers.advance(MEND_EVERY)
    office.settle()
    logged.flush()


def test_there_is_a_bound() -> None:
    office = Office()
    many = tuple(opening(f"10.0.{number}.0/24") for number in range(MOST))
    office.openings._set(many)
    with pytest.raises(TooMany):
        result_of(office.openings.add(NETWORK))
    adding = ensureDeferred(office.openings.add(many[0]))
    office.settle()
    assert result_of(adding) is True  # it is not in the file


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        (" 203.0.113.7   port  80 ", "203.0.113.7/32 port 80"),
        ("fd00::/8", "fd00::/8"),
        ("2001:db8::7 port 8080", "2001:db8::7/128 port 8080"),
    ],
)
def test_a_network_is_read_as_people_write_it(text: str, means: str) -> None:
    assert str(opening(text)) == means


@pytest.mark.parametrize(
    "text", ["", "home", "203.0.113.7/24", "203.0.113.7 port", "203.0.113.7 port 0", "10.0.0.1 port 65536", None, 7.5]
)
def test_what_is_no_network_is_refused_with_examples(text: object) -> None:
    with pytest.raises(OpeningInvalid, match=r"A network is like 203\.0\.113\.0/24"):
        opening(text)
