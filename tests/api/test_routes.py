import pytest
from twisted.internet.defer import ensureDeferred

from tests.api.client import PEER, Connection, House, request
from tests.conftest import Logged
from tests.support import OnDemand, result_of
from ttgateway.refusals import DiskFull
from ttgateway.store.commits import MEND_EVERY

ORDERS = "/api/v2/activeorders"
SAMPLE = {"name": "66", "orderType": "TO_GO"}


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v2/nothing", -5),
        ("/api/v2/activeorders/1/2", -5),
        ("/api/v2/activeorders/1%2F2", -5),
        ("/api/v2/%ff", -5),
        ("/api/v2//activeorders", -5),
        ("/api/v1/nothing", None),
        ("/api/v1/%ff", None),
        ("/api//v2/activeorders", None),
        ("/api/v3/activeorders", None),
        ("/", None),
        ("/favicon.ico", None),
    ],
)
def test_an_unknown_path_is_told_in_json(house: House, method: str, path: str, code: int | None) -> None:
    house.ask(method, path).refuses(404, code)
    house.ask(method, path, known=False).refuses(404, code)


@pytest.mark.parametrize(
    ("method", "path", "code", "allowed"),
    [
        ("PUT", ORDERS, -5, {"GET", "HEAD", "POST", "DELETE"}),
        ("OPTIONS", ORDERS, -5, {"GET", "HEAD", "POST", "DELETE"}),
        ("PATCH", f"{ORDERS}/1", -5, {"GET", "HEAD", "DELETE"}),
        ("GET", f"{ORDERS}/1/page", -5, {"POST", "DELETE"}),
        ("GET", "/api/v2/register", -5, {"POST", "DELETE"}),
        ("POST", "/api/v2", -5, {"GET", "HEAD"}),
        ("DELETE", "/api/v1/activeorders", None, {"GET", "HEAD", "POST"}),
        ("POST", "/api/v1/register", None, {"GET", "HEAD"}),
        ("GET", "/api/v1/activeorders/1", None, {"DELETE"}),
    ],
)
def test_an_unknown_method_is_told_with_those_that_there_are(
    house: House, method: str, path: str, code: int | None, allowed: set[str]
) -> None:
    answer = house.ask(method, path)
    answer.refuses(405, code)
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", [ORDERS, "/api/v1/activeorders", "/api/v2", f"{ORDERS}?x=%ff", "/api/v2/accesstoken"])
def test_a_trailing_slash_makes_no_difference(house: House, path: str) -> None:
    path, _, query = path.partition("?")
    for shown in (path, f"{path}/"):
        assert house.get(f"{shown}?{query}").status == 200


def test_a_trailing_slash_makes_no_difference_to_a_post_either(house: House) -> None:
    assert house.post(f"{ORDERS}/", SAMPLE).json["activeorder"]["name"] == "66"
    assert house.post(f"{ORDERS}/66/page/").status == 200
    assert house.delete(f"{ORDERS}/66/").status == 200


@pytest.mark.parametrize("path", ["/api/v2", ORDERS, "/api/v1/activeorders", f"{ORDERS}/66"])
def test_a_head_is_a_get_without_its_body(house: House, path: str) -> None:
    house.post(ORDERS, SAMPLE)
    head, get = house.ask("HEAD", path), house.get(path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body))
    assert house.ask("HEAD", path.replace("66", "67")).status == (404 if "66" in path else 200)


@pytest.mark.parametrize("length", [0, 2])
def test_a_get_may_carry_a_content_type_and_a_body(house: House, length: int) -> None:
    assert house.ask("GET", ORDERS, b"x" * length).status == 200


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b"\xff", b'{"name": "1", "name": "2"}', b"null", b"1"])
@pytest.mark.parametrize(("path", "code"), [(ORDERS, -31), ("/api/v1/activeorders", None)])
def test_a_body_that_is_no_object_is_refused(house: House, path: str, code: int | None, body: bytes) -> None:
    house.post(path, body).refuses(400, code)


@pytest.mark.parametrize(("path", "code"), [(ORDERS, -31), ("/api/v1/activeorders", None)])
def test_a_body_over_64_kib_is_refused(house: House, path: str, code: int | None) -> None:
    house.post(path, b" " * (64 * 1024 + 1)).refuses(413, code)


def slow_house() -> tuple[House, OnDemand]:
    disk = OnDemand()
    house = House(executor=disk)
    pending = ensureDeferred(house.gateway.secrets.create("till"))
    disk.step()
    house.secret = result_of(pending).secret
    return house, disk


def test_nothing_is_answered_before_the_commit() -> None:
    house, disk = slow_house()
    connection = Connection(house.site, PEER)
    connection.send(request("POST", ORDERS, SAMPLE, secret=house.secret))
    assert connection.transport.value() == b""
    disk.step()
    assert connection.answer().json["activeorder"]["name"] == "66"
    connection.end()


def test_a_handler_goes_on_when_its_client_has_gone() -> None:
    house, disk = slow_house()
    connection = Connection(house.site, PEER)
    connection.send(request("POST", "/api/v2/register", {"http_client": "http://10.0.0.9/"}, secret=house.secret))
    connection.send(request("POST", ORDERS, SAMPLE, secret=house.secret))
    connection.end()
    while disk.waiting:
        disk.step()
    assert [listener.url for listener, _ in house.gateway.registry.all()] == ["http://10.0.0.9/"]


def test_a_request_in_line_sees_nothing_that_still_waits() -> None:
    house, disk = slow_house()
    first, second = Connection(house.site, PEER), Connection(house.site, PEER)
    first.send(request("POST", ORDERS, SAMPLE, secret=house.secret))
    first.send(request("GET", ORDERS, secret=house.secret))
    second.send(request("POST", ORDERS, {**SAMPLE, "name": "67"}, secret=house.secret))
    disk.step()
    assert bytes(first.transport.value()).count(b"HTTP/1.1 200") == 1
    disk.step()
    assert bytes(first.transport.value()).count(b"HTTP/1.1 200") == 2
    assert b'"count":2' in bytes(first.transport.value())
    first.end()
    second.end()


@pytest.mark.parametrize(("path", "code"), [(ORDERS, -904), ("/api/v1/activeorders", None)])
def test_a_full_disk_is_507_and_the_order_is_not_there(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str, code: int | None
) -> None:
    def no_room() -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(house.store.disk, "check_room", no_room)
    answer = house.post(path, SAMPLE)
    answer.refuses(507, code, "The disk is full.")
    assert answer.headers["retry-after"] == "1"
    assert house.get(ORDERS).json["count"] == 0


@pytest.mark.parametrize(("path", "code"), [(ORDERS, -904), ("/api/v1/activeorders", None)])
def test_a_commit_that_fails_is_503_and_the_order_is_not_there(
    house: House, logged: Logged, path: str, code: int | None
) -> None:
    result_of(house.store.write(lambda db: db.execute("PRAGMA query_only = ON")))
    answer = house.post(path, SAMPLE)
    answer.refuses(503, code)
    assert answer.headers["retry-after"] == "1"
    assert house.get(ORDERS).json["count"] == 0
    logged.flush()
    house.timers.advance(MEND_EVERY)
    logged.flush()
    house.store.commits.stop()
    logged.flush()


def test_who_stops_says_so(house: House) -> None:
    house.store.commits.stop()
    for answer in (house.post(ORDERS, SAMPLE), house.delete(ORDERS), house.delete("/api/v2/accesstoken")):
        answer.refuses(503, -904, "The gateway is stopping.")
    assert house.get(ORDERS).json["count"] == 0


@pytest.mark.parametrize(("path", "code"), [(ORDERS, -5), ("/api/v1/activeorders", None)])
def test_what_nobody_expected_is_logged_and_told_without_its_text(
    house: House, monkeypatch: pytest.MonkeyPatch, logged: Logged, path: str, code: int | None
) -> None:
    async def broken() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(house.gateway, "active_orders", broken)
    answer = house.get(path)
    answer.refuses(500, code)
    assert b"secret detail" not in answer.body
    [event] = logged.flush()
    assert "a secret detail" in str(event["log_failure"])
    assert house.post(ORDERS, SAMPLE).status == 200


def test_too_many_active_orders_are_told_as_such(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttgateway.orders.active.MOST_ACTIVE", 1)
    house.post(ORDERS, SAMPLE)
    house.post(ORDERS, {**SAMPLE, "name": "67"}).refuses(429, -903)


def test_a_head_makes_no_token_and_registers_nobody(house: House) -> None:
    house.gateway.secrets.press_button()
    for path, allowed in (
        ("/api/v2/accesstoken/generate", "GET, POST"),
        ("/api/v1/register?http_client=http://10.0.0.9/", "GET"),
    ):
        reply = house.ask("HEAD", path, known="register" in path)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert house.gateway.registry.all() == []
    assert len(house.gateway.secrets.all()) == 1, "the tests' own"
    assert house.ask("GET", "/api/v2/accesstoken/generate", known=False).status == 201
