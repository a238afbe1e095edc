"""Section 9, the changes that a reader missed; as items the changes of section 8."""

import pytest

from tests.api.client import PEER, Connection, House, request
from tests.protocol.common import NOON, ORDERS, V2, exactly, house_at, order, posted

EVENTS = f"{V2}/events"


def changes(house: House, *items: dict[str, object], last: int) -> dict[str, object]:
    """Return the whole reply that shows these changes."""
    return {
        "status": 200,
        "returnCode": 902,
        "count": len(items),
        "items": list(items),
        "epoch": house.gateway.epoch,
        "last": last,
    }


def test_the_change_of_the_page() -> None:
    house = house_at("2016-12-09T09:00:23")
    posted(house, "1")
    for _ in range(82):
        house.post(f"{ORDERS}/1/page")
    uuid = posted(house, "23", "8")
    item: dict[str, object] = {
        "stateChanged": "2016-12-09T09:00:23",
        "seq": 84,
        "paged": False,
        "name": "23",
        "elapsedTime": 0,
        "uuid": uuid,
        "created": "2016-12-09T09:00:23",
        "orderType": "ON_PREMISE",
        "locationName": "8",
        "state": "located",
        "type": "ORDER_CREATED",
    }
    exactly(house.get(f"{EVENTS}?since=83&epoch={house.gateway.epoch}"), changes(house, item, last=84))


def test_each_change_is_of_its_type_and_shows_how_the_order_stood_then() -> None:
    house = House()
    uuid = posted(house)
    house.timers.advance(9)
    posted(house, location="22")
    house.post(f"{ORDERS}/102/page")
    house.delete(f"{ORDERS}/102/page")
    house.delete(f"{ORDERS}/102")
    house.timers.advance(100)
    then = {"locationName": "22", "elapsedTime": 9, "stateChanged": "2016-09-22T19:09:01"}
    items = [
        order(uuid, seq=1, type="ORDER_CREATED"),
        order(uuid, seq=2, type="ORDER_MODIFIED", state="located", **then),
        order(uuid, seq=3, type="ORDER_PAGED", state="located", paged=True, **then),
        order(uuid, seq=4, type="ORDER_MODIFIED", state="located", **then),
        order(uuid, seq=5, type="ORDER_MODIFIED", state="cleared", **then),
    ]
    exactly(house.get(f"{EVENTS}?since=0"), changes(house, *items, last=5))
    exactly(house.get(f"{EVENTS}?since=3&limit=1"), changes(house, items[3], last=5))
    exactly(house.get(f"{EVENTS}?since=5"), changes(house, last=5))


def test_a_call_waits_for_the_next_change_and_for_no_longer_than_it_asked() -> None:
    house = House()
    waiting, in_vain = Connection(house.site, PEER), Connection(house.site, PEER)
    in_vain.send(request("GET", f"{EVENTS}?since=0&wait=29", secret=house.secret))
    house.timers.pump([1.0] * 29)
    exactly(in_vain.answer(), changes(house, last=0))
    waiting.send(request("GET", f"{EVENTS}?since=0&wait=30", secret=house.secret))
    house.timers.pump([1.0] * 29)
    assert waiting.transport.value() == b""
    uuid = posted(house)
    now = "2016-09-22T19:09:50"
    shown = order(uuid, seq=1, type="ORDER_CREATED", created=now, stateChanged=now)
    exactly(waiting.answer(), changes(house, shown, last=1))
    waiting.end()
    in_vain.end()


def test_another_epoch_and_what_is_no_longer_kept_are_410() -> None:
    house = House()
    for _ in range(3):
        posted(house)
        house.delete(ORDERS)
    house.get(f"{EVENTS}?since=6&epoch={'0' * 12}").refuses(410, -902)
    house.store.journal.trimmed_to(2)
    house.get(f"{EVENTS}?since=1").refuses(410, -902)
    assert house.get(f"{EVENTS}?since=2").json["count"] == 4


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", -31),
        ("since=x", -31),
        ("since=-1", -31),
        ("since=0&wait=31", -31),
        ("since=0&wait=-1", -31),
        ("since=0&limit=0", -23),
        ("since=0&limit=101", -23),
    ],
)
def test_a_bad_query_is_400(query: str, code: int) -> None:
    House().get(f"{EVENTS}?{query}").refuses(400, code)


def test_times_of_what_happened_before_stay_in_the_zone_of_then() -> None:
    house = House()
    posted(house)
    house.post(f"{V2}/gateway/settings", {"timezone": "America/New_York"})
    posted(house, "7")
    items = house.get(f"{EVENTS}?since=0").json["items"]
    assert [item["created"] for item in items] == [NOON, "2016-09-22T15:08:52"]
