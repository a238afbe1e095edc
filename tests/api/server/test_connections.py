import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ttgateway.api.server.connections import ConnectionTable


class FakeConnection:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def filled(table: ConnectionTable, peers: list[str]) -> list[FakeConnection]:
    connections = [FakeConnection() for _ in peers]
    for connection, peer in zip(connections, peers, strict=True):
        assert table.add(connection, peer)
    return connections


def aborted(connections: list[FakeConnection]) -> list[int]:
    return [index for index, connection in enumerate(connections) if connection.aborted]


def test_the_oldest_idle_connection_of_a_peer_makes_room_for_its_next() -> None:
    table = ConnectionTable(most_a_peer=2)
    connections = filled(table, ["10.0.0.9", "10.0.0.1", "10.0.0.1", "10.0.0.1"])
    assert aborted(connections) == [1]
    assert len(table) == 3


def test_the_oldest_idle_connection_of_all_makes_room_for_the_next() -> None:
    table = ConnectionTable(most_untrusted=3)
    connections = filled(table, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"])
    assert aborted(connections) == [0]
    assert len(table) == 3


def test_the_one_idle_for_longest_goes_and_not_the_one_opened_first() -> None:
    table = ConnectionTable(most_untrusted=2)
    connections = filled(table, ["10.0.0.1", "10.0.0.2"])
    table.busy(connections[0])
    table.idle(connections[0])
    connections += filled(table, ["10.0.0.3"])
    assert aborted(connections) == [1]


def test_a_connection_with_a_request_in_hand_is_not_cut_off() -> None:
    table = ConnectionTable(most_untrusted=2)
    connections = filled(table, ["10.0.0.1", "10.0.0.2"])
    table.busy(connections[0])
    connections += filled(table, ["10.0.0.3"])
    assert aborted(connections) == [1]


def test_a_newcomer_is_refused_where_none_is_idle() -> None:
    table = ConnectionTable(most_untrusted=3, most_a_peer=1)
    connections = filled(table, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    for connection in connections:
        table.busy(connection)
    assert not table.add(FakeConnection(), "10.0.0.1")
    assert not table.add(FakeConnection(), "10.0.0.4")
    assert aborted(connections) == []
    assert len(table) == 3


def test_who_showed_a_secret_counts_no_longer_and_is_never_cut_off() -> None:
    table = ConnectionTable(most_untrusted=2, most_a_peer=2)
    trusted = filled(table, ["10.0.0.1", "10.0.0.1"])
    for connection in trusted:
        table.trust(connection)
    others = filled(table, ["10.0.0.1"] * 5)
    assert aborted(trusted) == []
    assert aborted(others) == [0, 1, 2]
    assert table.untrusted == 2
    assert len(table) == 4


def test_all_kinds_together_are_bounded() -> None:
    table = ConnectionTable(most_in_all=3)
    connections = filled(table, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    table.trust(connections[0])
    connections += filled(table, ["10.0.0.4"])
    assert aborted(connections) == [1]
    for connection in connections:
        table.trust(connection)
    assert not table.add(FakeConnection(), "10.0.0.5")
    assert len(table) == 3


def test_a_unix_socket_is_trusted_and_always_let_in() -> None:
    table = ConnectionTable(most_untrusted=1, most_in_all=1)
    connections = filled(table, ["10.0.0.1"])
    assert table.add(FakeConnection(), None)
    assert aborted(connections) == []
    assert table.untrusted == 1


def test_an_ended_connection_gives_its_place_back() -> None:
    table = ConnectionTable(most_untrusted=2, most_a_peer=2)
    connections = filled(table, ["10.0.0.1", "10.0.0.1"])
    table.remove(connections[0])
    table.remove(connections[0])
    connections += filled(table, ["10.0.0.1"])
    assert aborted(connections) == []


def test_word_of_a_connection_that_was_cut_off_changes_nothing() -> None:
    table = ConnectionTable(most_untrusted=1)
    connections = filled(table, ["10.0.0.1", "10.0.0.2"])
    table.busy(connections[0])
    table.idle(connections[0])
    table.trust(connections[0])
    assert len(table) == 1
    assert table.untrusted == 1


def test_the_defaults_are_those_of_the_design() -> None:
    table = ConnectionTable()
    one_peer = filled(table, ["10.0.0.1"] * 33)
    assert aborted(one_peer) == [0]
    many = filled(table, [f"10.0.1.{index}" for index in range(256)] + [f"10.0.2.{index}" for index in range(256)])
    assert table.untrusted == 512
    assert aborted(one_peer) == list(range(33))
    assert aborted(many) == []


@pytest.mark.parametrize(
    ("descriptors", "untrusted", "of_a_peer", "in_all"),
    [(16_384, 512, 32, 4_096), (1_024, 256, 32, 512), (256, 64, 32, 128), (64, 16, 8, 32)],
)
def test_no_more_are_let_in_than_the_process_may_open_files(
    descriptors: int, untrusted: int, of_a_peer: int, in_all: int
) -> None:
    table = ConnectionTable.within(descriptors)
    filled(table, ["10.0.0.1"] * 40)
    assert table.untrusted == of_a_peer
    filled(table, [f"10.1.{index // 250}.{index % 250}" for index in range(600)])
    assert table.untrusted == untrusted
    for number in range(5_000):
        connection = FakeConnection()
        if table.add(connection, f"10.2.{number // 250}.{number % 250}"):
            table.trust(connection)
    assert len(table) == in_all


def test_whom_it_trusts_can_be_asked() -> None:
    table = ConnectionTable()
    stranger, known = filled(table, ["fd00::1", "10.0.0.2"])
    table.trust(known)
    assert not table.trusts(stranger)
    assert table.trusts(known)
    table.remove(known)
    assert not table.trusts(known)


def test_all_of_an_ipv6_network_of_64_bits_is_one_peer() -> None:
    table = ConnectionTable(most_a_peer=1)
    assert aborted(filled(table, ["fd00::1", "fd00::2", "fd00:0:0:1::1"])) == [0]


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens in whatever order, the bounds hold, and only untrusted idle connections are cut off."""

    connections = Bundle("connections")

    def __init__(self) -> None:
        super().__init__()
        self.table = ConnectionTable(most_untrusted=4, most_a_peer=2, most_in_all=6)
        self.open: dict[FakeConnection, str] = {}
        self.kept: set[FakeConnection] = set()

    @rule(target=connections, peer=st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"]))
    def connect(self, peer: str) -> FakeConnection:
        connection = FakeConnection()
        if self.table.add(connection, peer):
            self.open[connection] = peer
        for other in [other for other in self.open if other.aborted]:
            assert other not in self.kept
            del self.open[other]
        return connection

    @rule(connection=connections)
    def start_a_request(self, connection: FakeConnection) -> None:
        self.table.busy(connection)
        if connection in self.open:
            self.kept.add(connection)

    @rule(connection=connections)
    def answer(self, connection: FakeConnection) -> None:
        self.table.idle(connection)
        self.kept.discard(connection)

    @rule(connection=connections)
    def end(self, connection: FakeConnection) -> None:
        self.table.remove(connection)
        self.open.pop(connection, None)
        self.kept.discard(connection)

    @rule(connection=connections)
    def show_a_secret(self, connection: FakeConnection) -> None:
        self.table.trust(connection)

    @invariant()
    def the_bounds_hold(self) -> None:
        assert len(self.table) == len(self.open) <= 6
        assert self.table.untrusted <= 4


def test_whatever_happens_the_bounds_hold() -> None:
    run_state_machine_as_test(AnyHistory)
