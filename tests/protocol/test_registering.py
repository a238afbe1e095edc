"""Section 6: registering a listener, with a real HEAD over a network of fakes."""

from ipaddress import ip_address
from typing import Any

import pytest

from tests.api.client import basic
from tests.protocol.common import REGISTER, URL, V1, Shop, exactly, posted
from tests.support import Names

REGISTER_V1 = f"{V1}/register"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def registered(listener: str, url: str = URL) -> dict[str, object]:
    message = f"Registered client at: {url}"
    return {"status": 200, "returnCode": 1005, "message": message, "listener": listener}


def urls(shop: Shop) -> list[str]:
    """Return the URLs of all who are registered."""
    return [listener.url for listener, _ in shop.gateway.registry.all()]


@pytest.mark.parametrize("status", [200, 204, 301, 404, 405, 500])
def test_any_answer_to_the_head_registers_version_2(shop: Shop, status: int) -> None:
    answer = shop.reached("POST", REGISTER, {"http_client": URL}, status)
    exactly(answer, registered(answer.json["listener"]))
    assert urls(shop) == [URL]


@pytest.mark.parametrize("sent", [URL, "http%3A%2F%2F10.0.1.18%3A8989%2Fv1%2Fnotify"])
def test_version_1_answers_with_the_sample_of_the_page(shop: Shop, sent: str) -> None:
    answer = shop.reached("GET", f"{REGISTER_V1}?http_client={sent}")
    exactly(answer, {"status": 200, "message": "Registered client at: http://10.0.1.18:8989/v1/notify"})
    assert urls(shop) == [URL]


def test_a_url_that_stands_unescaped_in_a_query_is_taken_whole(shop: Shop) -> None:
    url = "http://10.0.1.18:8989/notify?store=7&till=2"
    assert shop.reached("GET", f"{REGISTER_V1}?http_client={url}").status == 200
    assert urls(shop) == [url]


def test_nothing_is_answered_before_the_head_is(shop: Shop) -> None:
    connection = shop.begins("POST", REGISTER, {"http_client": URL})
    assert connection.transport.value() == b""
    assert urls(shop) == []
    shop.dial.peer.answer()
    assert connection.answer().status == 200
    connection.end()


@pytest.mark.parametrize(
    "body", [f"http_client={URL}".encode(), b"http_client=http%3A%2F%2F10.0.1.18%3A8989%2Fv1%2Fnotify"]
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded; charset=UTF-8"])
def test_the_forms_of_the_vendors_samples_are_taken_whatever_the_content_type_says(
    shop: Shop, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "Authorization": basic(shop.secret)}
    shop.dial.down.add("10.0.1.18")  # who is told that nobody answers was understood
    answer = shop.ask("POST", REGISTER, body, known=False, headers=headers)
    answer_without_cause = {key: value for key, value in answer.json.items() if key != "cause"}
    message = f"Client not responding at {URL}"
    assert answer_without_cause == {"status": 404, "returnCode": -30, "message": message}


def test_a_client_that_refuses_is_told_so(shop: Shop) -> None:
    shop.dial.down.add("10.0.1.18")
    message = f"Client not responding at {URL}"
    expected = {"status": 404, "returnCode": -30, "message": message, "cause": "refused"}
    exactly(shop.post(REGISTER, {"http_client": URL}), expected)
    exactly(shop.get(f"{REGISTER_V1}?http_client={URL}"), {"status": 404, "message": message})
    assert urls(shop) == []


def test_a_client_that_is_silent_is_told_so(shop: Shop) -> None:
    connection = shop.begins("POST", REGISTER, {"http_client": URL})
    shop.timers.pump([0.1] * 40)
    message = f"Client not responding at {URL}"
    expected = {"status": 404, "returnCode": -30, "message": message, "cause": "timeout"}
    exactly(connection.answer(), expected)
    connection.end()


@pytest.mark.parametrize(
    ("url", "said", "cause"),
    [("http://nowhere.local/x", None, "dns"), (URL, b"SSH-2.0-OpenSSH_9.2\r\n", "protocol")],
)
def test_other_causes_are_one_word_too(shop: Shop, url: str, said: bytes | None, cause: str) -> None:
    connection = shop.begins("POST", REGISTER, {"http_client": url})
    if said is not None:
        shop.dial.peer.send(said)
    message = f"Client not responding at {url}"
    exactly(connection.answer(), {"status": 404, "returnCode": -30, "message": message, "cause": cause})
    connection.end()


@pytest.mark.parametrize("body", [None, {}, {"http_client": ""}, {"http_client": None}, b"http_client="])
def test_no_url_is_400_and_28(shop: Shop, body: object) -> None:
    shop.post(REGISTER, body).refuses(400, -28)
    shop.delete(REGISTER, body).refuses(400, -28)
    shop.get(REGISTER_V1).refuses(400, None)


@pytest.mark.parametrize("url", ["notify", "ftp://10.0.1.18/", "http://a:b@10.0.1.18/", "http://10.0.1.18:99999/", 7])
def test_what_is_no_url_that_we_call_is_400_and_29(shop: Shop, url: object) -> None:
    shop.post(REGISTER, {"http_client": url}).refuses(400, -29)
    shop.get(f"{REGISTER_V1}?http_client={url}").refuses(400, None)
    assert shop.dial.dialled == []


@pytest.mark.parametrize(
    ("closed", "url", "rule", "way"),
    [
        ({"allow": ()}, "http://203.0.113.7/", "a public address", 'callbacks.allow = ["203.0.113.7/32"]'),
        ({"allow": (), "loopback": False}, "http://127.0.0.1/", "a loopback address", "callbacks.allow"),
        ({"allow": ()}, "http://10.0.1.18:9100/", "another kind of service", "callbacks.allow"),
        ({"source_only": True}, URL, "not the address that this request came from", "callbacks.source_only = false"),
    ],
)
def test_what_policy_refuses_is_403_and_told_the_rule_and_the_way_out(
    closed: dict[str, Any], url: str, rule: str, way: str
) -> None:
    shop = Shop(**closed)
    answer = shop.post(REGISTER, {"http_client": url})
    answer.refuses(403, -29)
    assert rule in answer.json["message"]
    assert way in answer.json["message"]
    shop.get(f"{REGISTER_V1}?http_client={url}").refuses(403, None, answer.json["message"])
    assert shop.dial.dialled == []
    shop.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://kds.local/x", "HTTP://KDS.Local/x"),
        ("http://10.0.1.18/x", "http://10.0.1.18:80/x"),
        ("http://10.0.1.18/a/../x", "http://10.0.1.18/./x"),
    ],
)
def test_the_same_url_again_is_the_same_listener(first: str, second: str) -> None:
    shop = Shop()
    names = Names(**{"kds.local": (ip_address("10.0.1.18"),)})
    shop.network.resolver.resolve = names.resolve  # type: ignore[method-assign]
    listener = shop.registers(first)
    exactly(shop.reached("POST", REGISTER, {"http_client": second}), registered(listener, second))
    assert len(urls(shop)) == 1
    shop.close()


def test_registering_again_ends_the_backoff_at_once(shop: Shop) -> None:
    shop.registers()
    shop.dial.down.add("10.0.1.18")
    posted(shop)
    shop.timers.pump([0.1] * 300)
    shop.dial.down.clear()
    assert len(shop.dial.peers) == 1  # the HEAD alone: after half a minute it is tried every 15 s at the most
    shop.registers()
    shop.timers.pump([0.01] * 2)
    assert b'"seq":1' in shop.dial.peer.received()
    shop.dial.peer.answer()


def test_a_version_2_listener_may_ask_for_more(shop: Shop) -> None:
    asked = {"secret": WEBHOOK_SECRET, "events": ["ORDER_PAGED"], "snapshot": False, "catch_up": "latest"}
    answer = shop.reached("POST", REGISTER, {"http_client": URL, **asked})
    exactly(answer, registered(answer.json["listener"]))


@pytest.mark.parametrize("option", [{"secret": "short"}, {"events": ["EATEN"]}, {"catch_up": "never"}])
def test_a_malformed_option_is_refused(shop: Shop, option: dict[str, object]) -> None:
    shop.post(REGISTER, {"http_client": URL, **option}).refuses(400, -31)
    assert shop.dial.dialled == []


def test_a_listener_unregisters(shop: Shop) -> None:
    listener = shop.registers()
    message = f"Removed client at: {URL}"
    expected = {"status": 200, "returnCode": 1901, "message": message, "listener": listener}
    exactly(shop.delete(REGISTER, {"http_client": URL}), expected)
    shop.delete(REGISTER, {"http_client": URL}).refuses(404, -901)
