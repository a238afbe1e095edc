import json
import re

from openapi_spec_validator import validate

from tests.api.client import House


def test_the_document_is_valid_and_served_to_anybody() -> None:
    reply = House().ask("GET", "/api/openapi.json", known=False)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    described = json.loads(reply.body)
    assert described["openapi"].startswith("3.1")
    validate(described)


def test_the_document_tells_of_every_path_of_both_versions_and_of_ours() -> None:
    paths = json.loads(House().get("/api/openapi.json").body)["paths"]
    for path, methods in {
        "/api/v1/register": {"get"},
        "/api/v1/activeorders": {"get", "post"},
        "/api/v1/activeorders/{key}": {"delete"},
        "/api/v2": {"get"},
        "/api/v2/register": {"post", "delete"},
        "/api/v2/accesstoken": {"get", "delete"},
        "/api/v2/activeorders": {"get", "post", "delete"},
        "/api/v2/activeorders/{key}/page": {"post", "delete"},
        "/api/v2/events": {"get"},
    }.items():
        assert set(paths[path]) == methods, path


def test_what_wants_no_secret_says_so_and_nothing_else_does() -> None:
    paths = json.loads(House().get("/api/openapi.json").body)["paths"]
    open_ones = {
        (path, method) for path, held in paths.items() for method in held if held[method].get("security") == []
    }
    assert open_ones == {
        ("/api/v2", "get"),
        ("/api/v2/accesstoken/generate", "get"),
        ("/healthz", "get"),
        ("/readyz", "get"),
    }


def test_the_page_shows_every_operation_and_asks_nobody_else() -> None:
    house = House()
    described = json.loads(house.get("/api/openapi.json").body)
    reply = house.ask("GET", "/api/docs", known=False)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    text = reply.body.decode()
    for path, held in described["paths"].items():
        for method in held.values():
            assert f'<section id="{method["operationId"]}">' in text
        assert path in text
    assert not re.search(r"(src|href)=['\"]?(https?:|//)", text)
    assert "<script" not in text


def test_the_page_lists_every_error_with_its_meaning() -> None:
    text = House().get("/api/docs").body.decode()
    assert "<tr><td>-8</td><td>400</td><td>The order has no name.</td></tr>" in text
    assert "<td>-904</td><td>507</td>" in text


def test_what_can_only_be_refused_is_told_of_beside_the_paths() -> None:
    described = json.loads(House().get("/api/openapi.json").body)
    assert "/api/v2/gateway/activate" not in described["paths"]
    assert set(described["components"]["pathItems"]["api_v2_gateway_activate"]) == {"get", "post"}
    assert "/api/v2/gateway/activate" in House().get("/api/docs").body.decode()
