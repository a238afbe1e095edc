import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from tests.api.client import House, basic
from tests.support import result_of
from ttgateway.api.auth import shown_secret, shows_valid
from ttgateway.api.codes import AuthorizationMalformed
from ttgateway.settings import Access, Settings

V2, V1 = "/api/v2/activeorders", "/api/v1/activeorders"
GUARDED = [
    ("GET", V2),
    ("POST", V2),
    ("DELETE", V2),
    ("GET", f"{V2}/1"),
    ("DELETE", f"{V2}/1"),
    ("POST", f"{V2}/1/page"),
    ("DELETE", f"{V2}/1/page"),
    ("POST", f"{V2}/1/guest_paging"),
    ("GET", "/api/v2/accesstoken"),
    ("DELETE", "/api/v2/accesstoken"),
    ("GET", "/api/v2/accesstoken/all"),
    ("POST", "/api/v2/accesstoken/generate"),
]
OLD_DEVICES = [
    ("POST", "/api/v2/register"),
    ("DELETE", "/api/v2/register"),
    ("GET", "/api/v1/register"),
    ("GET", V1),
    ("POST", V1),
    ("DELETE", f"{V1}/1"),
    ("POST", f"{V1}/1/page"),
]


@pytest.fixture
def house() -> House:
    return House()


def test_no_header_shows_no_secret() -> None:
    assert shown_secret([]) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_shows_its_secret_as_it_is(scheme: str) -> None:
    assert shown_secret([f"{scheme} 2f1f".encode()]) == "2f1f"
    assert shown_secret([f" {scheme}   2f1f ".encode()]) == "2f1f"


@given(st.text(st.characters(codec="latin-1", exclude_characters=":"), min_size=1))
def test_basic_shows_the_user_name(secret: str) -> None:
    encoded = base64.b64encode(secret.encode("latin-1") + b":")
    assert shown_secret([b"Basic " + encoded]) == secret


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer a b",
        b"2f1f",
        b"Digest 2f1f",
        b"Basic",
        b"Basic !!!",
        b"Basic " + base64.b64encode(b"no colon"),
        b"Basic " + base64.b64encode(b":password"),
        b"Basic " + base64.b64encode(b"user:password"),
        b"Basic " + base64.b64encode(b"user:") + b"\xff",
    ],
)
def test_any_other_header_is_malformed(header: bytes) -> None:
    with pytest.raises(AuthorizationMalformed):
        shown_secret([header])


def test_two_headers_are_malformed() -> None:
    with pytest.raises(AuthorizationMalformed):
        shown_secret([b"Bearer a", b"Bearer a"])


@given(st.lists(st.binary(), max_size=2))
def test_no_header_raises_anything_else(headers: list[bytes]) -> None:
    try:
        secret = shown_secret(headers)
    except AuthorizationMalformed as error:
        assert str(error).startswith("Malformed Authorization header.")
    else:
        assert (secret is None) == (not headers)


@pytest.mark.parametrize(
    ("shown", "valid"),
    [([], False), (["Bearer yes"], True), ([basic("yes")], True), (["Bearer no"], False), (["x"], False)],
)
def test_who_shows_a_valid_secret_can_be_told_from_the_headers_alone(shown: list[str], valid: bool) -> None:
    headers = Headers({b"authorization": [value.encode() for value in shown]})
    assert shows_valid(headers, {"yes"}.__contains__) is valid


@pytest.mark.parametrize("path", [V1, V2])
@pytest.mark.parametrize("key", [False, True])
def test_both_kinds_of_secret_open_both_versions_in_both_forms(house: House, path: str, key: bool) -> None:
    secret = result_of(house.gateway.secrets.create("x", key=key)).secret
    for header in (f"Bearer {secret}", basic(secret)):
        assert house.ask("GET", path, known=False, headers={"Authorization": header}).status == 200


@pytest.mark.parametrize(("method", "path"), GUARDED + OLD_DEVICES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": basic("wrong")}])
def test_without_a_valid_secret_nothing_is_served(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = house.ask(method, path, known=False, headers=headers)
    version_2 = path.startswith("/api/v2")
    answer.refuses(401, -2 if version_2 else None)
    assert answer.headers["www-authenticate"] == ("Bearer" if version_2 else 'Basic realm="ttgateway"')


@pytest.mark.parametrize(("path", "code"), [(V2, -1), (V1, None), ("/api/v2", -1), ("/api/v2/nothing", -1)])
@pytest.mark.parametrize("header", ["Digest x", "Bearer", "Basic !!!"])
def test_a_malformed_header_is_told_from_a_wrong_secret(house: House, path: str, code: int | None, header: str) -> None:
    answer = house.ask("GET", path, known=False, headers={"Authorization": header})
    answer.refuses(400, code)
    assert "www-authenticate" not in answer.headers


def test_the_root_is_there_for_everybody(house: House) -> None:
    assert house.ask("GET", "/api/v2", known=False).status == 200
    assert house.ask("GET", "/api/v2", known=False, headers={"Authorization": "Bearer wrong"}).status == 200


@pytest.mark.parametrize(("method", "path"), OLD_DEVICES)
def test_a_setting_opens_these_paths_to_devices_that_send_no_secret(method: str, path: str) -> None:
    house = House(settings=Settings(access=Access(open_to_old_devices=True)))
    assert house.ask(method, path, known=False).status in (200, 400, 404)
    assert house.ask(method, path, known=False, headers={"Authorization": "Bearer wrong"}).status == 401


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_the_setting_opens_no_other_path(method: str, path: str) -> None:
    house = House(settings=Settings(access=Access(open_to_old_devices=True)))
    assert house.ask(method, path, known=False).status == 401


def test_wrong_secrets_are_slowed_down_and_valid_ones_never(house: House) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [house.ask("GET", V2, known=False, headers=wrong).status for _ in range(502)]
    assert statuses == [401] * 500 + [429] * 2
    answer = house.ask("GET", V2, known=False, headers=wrong)
    answer.refuses(429, -903)
    assert answer.headers["retry-after"] == "1"
    assert {house.get(V2).status for _ in range(300)} == {200}
    assert house.ask("GET", V2, known=False, headers=wrong, peer="10.0.0.8").status == 401


def test_who_was_slowed_down_may_try_again_later(house: House) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    for _ in range(501):
        house.ask("GET", V2, known=False, headers=wrong)
    house.timers.advance(0.1)
    assert house.ask("GET", V2, known=False, headers=wrong).status == 401
    assert house.ask("GET", V2, known=False, headers=wrong).status == 429


def test_malformed_headers_are_slowed_down_as_wrong_secrets_are(house: House) -> None:
    statuses = [house.ask("GET", V1, known=False, headers={"Authorization": "x"}).status for _ in range(502)]
    assert statuses == [400] * 500 + [429] * 2


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/nothing", "/favicon.ico", "/api/v2/accesstoken/generate"])
def test_strangers_are_slowed_down_wherever_they_knock(house: House, path: str) -> None:
    statuses = [house.ask("GET", path, known=False).status for _ in range(1_001)]
    assert 429 not in statuses[:1_000]
    assert statuses[1_000] == 429
    assert house.get("/api/v2").status == 200
    house.timers.advance(1)
    assert house.ask("GET", path, known=False).status != 429


def test_any_request_is_a_sign_of_life_of_its_host(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(house.gateway.registry, "heard", heard.append)
    house.ask("GET", V2, known=False)
    house.ask("GET", "/nothing", known=False, peer="10.0.0.8")
    assert heard == ["10.0.0.7", "10.0.0.8"]
