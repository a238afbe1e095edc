"""A change that was acknowledged reaches the listener: what it says, how often, in which order."""

import base64
import json
import time
from collections.abc import Callable
from datetime import datetime

import pytest
import standardwebhooks

from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener, Told, status
from ttgateway import __version__

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TEN = {"elapsedTime", "uuid", "seq", "created", "orderType", "locationName", "state", "stateStarted", "type", "name"}


def registered(client: Client, listener: Listener, **wishes: object) -> Listener:
    """Register ``listener`` with ``client``."""
    reply = client.register(listener.url, **wishes)
    assert reply.status == 200, reply
    return listener


def wait_for(listener: Listener, count: int, within: float = 10.0) -> list[Told]:
    """Return what the listener was told, once that is ``count`` requests."""
    eventually(lambda: len(listener.told) >= count, within)
    return list(listener.told)


def test_the_whole_life_of_an_order_is_told_in_order_and_once(client: Client, listen: Callable[..., Listener]) -> None:
    listener = registered(client, listen())
    client.post_order(66)
    client.post_order(66, "22")
    client.post_order(66, "22")  # changes nothing: nothing is told
    client.call("POST", "/api/v2/activeorders/66/page", {})
    client.call("DELETE", "/api/v2/activeorders/66/page")
    client.clear_order(66)
    told = wait_for(listener, 5)
    time.sleep(0.3)
    assert len(listener.told) == 5
    shown = [(each.fields["type"], each.fields["state"], each.fields["locationName"]) for each in told]
    assert shown == [
        ("ORDER_CREATED", "started", ""),
        ("ORDER_MODIFIED", "located", "22"),
        ("ORDER_PAGED", "located", "22"),
        ("ORDER_MODIFIED", "located", "22"),
        ("ORDER_MODIFIED", "cleared", "22"),
    ]
    assert listener.seqs() == [1, 2, 3, 4, 5]
    assert [each.fields["paged"] for each in told] == [False, False, True, False, False]


def test_a_version_1_listener_gets_ten_fields_and_a_version_2_listener_twelve(
    client: Client, listen: Callable[..., Listener]
) -> None:
    old, new = listen(), registered(client, listen())
    assert client.call("GET", f"/api/v1/register?http_client={old.url}").status == 200
    client.post_order(66, "22", "TO_GO")
    (for_old,), (for_new,) = wait_for(old, 1), wait_for(new, 1)
    assert set(for_old.fields) == TEN
    assert set(for_new.fields) == TEN | {"stateChanged", "paged"}
    assert {name: for_new.fields[name] for name in TEN} == for_old.fields
    assert for_new.fields["stateChanged"] == for_new.fields["stateStarted"]
    fields = for_old.fields
    assert (fields["name"], fields["orderType"], fields["locationName"]) == ("66", "TO_GO", "22")
    assert (fields["state"], fields["type"], fields["seq"]) == ("located", "ORDER_CREATED", 1)
    assert type(fields["elapsedTime"]) is int
    datetime.strptime(fields["created"], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007  # the protocol's times name no zone


def test_a_delivery_has_the_headers_of_the_protocol_and_a_signature_that_verifies(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen(), secret=SECRET)
    client.post_order(66)
    client.post_order(67)
    first, second = wait_for(listener, 2)
    epoch = client.call("GET", "/api/v2").fields["gateway"]["epoch"]
    assert (first.method, first.path) == ("POST", "/notify")
    assert (first.id, second.id) == (f"{epoch}.1", f"{epoch}.2")
    assert (first.headers["ttgateway-previous"], second.headers["ttgateway-previous"]) == ("0", "1")
    assert first.headers["ttgateway-attempt"] == "1"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["user-agent"] == f"ttgateway/{__version__}"
    assert first.headers["accept-encoding"] == "identity"
    assert first.headers["host"] == f"127.0.0.1:{listener.port}"
    assert abs(int(first.headers["webhook-timestamp"]) - datetime.now().astimezone().timestamp()) < 10
    assert "ttgateway-flags" not in first.headers
    assert standardwebhooks.Webhook(SECRET).verify(first.body, first.headers) == first.fields
    assert SECRET not in daemon.log()


def test_a_listener_without_a_secret_gets_no_signature(client: Client, listen: Callable[..., Listener]) -> None:
    listener = registered(client, listen())
    client.post_order(66)
    assert "webhook-signature" not in wait_for(listener, 1)[0].headers


def test_changes_of_a_listener_share_a_connection(client: Client, listen: Callable[..., Listener]) -> None:
    listener = registered(client, listen())
    for name in range(1, 51):
        client.post_order(name)
    told = wait_for(listener, 50)
    assert [each.seq for each in told] == list(range(1, 51))
    assert len({each.connection for each in told}) == 1


@pytest.mark.parametrize("failure", [status(503), status(500), status(404), status(408), b""])
def test_a_retry_has_the_same_bytes_and_the_same_id_and_is_counted(
    client: Client, listen: Callable[..., Listener], failure: bytes
) -> None:
    listener = registered(client, listen(), secret=SECRET)
    listener.replies.append(failure or b"HTTP/9.9 what\r\n\r\n")
    client.post_order(66)
    client.post_order(67)
    first, again, after = wait_for(listener, 3)
    assert (again.id, again.body) == (first.id, first.body)
    assert [each.headers["ttgateway-attempt"] for each in (first, again, after)] == ["1", "2", "1"]
    assert after.seq == 2
    assert standardwebhooks.Webhook(SECRET).verify(again.body, again.headers) == first.fields


def test_only_the_wanted_events_are_told_and_the_others_are_counted(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen(), events=["ORDER_PAGED", "ORDER_CREATED"])
    client.post_order(66)
    client.post_order(66, "3")
    client.call("POST", "/api/v2/activeorders/66/page", {})
    client.clear_order(66)
    client.post_order(67)
    told = wait_for(listener, 3)
    assert [each.fields["type"] for each in told] == ["ORDER_CREATED", "ORDER_PAGED", "ORDER_CREATED"]
    assert [each.headers["ttgateway-previous"] for each in told] == ["0", "1", "3"]
    eventually(lambda: daemon.account(listener.url)["delivered"] == 3)
    assert daemon.account(listener.url)["filtered"] == 2
    assert daemon.balance(listener.url) == 5


def test_a_snapshot_shows_the_active_orders_between_two_marks(client: Client, listen: Callable[..., Listener]) -> None:
    for name in (1, 2, 3):
        client.post_order(name)
    client.clear_order(2)
    client.post_order(3, "9")
    listener = registered(client, listen(), snapshot=True)
    client.post_order(4)
    begin, one, three, end, news = wait_for(listener, 5)
    assert begin.fields == {"type": "SNAPSHOT_BEGIN", "seq": 5}
    assert end.fields == {"type": "SNAPSHOT_END", "seq": 5, "count": 2}
    assert [each.fields["name"] for each in (one, three)] == ["1", "3"]
    assert (three.fields["state"], three.fields["locationName"]) == ("located", "9")
    assert {each.headers["ttgateway-flags"] for each in (begin, one, three, end)} == {"snapshot"}
    assert "ttgateway-flags" not in news.headers
    assert (news.seq, news.fields["name"]) == (6, "4")
    assert len({each.id for each in (begin, one, three, end, news)}) == 5


def miss_changes(client: Client, listeners: list[Listener]) -> int:
    """Make more changes than `upcoming.BEHIND` while the listeners are away; return the last seq."""
    for listener in listeners:
        listener.close()
    for name in range(100, 180):
        client.post_order(name)
        client.post_order(name, "7")
        if name % 2:
            client.clear_order(name)
    client.post_order(100, "8")
    for listener in listeners:
        listener.open()
    return 80 * 2 + 40 + 1


def test_after_a_long_outage_latest_gets_the_newest_of_each_order_and_every_gets_all(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    latest = registered(client, listen(), catch_up="latest")
    every = registered(client, listen(), catch_up="every")
    last = miss_changes(client, [latest, every])
    for listener, wish in ((latest, "latest"), (every, "every")):
        registered(client, listener, catch_up=wish)
    eventually(lambda: daemon.account(latest.url)["pending"] == daemon.account(every.url)["pending"] == 0)
    assert every.seqs() == list(range(1, last + 1))
    assert not any("ttgateway-flags" in each.headers for each in every.told)
    assert latest.seqs() == sorted(set(latest.seqs()))
    shown = [(each.fields["name"], each.fields["state"], each.fields["locationName"]) for each in latest.told]
    wanted = {(str(name), "cleared" if name % 2 else "located", "7") for name in range(101, 180)}
    assert set(shown) == wanted | {("100", "located", "8")}
    assert len(shown) == 80
    assert {each.headers.get("ttgateway-flags") for each in latest.told} == {"coalesced"}
    assert daemon.balance(latest.url) == daemon.balance(every.url) == last
    assert daemon.account(latest.url)["coalesced"] == last - 80


def test_after_the_catching_up_changes_are_told_one_by_one_again(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen(), catch_up="latest")
    last = miss_changes(client, [listener])
    registered(client, listener, catch_up="latest")
    eventually(lambda: daemon.account(listener.url)["pending"] == 0)
    seen = len(listener.told)
    client.post_order(900)
    client.post_order(900, "5")
    news = wait_for(listener, seen + 2)[seen:]
    assert [each.seq for each in news] == [last + 1, last + 2]
    assert not any("ttgateway-flags" in each.headers for each in news)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_registration_and_what_was_not_yet_told_survive(
    daemon: Daemon, client: Client, listen: Callable[..., Listener], end: str
) -> None:
    listener = registered(client, listen(), secret=SECRET, events=["ORDER_CREATED"])
    client.post_order(1)
    wait_for(listener, 1)
    before = daemon.account(listener.url)["id"]
    listener.close()
    client.post_order(2)
    client.post_order(2, "8")
    client.post_order(3)
    getattr(daemon, end)()
    listener.open()
    daemon.start()
    eventually(lambda: daemon.account(listener.url)["pending"] == 0)
    distinct = {each.id: each for each in listener.told}
    assert [each.fields["name"] for each in distinct.values()] == ["1", "2", "3"]
    assert all("webhook-signature" in each.headers for each in distinct.values())
    assert daemon.account(listener.url)["id"] == before
    assert daemon.balance(listener.url) == 4


def test_the_active_orders_and_the_count_of_seq_survive_a_kill(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen())
    uuid = client.post_order(1).fields["activeorder"]["uuid"]
    daemon.kill()
    client.close()
    daemon.start()
    active = client.call("GET", "/api/v2/activeorders").fields
    assert (active["count"], active["items"][0]["uuid"]) == (1, uuid)
    client.post_order(2)
    eventually(lambda: listener.seqs()[-1:] == [2])


def test_a_clean_stop_finishes_what_is_in_flight(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen())
    listener.held.clear()
    client.post_order(1)
    client.post_order(2)
    wait_for(listener, 1)
    daemon.terminate()
    time.sleep(0.5)
    assert daemon.process.poll() is None  # it waits for the answer
    listener.held.set()
    assert daemon.wait() < 2.0
    daemon.start()
    wait_for(listener, 2)
    time.sleep(0.3)
    assert listener.seqs() == [1, 2]  # the first one not again


def test_a_clean_stop_does_not_wait_for_ever(daemon: Daemon, client: Client, listen: Callable[..., Listener]) -> None:
    listener = registered(client, listen())
    listener.held.clear()
    client.post_order(1)
    first = wait_for(listener, 1)[0]
    assert daemon.stop() < 6.0
    listener.held.set()
    daemon.start()
    eventually(lambda: daemon.account(listener.url)["delivered"] == 1)
    assert {(each.id, each.body) for each in listener.told} == {(first.id, first.body)}


def test_the_same_url_in_another_spelling_is_the_same_listener(
    daemon: Daemon, client: Client, listen: Callable[..., Listener]
) -> None:
    listener = registered(client, listen())
    other = listener.url.replace("/notify", "/a/../notify").replace("http", "HTTP", 1)
    reply = client.register(other)
    assert reply.status == 200, json.dumps(reply.fields)
    assert len(daemon.control("GET", "/listeners")) == 1
    client.post_order(1)
    wait_for(listener, 1)
    time.sleep(0.2)
    assert listener.seqs() == [1]
