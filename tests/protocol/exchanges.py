"""Exchanges that provoke a returnCode: one request, or what has to happen before it."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from tests.api.client import Answer
from tests.protocol.common import ORDERS, REGISTER, URL, V2, Shop, posted
from tests.protocol.reader import Reader
from ttgateway.refusals import DiskFull
from ttgateway.settings import Bridge, Listeners, Settings


class Exchange(msgspec.Struct, frozen=True):
    """What is asked, in a shop of its own, and what comes of it; ``message`` where the page gives one."""

    code: int
    status: int
    asked: Callable[[Shop], Answer]
    message: str | None = None
    shop: Callable[[], Shop] = Shop
    id: str = ""


def asks(method: str, path: str, body: object = None, **more: Any) -> Callable[[Shop], Answer]:
    """Return who makes one request."""
    return lambda shop: shop.ask(method, V2 + path, body, **more)


def with_order(method: str, path: str, body: object = None) -> Callable[[Shop], Answer]:
    """Return who makes one request where order 102 is active; ``{uuid}`` in the path is its uuid."""

    def asked(shop: Shop) -> Answer:
        return shop.ask(method, V2 + path.format(uuid=posted(shop)), body)

    return asked


def with_listener(method: str, path: str, body: object = None) -> Callable[[Shop], Answer]:
    """Return who makes one request where a listener is registered; ``{listener}`` in the path is its id."""

    def asked(shop: Shop) -> Answer:
        return shop.ask(method, V2 + path.format(listener=shop.registers()), body)

    return asked


def on_the_websocket(says: str | None = None) -> Callable[[Shop], Answer]:
    """Return who opens a WebSocket without a secret, and ``says`` this or waits: the error is told as a text."""

    def asked(shop: Shop) -> Answer:
        reader = Reader(shop)
        if says is not None:
            reader.says(says)
        else:
            shop.timers.pump([0.5] * 41)
        error, _ = reader.ended()
        reader.connection.end()
        return Answer(error["status"], {"content-type": "application/json"}, json.dumps(error).encode())

    return asked


def after_the_button(shop: Shop) -> Answer:
    shop.gateway.secrets.press_button()
    return shop.ask("GET", f"{V2}/accesstoken/generate", known=False)


def cancels_a_page(shop: Shop) -> Answer:
    posted(shop)
    shop.post(f"{ORDERS}/102/page")
    return shop.delete(f"{ORDERS}/102/page")


def registers(shop: Shop) -> Answer:
    return shop.reached("POST", REGISTER, {"http_client": URL})


def registers_in_vain(shop: Shop) -> Answer:
    shop.dial.down.add("10.0.1.18")
    return shop.post(REGISTER, {"http_client": URL})


def registers_one_too_many(shop: Shop) -> Answer:
    shop.registers()
    return shop.post(REGISTER, {"http_client": "http://10.0.1.19/"})


def posts_what_is_located(shop: Shop) -> Answer:
    posted(shop, location="7")
    return shop.post(ORDERS, {"name": "102", "orderType": "ON_PREMISE", "locationName": "7"})


def posts_again(shop: Shop) -> Answer:
    posted(shop)
    return shop.post(ORDERS, {"name": "102", "orderType": "ON_PREMISE"})


def pages_what_cannot_be_paged(shop: Shop) -> Answer:
    posted(shop)
    shop.gateway.radio.seen("102", False)
    return shop.post(f"{ORDERS}/102/page")


def floods(shop: Shop) -> Answer:
    wrong = {"Authorization": "Bearer wrong"}
    answers = [shop.ask("GET", ORDERS, known=False, headers=wrong) for _ in range(501)]
    return answers[-1]


def posts_on_a_full_disk(shop: Shop) -> Answer:
    def no_room() -> None:
        raise DiskFull("The disk is full.")

    shop.store.disk.check_room = no_room  # type: ignore[method-assign]
    return shop.post(ORDERS, {"name": "102", "orderType": "ON_PREMISE"})


def posts_while_stopping(shop: Shop) -> Answer:
    shop.store.commits.stop()
    return shop.post(ORDERS, {"name": "102", "orderType": "ON_PREMISE"})


def asks_what_is_gone(shop: Shop) -> Answer:
    posted(shop)
    shop.store.journal.trimmed_to(1)
    return shop.get(f"{V2}/events?since=0")


def bridged() -> Shop:
    """Return a shop whose radio bridge is away."""
    return Shop(settings=Settings(bridge=Bridge(at="/run/radio")))


def small() -> Shop:
    """Return a shop that has room for one listener."""
    return Shop(settings=Settings(listeners=Listeners(most=1)))


def private() -> Shop:
    """Return a shop whose operator has allowed nobody beyond the private networks."""
    return Shop(allow=())
