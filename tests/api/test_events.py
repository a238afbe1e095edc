from tests.api.client import PEER, Connection, House, request

SAMPLE_FIELDS = {
    "stateChanged",
    "seq",
    "paged",
    "name",
    "elapsedTime",
    "uuid",
    "created",
    "orderType",
    "locationName",
    "state",
    "type",
}


def a_house_with_orders(*names: str) -> House:
    house = House()
    for name in names:
        assert house.post("/api/v2/activeorders", {"name": name, "orderType": "TO_GO"}).status == 200
    return house


def test_a_reader_gets_what_it_missed_with_the_fields_of_the_websocket() -> None:
    house = a_house_with_orders("1", "2", "3")
    reply = house.get(f"/api/v2/events?since=1&epoch={house.gateway.epoch}").json
    assert (reply["status"], reply["returnCode"], reply["count"]) == (200, 902, 2)
    assert (reply["epoch"], reply["last"]) == (house.gateway.epoch, 3)
    assert [(item["seq"], item["name"], item["type"]) for item in reply["items"]] == [
        (2, "2", "ORDER_CREATED"),
        (3, "3", "ORDER_CREATED"),
    ]
    assert all(set(item) == SAMPLE_FIELDS for item in reply["items"])
    assert "message" not in reply


def test_limit_bounds_a_page_and_the_next_since_goes_on() -> None:
    house = a_house_with_orders("1", "2", "3")
    first = house.get("/api/v2/events?since=0&limit=2").json
    assert [item["seq"] for item in first["items"]] == [1, 2]
    assert [item["seq"] for item in house.get("/api/v2/events?since=2").json["items"]] == [3]


def test_what_is_gone_is_410() -> None:
    house = a_house_with_orders("1", "2")
    for epoch in ("0123456789ab", "another", "", "%c3%a9"):
        house.get(f"/api/v2/events?since=0&epoch={epoch}").refuses(410, -902)
    house.store.journal.trimmed_to(1)
    house.get("/api/v2/events?since=0").refuses(410, -902)
    assert house.get("/api/v2/events?since=1").json["count"] == 1


def test_what_is_malformed_is_refused() -> None:
    house = House()
    for query in ("", "?since=", "?since=-1", "?since=x", "?since=1.5", "?since=9007199254740993"):
        house.get(f"/api/v2/events{query}").refuses(400, -31)
    house.get("/api/v2/events?since=0&wait=31").refuses(400, -31)
    house.get("/api/v2/events?since=0&limit=0").refuses(400, -23)
    house.ask("GET", "/api/v2/events?since=0", known=False).refuses(401, -2)


def test_a_call_waits_for_the_next_change_and_answers_with_it() -> None:
    house = a_house_with_orders("1")
    waiting = Connection(house.site, PEER)
    waiting.send(request("GET", "/api/v2/events?since=1&wait=30", secret=house.secret))
    assert waiting.transport.value() == b""
    house.timers.advance(20)
    house.post("/api/v2/activeorders", {"name": "2", "orderType": "TO_GO"})
    assert [item["seq"] for item in waiting.answer().json["items"]] == [2]
    waiting.end()


def test_a_call_that_waits_in_vain_gets_an_empty_list() -> None:
    house = a_house_with_orders("1")
    waiting = Connection(house.site, PEER)
    waiting.send(request("GET", "/api/v2/events?since=1&wait=30", secret=house.secret))
    for _ in range(30):
        house.timers.advance(1)
    assert waiting.answer().json["count"] == 0
    waiting.end()


def test_a_caller_that_goes_away_waits_no_longer() -> None:
    house = a_house_with_orders("1")
    waiting = Connection(house.site, PEER)
    waiting.send(request("GET", "/api/v2/events?since=1&wait=30", secret=house.secret))
    before = len(house.timers.getDelayedCalls())
    waiting.end()
    assert len(house.timers.getDelayedCalls()) < before


def test_a_reader_that_is_ahead_of_the_gateway_sees_that_in_last() -> None:
    house = a_house_with_orders("1")
    reply = house.get("/api/v2/events?since=7").json
    assert (reply["count"], reply["last"]) == (0, 1)


def test_at_a_stop_who_waits_gets_what_there_is_and_nobody_waits_any_more() -> None:
    house = a_house_with_orders("1")
    waiting = Connection(house.site, PEER)
    waiting.send(request("GET", "/api/v2/events?since=1&wait=30", secret=house.secret))
    house.audience.stop()
    assert waiting.answer().json["count"] == 0
    waiting.end()
    assert house.get("/api/v2/events?since=1&wait=30").json["count"] == 0
