"""A listener that loses deliveries sees that in ``ttgateway-previous``, and repairs itself with ``events?since=``."""

from collections.abc import Callable
from typing import Any

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener, Told


class Board:
    """What a careful listener keeps: the last seq that it saw, and the newest state of each order."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.epoch = ""
        self.seen = 0
        self.orders: dict[str, tuple[str, str, str, bool]] = {}
        self.repairs = 0

    def told(self, delivery: Told) -> None:
        """Take a delivery, and first what was missed before it."""
        self.epoch = delivery.id.partition(".")[0]
        if int(delivery.headers["ttgateway-previous"]) != self.seen:
            self._repair(delivery.seq)
        self._take(delivery.fields)

    def _repair(self, upto: int) -> None:
        self.repairs += 1
        while self.seen < upto - 1:
            reply = self._client.call("GET", f"/api/v2/events?since={self.seen}&epoch={self.epoch}&limit=2")
            assert (reply.status, reply.fields["returnCode"]) == (200, 902)
            assert reply.fields["count"] == len(reply.fields["items"]) > 0
            for change in reply.fields["items"]:
                self._take(change)

    def _take(self, change: dict[str, Any]) -> None:
        if change["seq"] > self.seen:
            self.seen = change["seq"]
            self.orders[change["uuid"]] = (change["name"], change["locationName"], change["state"], change["paged"])


def test_a_listener_that_lost_three_deliveries_ends_as_one_that_lost_none(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    careful, lossy = listen(), listen()
    for listener in (careful, lossy):
        assert client.register(f"http://127.0.0.1:{listener.port}/").status == 200
    for name in range(1, 9):
        client.post_order(name)
        client.post_order(name, str(name + 10))
    client.call("POST", "/api/v2/activeorders/3/page")
    client.clear_order(4)
    last = client.call("GET", "/api/v2/events?since=0").fields["last"]
    assert last == 18
    eventually(lambda: careful.seqs() == lossy.seqs() == list(range(1, last + 1)))
    lost = {5, 6, 13}  # answered with 200, and never looked at
    whole, mended = Board(client), Board(client)
    for delivery in careful.told:
        whole.told(delivery)
    for delivery in lossy.told:
        if delivery.seq not in lost:
            mended.told(delivery)
    assert (whole.repairs, mended.repairs) == (0, 2)
    assert mended.orders == whole.orders
    assert mended.seen == whole.seen == last
