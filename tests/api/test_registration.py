import pytest

from tests.api.client import House, basic
from tests.support import NoCallbacks
from ttgateway.notifier.attempts.signing import check_secret
from ttgateway.notifier.callbacks.callback import CallbackURL
from ttgateway.refusals import CallbackForbidden, ListenerSilent
from ttgateway.store.tables.listeners import CatchUp, Listener, Progress

V2, V1 = "/api/v2/register", "/api/v1/register"
URL = "http://10.0.1.18:8989/v1/notify"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Callbacks(NoCallbacks):
    """Real URLs and secrets; some hosts are silent, and some are forbidden."""

    def __init__(self) -> None:
        self.callers: list[str] = []

    def canonical(self, url: object) -> str:
        return str(CallbackURL.parse(url))

    def check_secret(self, secret: object) -> str:
        return check_secret(secret)

    async def reach(self, url: str, caller: str) -> None:
        self.callers.append(caller)
        if "silent" in url:
            raise ListenerSilent(url, "timeout")
        if "forbidden" in url:
            raise CallbackForbidden("Not allowed. The operator allows it with callbacks.allow.")


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks()


@pytest.fixture
def house(callbacks: Callbacks) -> House:
    return House(callbacks=callbacks)


def kept(house: House) -> tuple[Listener, Progress]:
    [found] = house.gateway.registry.all()
    return found


def test_version_2_registers_and_gives_the_listener_an_id(house: House, callbacks: Callbacks) -> None:
    answer = house.post(V2, {"http_client": URL})
    listener, progress = kept(house)
    assert answer.json == {
        "status": 200,
        "returnCode": 1005,
        "message": f"Registered client at: {URL}",
        "listener": listener.id,
    }
    assert (listener.url, listener.api, listener.secret, listener.events) == (URL, 2, "", ())
    assert (listener.snapshot, listener.catch_up, progress.snapshot_due) == (False, CatchUp.EVERY, False)
    assert callbacks.callers == ["10.0.0.7"]


def test_version_1_registers_as_documented(house: House) -> None:
    answer = house.ask("GET", f"{V1}?http_client={URL}", known=False, headers={"Authorization": basic(house.secret)})
    assert answer.json == {"status": 200, "message": f"Registered client at: {URL}"}
    listener, _ = kept(house)
    assert (listener.url, listener.api) == (URL, 1)


@pytest.mark.parametrize(
    ("sent", "url"),
    [
        ("http://10.0.0.9/a?x=1&y=2", "http://10.0.0.9/a?x=1&y=2"),
        ("http://10.0.0.9/a%20b", "http://10.0.0.9/a%20b"),
        ("http://10.0.0.9/a?x=%26&y=%2F", "http://10.0.0.9/a?x=%26&y=%2F"),
        ("http%3A%2F%2F10.0.0.9%2Fa%3Fx%3D1%26y%3D2", "http://10.0.0.9/a?x=1&y=2"),
    ],
)
def test_a_url_in_the_query_is_taken_escaped_and_unescaped(house: House, sent: str, url: str) -> None:
    assert house.get(f"{V1}?http_client={sent}").json["message"] == f"Registered client at: {url}"
    assert kept(house)[0].url == url


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize(
    "body",
    [b"http_client=http://10.0.0.9/a?x=1&y=2", b"http_client=http%3A%2F%2F10.0.0.9%2Fa%3Fx%3D1%26y%3D2"],
)
def test_a_form_is_taken_whatever_the_content_type_says(house: House, content_type: str, body: bytes) -> None:
    answer = house.ask("POST", V2, body, headers={"Content-Type": content_type})
    assert answer.json["returnCode"] == 1005
    assert kept(house)[0].url == "http://10.0.0.9/a?x=1&y=2"


def test_a_form_may_hold_other_fields_too(house: House) -> None:
    house.post(V2, b"x=1&http_client=http%3A%2F%2F10.0.0.9%2F&y=2")
    assert kept(house)[0].url == "http://10.0.0.9/"


def test_a_listener_may_ask_for_more(house: House) -> None:
    asked = {"secret": SECRET, "events": ["ORDER_PAGED"], "snapshot": True, "catch_up": "latest"}
    assert house.post(V2, {"http_client": URL, **asked}).status == 200
    listener, progress = kept(house)
    assert (listener.secret, listener.events) == (SECRET, ("ORDER_PAGED",))
    assert (listener.snapshot, listener.catch_up, progress.snapshot_due) == (True, CatchUp.LATEST, True)


@pytest.mark.parametrize(("value", "due"), [("true", True), (False, False), ("false", False), (None, False)])
def test_a_boolean_may_be_spelt_out(house: House, value: object, due: bool) -> None:
    house.post(V2, {"http_client": URL, "snapshot": value})
    assert kept(house)[1].snapshot_due is due


@pytest.mark.parametrize("url", ["HTTP://10.0.1.18:8989/v1/notify", "http://10.0.1.18:8989/x/../v1/./notify"])
def test_the_same_url_again_is_the_same_listener(house: House, url: str) -> None:
    first = house.post(V2, {"http_client": URL}).json
    second = house.post(V2, {"http_client": url}).json
    assert second["listener"] == first["listener"] == kept(house)[0].id
    assert second["message"] == f"Registered client at: {url}"


@pytest.mark.parametrize("body", [{}, None, {"http_client": None}, {"http_client": ""}, b"http_client="])
def test_without_a_url_nobody_registers(house: House, body: object) -> None:
    house.post(V2, body).refuses(400, -28)
    house.delete(V2, body).refuses(400, -28)
    house.get(V1).refuses(400, None)
    house.get(f"{V1}?http_client=").refuses(400, None)


@pytest.mark.parametrize("url", [5, [], "10.0.0.9", "ftp://10.0.0.9/", "http://u:p@10.0.0.9/", "http://10.0.0.9/#x"])
def test_what_is_no_callback_is_refused(house: House, callbacks: Callbacks, url: object) -> None:
    house.post(V2, {"http_client": url}).refuses(400, -29)
    house.get(f"{V1}?http_client={url}").refuses(400, None)
    assert callbacks.callers == []


def test_who_may_not_be_called_is_told_the_rule(house: House) -> None:
    rule = "Not allowed. The operator allows it with callbacks.allow."
    house.post(V2, {"http_client": "http://forbidden/"}).refuses(403, -29, rule)
    house.get(f"{V1}?http_client=http://forbidden/").refuses(403, None, rule)
    assert house.gateway.registry.all() == []


def test_who_does_not_answer_is_told_so_and_why(house: House) -> None:
    url = "HTTP://silent:80/x"
    message = f"Client not responding at {url}"
    answer = house.post(V2, {"http_client": url})
    assert answer.json == {"status": 404, "returnCode": -30, "message": message, "cause": "timeout"}
    house.get(f"{V1}?http_client={url}").refuses(404, None, message)
    assert house.gateway.registry.all() == []


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ({"secret": "short"}, -31),
        ({"secret": 5}, -31),
        ({"events": "ORDER_PAGED"}, -31),
        ({"events": []}, -31),
        ({"events": ["EATEN"]}, -31),
        ({"catch_up": "never"}, -31),
        ({"snapshot": "perhaps"}, -15),
        ({"snapshot": 1}, -15),
    ],
)
def test_a_malformed_option_is_refused(house: House, option: dict[str, object], code: int) -> None:
    house.post(V2, {"http_client": URL, **option}).refuses(400, code)
    assert house.gateway.registry.all() == []


@pytest.mark.parametrize("body", [b"[]", b'{"http_client": }', b'{"http_client": "http://10.0.0.9/"', b"nothing"])
def test_a_body_that_is_neither_an_object_nor_a_form_is_refused(house: House, body: bytes) -> None:
    house.post(V2, body).refuses(400, -31)


def test_a_listener_unregisters(house: House) -> None:
    listener = house.post(V2, {"http_client": URL}).json["listener"]
    answer = house.delete(V2, {"http_client": URL})
    assert answer.json == {
        "status": 200,
        "returnCode": 1901,
        "message": f"Removed client at: {URL}",
        "listener": listener,
    }
    assert house.gateway.registry.all() == []
    house.delete(V2, {"http_client": URL}).refuses(404, -901)


def test_a_listener_unregisters_by_query_too(house: House) -> None:
    house.post(V2, {"http_client": URL})
    assert house.delete(f"{V2}?http_client={URL}").json["returnCode"] == 1901


def test_too_many_listeners_are_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.gateway.registry, "_most", 1)
    house.post(V2, {"http_client": URL})
    answer = house.post(V2, {"http_client": "http://10.0.0.9/"})
    answer.refuses(429, -903)
    assert house.post(V2, {"http_client": URL}).status == 200


def test_a_listener_is_not_registered_while_nothing_can_be_kept(house: House) -> None:
    house.store.commits.stop()
    house.post(V2, {"http_client": URL}).refuses(503, -904)
    house.get(f"{V1}?http_client={URL}").refuses(503, None)
    assert house.gateway.registry.all() == []
