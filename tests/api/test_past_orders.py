import pytest

from tests.api.client import House
from tests.conftest import Logged
from tests.support import result_of
from ttgateway.settings import Access, Settings

PATHS = [("/api/v1/orders", None), ("/api/v2/orders", -904), ("/api/v1/statistics", None), ("/api/v2/statistics", -904)]


@pytest.fixture
def house() -> House:
    return House()


def posted(house: House, name: str = "66") -> str:
    uuid: str = house.post("/api/v2/activeorders", {"name": name, "orderType": "TO_GO"}).json["activeorder"]["uuid"]
    return uuid


@pytest.mark.parametrize(("path", "code"), PATHS)
def test_a_history_that_cannot_be_read_is_503(house: House, logged: Logged, path: str, code: int | None) -> None:
    result_of(house.store.write(lambda db: db.execute("ALTER TABLE orders RENAME TO lost")))
    house.get(path).refuses(503, code)
    assert len(logged.flush()) == 1


def test_an_order_is_found_whatever_the_case_of_its_uuid(house: House) -> None:
    uuid = posted(house)
    assert house.get(f"/api/v2/orders/{uuid.upper()}").json["order"]["uuid"] == uuid


def test_both_versions_find_the_same_orders(house: House) -> None:
    for name in ("1", "2", "3"):
        posted(house, name)
        house.timers.advance(1)
    query = "limit=2&created_before=2016-09-22T19:08:54"
    older, newer = (house.get(f"/api/v{version}/orders?{query}").json["items"] for version in (1, 2))
    assert [item["uuid"] for item in older] == [item["uuid"] for item in newer]
    assert [item["name"] for item in newer] == ["2", "1"]


def test_the_first_of_several_values_counts(house: House) -> None:
    posted(house)
    assert house.get("/api/v2/orders?limit=1&limit=x").json["count"] == 1


def test_nothing_but_an_ampersand_parts_a_query(house: House) -> None:
    house.get("/api/v2/orders?limit=5;offset=x").refuses(400, -23)
    assert house.get("/api/v2/orders?limit=5&refresh&x=a;b&=&&offset=0").json["count"] == 0


@pytest.mark.parametrize("query", ["offset=10000000000000000", "offset=9223372036854775807&limit=100"])
def test_leaving_out_more_than_there_is_leaves_nothing(house: House, query: str) -> None:
    posted(house)
    assert house.get(f"/api/v2/orders?{query}").json["items"] == []


@pytest.mark.parametrize(
    ("query", "count"), [("created_before=9999-12-31T23:59:59", 1), ("created_after=9999-12-31T23:59:59", 0)]
)
def test_never_is_after_every_order(house: House, query: str, count: int) -> None:
    posted(house)
    assert house.get(f"/api/v2/orders?{query}").json["count"] == count
    always = query.replace("9999-12-31T23:59:59", "0001-01-01T00:00:00")
    assert house.get(f"/api/v2/orders?{always}").json["count"] == 1 - count


def test_the_history_is_opened_to_old_devices_and_statistics_are_not() -> None:
    house = House(settings=Settings(access=Access(open_to_old_devices=True)))
    for path, status in (("v1/orders", 200), ("v2/orders", 200), ("v1/statistics", 401), ("v2/statistics", 401)):
        assert house.ask("GET", f"/api/{path}", known=False).status == status


def test_statistics_show_the_target_that_was_asked_for(house: House) -> None:
    assert house.get("/api/v2/statistics?target_time=1.5").json["statistics"]["targetTime"] == 1.5
