import json
from functools import cache
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from tests.api.client import Answer, House
from ttgateway import __version__
from ttgateway.api.document.openapi import error_table

ORDERS = "/api/v2/activeorders"
ORDER = {"name": "66", "orderType": "TO_GO"}


@cache
def described() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(House().get("/api/openapi.json").body)
    return document


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Return path, method and description of everything that is told of."""
    return [(path, method, held) for path, methods in described()["paths"].items() for method, held in methods.items()]


def conforms(answer: Answer, path: str, method: str) -> None:
    """Check a reply against what the document says of it."""
    responses = described()["paths"][path][method]["responses"]
    response = responses.get(str(answer.status), responses["default"])
    schema = response["content"]["application/json"]["schema"]
    OAS31Validator({**schema, "components": described()["components"]}).validate(answer.json)


def test_the_document_is_that_of_this_version_and_names_the_license() -> None:
    info = described()["info"]
    assert (info["version"], info["license"]["identifier"]) == (__version__, "MIT")


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [held["operationId"] for _, _, held in operations()]
    assert len(set(names)) == len(names)
    assert all(held["summary"].endswith(".") for _, _, held in operations())


def test_version_2_tells_its_return_codes_and_version_1_has_none() -> None:
    for path, _, held in operations():
        if not path.startswith("/api/"):
            continue  # of no version
        for response in held["responses"].values():
            numbers = response["content"]["application/json"]["schema"]["allOf"][0]["properties"]
            assert ("returnCode" in numbers) == path.startswith("/api/v2"), path
    posting = described()["paths"][ORDERS]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert posting["allOf"][0]["properties"]["returnCode"] == {"enum": [5, 1009, 1010]}


def test_what_can_only_be_refused_is_told_of_but_is_no_path_to_try() -> None:
    activation = described()["components"]["pathItems"]["api_v2_gateway_activate"]
    assert set(activation) == {"get", "post"}
    assert "/api/v2/gateway/activate" not in described()["paths"]


def test_an_order_that_was_posted_leads_to_its_own_paths() -> None:
    links = described()["paths"][ORDERS]["post"]["responses"]["200"]["links"]
    assert links["get_api_v2_activeorders_key"]["parameters"] == {"key": "$response.body#/activeorder/uuid"}
    known = {held["operationId"] for _, _, held in operations()}
    assert {link["operationId"] for link in links.values()} <= known


def test_the_epoch_to_ask_for_is_that_of_this_gateway() -> None:
    house = House()
    paths = json.loads(house.get("/api/openapi.json").body)["paths"]
    [epoch] = [part for part in paths["/api/v2/events"]["get"]["parameters"] if part["name"] == "epoch"]
    assert epoch["schema"]["enum"] == [house.gateway.epoch]


def test_a_parameter_of_a_query_is_never_null() -> None:
    for path, _, held in operations():
        for part in held["parameters"]:
            assert "null" not in json.dumps(part["schema"]), path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v2", None),
        ("GET", "/api/v2/gateway/settings", None),
        ("GET", "/api/v2/gateway/check", None),
        ("GET", "/api/v2/capabilities", None),
        ("GET", "/api/v2/accesstoken/all", None),
        ("POST", "/api/v2/accesstoken/generate", {}),
        ("GET", ORDERS, None),
        ("POST", ORDERS, ORDER),
        ("POST", ORDERS, {}),
        ("DELETE", ORDERS, None),
        ("GET", "/api/v1/activeorders", None),
        ("POST", "/api/v1/activeorders", ORDER),
        ("POST", "/api/v1/activeorders", {}),
        ("GET", "/api/v1/orders", None),
        ("GET", "/api/v2/orders", None),
        ("GET", "/api/v1/statistics", None),
        ("GET", "/api/v2/statistics", None),
        ("GET", "/api/v2/repeaters", None),
        ("GET", "/api/v2/trackers", None),
        ("GET", "/api/v2/events?since=0", None),
        ("GET", "/healthz", None),
        ("GET", "/readyz", None),
        ("POST", "/api/v2/register", {}),
        ("POST", "/api/v2/register", {"http_client": "http://10.0.1.18:8989/v1/notify"}),
    ],
)
def test_replies_are_as_the_document_says(method: str, path: str, body: object) -> None:
    house = House()
    assert house.post(ORDERS, ORDER).status == 200
    house.gateway.radio.seen("66")
    conforms(house.ask(method, path, body), path.partition("?")[0], method.lower())


def test_a_reply_that_lacks_a_field_would_not_conform() -> None:
    answer = House().get("/api/v2/statistics")
    maimed = Answer(200, answer.headers, answer.body.replace(b"percentGoal", b"x"))
    with pytest.raises(Exception, match="percentGoal"):
        conforms(maimed, "/api/v2/statistics", "get")


def test_the_table_of_errors_has_a_sentence_for_each_and_is_by_code() -> None:
    table = error_table()
    assert (-8, 400, "The order has no name.") in table
    assert all(text and "\n\n" not in text for _, _, text in table)
    assert [code for code, _, _ in table] == sorted((code for code, _, _ in table), reverse=True)
