"""A small kitchen display, and its tests against a real gateway.

Run them: pytest -p ttgateway.testing test_display.py
"""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from ttgateway.testing import RecordingListener, RunningGateway


class Display:
    """Shows the open orders; rings once for each order that is new."""

    def __init__(self, port: int = 0) -> None:
        self.orders: dict[str, dict[str, Any]] = {}  # what a real display keeps on its disk, as `last`
        self.last = 0
        self.rings = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler_of(self))
        self.port = self.server.server_port
        self.thread = Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def take(self, change: dict[str, Any]) -> None:
        if change["seq"] <= self.last:  # it came again
            return
        self.last = change["seq"]
        self.rings += change["type"] == "ORDER_CREATED"
        if change["state"] == "cleared":
            self.orders.pop(change["uuid"], None)
        else:
            self.orders[change["uuid"]] = change

    def lines(self) -> list[str]:
        return [f"{o['name']} table {o['locationName'] or '-'}" for o in self.orders.values()]

    def off(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def handler_of(display: Display) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            display.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def display(shared_gateway: RunningGateway) -> Iterator[Display]:
    display = Display()
    shared_gateway.register(f"http://127.0.0.1:{display.port}/")
    yield display
    display.off()


def eventually(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_an_order_is_shown_until_it_is_cleared(shared_gateway: RunningGateway, display: Display) -> None:
    shared_gateway.start_order("66")
    shared_gateway.locate("66", "22")
    eventually(lambda: display.lines() == ["66 table 22"])
    shared_gateway.clear("66")
    eventually(lambda: display.lines() == [])
    assert display.rings == 1


def test_a_display_that_was_off_shows_what_it_missed(shared_gateway: RunningGateway, display: Display) -> None:
    display.off()
    shared_gateway.start_order("66", "22")
    shared_gateway.start_order("67", order_type="TO_GO")
    again = Display(display.port)
    shared_gateway.wait_until_told()
    again.off()
    assert again.lines() == ["66 table 22", "67 table -"]


def test_what_comes_twice_rings_once(
    shared_gateway: RunningGateway, display: Display, listener: RecordingListener
) -> None:
    shared_gateway.register(listener.url)
    shared_gateway.start_order("66")
    (delivery,) = listener.wait_for(1)  # just what the display got
    shared_gateway.wait_until_told()
    display.take(dict(delivery.body))
    assert display.rings == 1
