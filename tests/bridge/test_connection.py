import socket

import pytest

from tests.bridge.air import TCP, Bridge, Shop
from tests.conftest import Logged
from tests.support import OnDemand, result_of
from ttgateway.bridge.connection import LONGEST_UNREAD, MOST_UNDER_WAY, MOST_UNREAD
from ttgateway.orders.order import ClearedReason, OrderType
from ttgateway.refusals import DiskFull, PagingImpossible, PagingUnavailable
from ttgateway.store.commits import APART

TO_GO = OrderType.TO_GO


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def bridge(shop: Shop) -> Bridge:
    return shop.bridge()


def names(shop: Shop) -> list[str]:
    return [tracker.name for tracker in shop.gateway.radio.trackers()]


class TestReports:
    def test_a_tracker_goes_through_every_state(self, shop: Shop, bridge: Bridge) -> None:
        bridge.report("66", "started")
        assert shop.orders() == {"66": ("ON_PREMISE", "started", "")}
        bridge.report("66", "located", location="22")
        bridge.report("66", "started")
        assert shop.orders() == {"66": ("ON_PREMISE", "located", "22")}
        bridge.report("66", "located", location="23")
        assert shop.orders() == {"66": ("ON_PREMISE", "located", "23")}
        bridge.report("66", "cleared")
        assert shop.orders() == {}
        assert shop.store.journal.last == 4
        assert bridge.told() == []

    def test_the_end_of_an_order_is_by_its_tracker(self, shop: Shop, bridge: Bridge) -> None:
        bridge.report("66", "started")
        bridge.report("66", "cleared")
        reasons = result_of(shop.store.write(lambda db: db.execute("SELECT cleared_reason FROM orders").fetchall()))
        assert reasons == [(ClearedReason.TRACKER,)]

    @pytest.mark.parametrize("event", ["started", "located"])
    def test_an_order_may_be_born_on_a_table(self, shop: Shop, bridge: Bridge, event: str) -> None:
        bridge.report("66", event, location="22")
        assert shop.orders() == {"66": ("ON_PREMISE", "located", "22")}
        assert shop.store.journal.last == 1

    def test_an_active_order_keeps_its_type(self, shop: Shop, bridge: Bridge) -> None:
        result_of(shop.gateway.post("66", TO_GO, ""))
        bridge.report("66", "started")
        assert shop.store.journal.last == 1
        bridge.report("66", "located", location="22")
        assert shop.orders() == {"66": ("TO_GO", "located", "22")}

    def test_a_tracker_that_is_only_seen_starts_nothing(self, shop: Shop, bridge: Bridge) -> None:
        bridge.report("66", "seen", location="22")
        assert shop.orders() == {}
        assert names(shop) == ["66"]

    def test_a_tracker_that_is_put_away_without_an_order_is_seen_and_no_error(self, shop: Shop, bridge: Bridge) -> None:
        bridge.report("66", "cleared")
        assert bridge.told() == []
        assert names(shop) == ["66"]
        assert shop.store.journal.last == 0

    def test_a_repeater_is_kept(self, shop: Shop, bridge: Bridge) -> None:
        bridge.say({"repeater": {"extendedAddress": "A", "label": "Bar"}})
        assert [(found.extended_address, found.label) for found in shop.gateway.radio.repeaters()] == [("A", "Bar")]
        assert bridge.told() == []

    def test_lines_are_decided_in_their_order_and_share_commits(self) -> None:
        disk = OnDemand()
        shop = Shop(disk)
        bridge = shop.bridge()
        bridge.report("1", "started")
        bridge.say(
            {"tracker": "66", "event": "started"},
            {"tracker": "66", "event": "cleared"},
            {"tracker": "66", "event": "located", "location": "7"},
            {"tracker": "1", "event": "cleared"},
        )
        disk.step()
        disk.step()
        assert disk.waiting == []
        assert shop.orders() == {"66": ("ON_PREMISE", "located", "7")}
        assert (shop.store.journal.last, shop.store.commits.commits) == (5, 2)

    def test_what_a_bridge_said_before_it_went_is_carried_out(self) -> None:
        disk = OnDemand()
        shop = Shop(disk)
        bridge = shop.bridge()
        bridge.say(*({"tracker": str(number), "event": "started"} for number in range(MOST_UNDER_WAY + 50)))
        bridge.hang_up()
        while disk.waiting:
            disk.step()
            shop.timers.advance(APART)
        assert len(shop.orders()) == MOST_UNDER_WAY + 50


class TestErrors:
    def test_a_line_that_cannot_be_read_is_answered_and_the_stream_goes_on(self, shop: Shop, bridge: Bridge) -> None:
        bridge.send(b'{"tracker": "66", "event": "started"}\nnonsense\n\n{"tracker": "67", "event": "located"}\n')
        bridge.report("68", "started")
        first, second = bridge.told()
        assert (first["line"], second["line"]) == (2, 4)
        assert str(first["error"]).startswith("Not JSON: ")
        assert second["error"] == "A tracker that is located needs a location."
        assert list(shop.orders()) == ["66", "68"]

    def test_a_line_without_end_is_answered_once_and_passed_over(self, shop: Shop, bridge: Bridge) -> None:
        for _ in range(100):
            bridge.send(b"x" * 1000)
        assert bridge.told() == [{"error": "Longer than 4096 bytes.", "line": 1}]
        bridge.send(b'\n{"tracker": "66", "event": "started"}\n')
        assert (list(shop.orders()), bridge.told()) == (["66"], [])

    def test_a_report_that_is_refused_is_answered(
        self, shop: Shop, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_room() -> None:
            raise DiskFull("The disk is full.")

        monkeypatch.setattr(shop.store.disk, "check_room", no_room)
        bridge.report("66", "seen")
        bridge.report("66", "started")
        assert bridge.told() == [{"error": "The disk is full.", "line": 2}]
        assert shop.orders() == {}

    def test_too_many_orders_are_refused(self, shop: Shop, bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ttgateway.orders.active.MOST_ACTIVE", 1)
        bridge.report("66", "started")
        bridge.report("67", "located", location="7")
        [told] = bridge.told()
        assert "Too many active orders." in str(told["error"])
        assert list(shop.orders()) == ["66"]

    def test_a_fault_of_ours_is_logged_and_answered(
        self, shop: Shop, bridge: Bridge, monkeypatch: pytest.MonkeyPatch, logged: Logged
    ) -> None:
        async def fails(name: str) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(shop.gateway, "tracked", fails)
        bridge.report("66", "started")
        assert bridge.told() == [{"error": "Not carried out. The gateway has failed.", "line": 1}]
        assert len(logged.flush()) == 1

    def test_two_ends_do_not_answer_each_others_errors(self, bridge: Bridge) -> None:
        bridge.send(b"nonsense\n")
        echo = bytes(bridge.transport.value())  # type: ignore[no-untyped-call]
        bridge.told()
        bridge.send(echo)
        assert bridge.told() == []


class TestPages:
    def test_a_page_is_told_when_it_is_durable_and_its_end_too(self) -> None:
        disk = OnDemand()
        shop = Shop(disk)
        bridge = shop.bridge()
        bridge.report("66", "started")
        disk.step()
        shop.do(shop.gateway.page("66", False))
        assert bridge.told() == []
        disk.step()
        assert bridge.told() == [{"page": "66", "tracking": False}]
        shop.do(shop.gateway.cancel_page("66"))
        assert bridge.told() == []
        disk.step()
        assert bridge.told() == [{"unpage": "66"}]

    def test_clearing_a_paged_order_ends_its_page(self, shop: Shop, bridge: Bridge) -> None:
        for name in ("66", "67", "68"):
            bridge.report(name, "started")
        for name in ("66", "67"):
            result_of(shop.gateway.page(name))
        bridge.told()
        bridge.report("66", "cleared")
        assert bridge.told() == [{"unpage": "66"}]
        result_of(shop.gateway.clear_all(ClearedReason.MANAGER_OVERRIDE))
        assert bridge.told() == [{"unpage": "67"}]

    def test_a_tracker_that_cannot_be_paged_leaves_the_order_as_it_is(self, shop: Shop, bridge: Bridge) -> None:
        bridge.report("66", "started", pageable=False)
        with pytest.raises(PagingImpossible):
            result_of(shop.gateway.page("66"))
        assert (shop.store.journal.last, bridge.told()) == (1, [])
        bridge.report("66", "seen", pageable=True)
        assert result_of(shop.gateway.page("66")).paged

    def test_a_bridge_that_is_away_refuses_pages_and_learns_what_stands(self, shop: Shop, bridge: Bridge) -> None:
        for name in ("66", "67"):
            bridge.report(name, "started")
            result_of(shop.gateway.page(name))
        shop.gateway.radio.begin_pairing(60)
        bridge.hang_up()
        with pytest.raises(PagingUnavailable):
            result_of(shop.gateway.page("66"))
        assert result_of(shop.gateway.cancel_page("67"))
        shop.timers.advance(10)
        again = Bridge(shop.connections)
        assert again.told() == [{"unpage": "67"}, {"page": "66", "tracking": True}, {"pairing": 50}]


class TestLimits:
    def test_a_fast_bridge_waits_for_a_slow_disk(self) -> None:
        disk = OnDemand()
        shop = Shop(disk)
        bridge = shop.bridge()
        bridge.say(*({"tracker": str(number), "event": "started"} for number in range(2 * MOST_UNDER_WAY)))
        assert not bridge.reads
        assert len(names(shop)) == MOST_UNDER_WAY
        while disk.waiting:
            disk.step()
            shop.timers.advance(APART)
        assert bridge.reads
        assert len(shop.orders()) == 2 * MOST_UNDER_WAY

    def test_a_bridge_that_does_not_read_is_not_read(self, shop: Shop, bridge: Bridge) -> None:
        bridge.transport.full = 500
        bridge.send(b"x\n" * 10_000)
        assert not bridge.reads
        assert len(bridge.told()) < 20
        bridge.transport.full = None
        bridge.connection.resumeProducing()
        assert bridge.reads
        assert bridge.told()[-1]["line"] == 10_000

    def test_a_bridge_that_does_not_read_for_long_is_hung_up_on(self, shop: Shop, bridge: Bridge) -> None:
        bridge.transport.full = 500
        bridge.send(b"x\n" * 100)
        shop.timers.advance(LONGEST_UNREAD - 1)
        assert not bridge.transport.aborted
        shop.timers.advance(1)
        assert bridge.transport.aborted
        assert (shop.gateway.radio.connected, shop.ends) == (False, 1)

    def test_a_bridge_that_does_not_read_gets_so_much_and_no_more(self, shop: Shop, bridge: Bridge) -> None:
        bridge.transport.full = 500
        bridge.send(b"x\n" * 100)
        pages = 0
        while not bridge.transport.aborted:
            shop.gateway.radio.paged("66")
            pages += 1
            assert pages < MOST_UNREAD
        assert len(bridge.transport.value()) < MOST_UNREAD + 1000  # type: ignore[no-untyped-call]
        assert shop.gateway.radio.connected is False

    def test_a_bridge_that_reads_in_time_may_be_slow_again(self, shop: Shop, bridge: Bridge) -> None:
        for _ in range(3):
            bridge.connection.pauseProducing()
            for _ in range(100):
                shop.gateway.radio.paged("66")
            shop.timers.advance(LONGEST_UNREAD - 1)
            bridge.connection.resumeProducing()
        assert not bridge.transport.aborted


class TestConnecting:
    def test_the_newest_bridge_wins(self, shop: Shop, bridge: Bridge) -> None:
        newer = shop.bridge()
        assert bridge.transport.aborted
        assert shop.gateway.radio.connected is True
        bridge.send(b'{"tracker": "66", "event": "started"}\n')
        newer.report("67", "started")
        assert list(shop.orders()) == ["67"]
        result_of(shop.gateway.page("67"))
        assert (newer.told(), bridge.told()) == ([{"page": "67", "tracking": True}], [])

    def test_a_peer_by_tcp_that_is_gone_without_a_word_is_noticed(self, shop: Shop) -> None:
        options = shop.bridge(TCP).transport.options
        assert (options["keepalive"], options["nodelay"]) == (True, True)
        assert options[socket.IPPROTO_TCP, socket.TCP_KEEPIDLE] == 30
        assert shop.bridge().transport.options == {}

    def test_closing_ends_the_connection_and_takes_nothing_more(self, shop: Shop, bridge: Bridge) -> None:
        shop.connections.close()
        assert (bridge.transport.lost, bridge.transport.aborted) == (True, False)
        bridge.report("66", "started")
        assert (shop.orders(), shop.gateway.radio.connected) == ({}, False)

    def test_closing_does_not_wait_for_a_bridge_that_does_not_read(self, shop: Shop, bridge: Bridge) -> None:
        bridge.connection.pauseProducing()
        shop.connections.close()
        assert bridge.transport.aborted
