import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands.listeners import attempts_table, listener_text, listeners, listeners_table
from ttgateway.orders.order import OrderType
from ttgateway.refusals import ListenerSilent
from ttgateway.registry import Registration
from ttgateway.store.tables.listeners import Listener

LISTENER = {
    "id": "0123456789ab",
    "url": "http://10.0.1.18:8989/v1/notify",
    "api": 2,
    "state": "healthy",
    "delivered": 1234,
    "pending": 0,
    "parked": 0,
    "oldestPendingSeconds": 0.0,
    "lastFailureCause": None,
    "nextAttemptSeconds": None,
}

ATTEMPT = {
    "at": "2016-09-22T19:08:52",
    "seq": 41,
    "attempt": 3,
    "outcome": "down",
    "cause": "refused",
    "seconds": 0.0124,
    "flags": "",
}
DETAILED = {
    **LISTENER,
    "registered": "2016-09-20T09:00:00",
    "events": [],
    "snapshot": False,
    "catchUp": "latest",
    "signed": True,
    "coalesced": 2,
    "filtered": 0,
    "lastSuccess": "2016-09-22T19:08:40",
    "lastFailure": None,
    "attempts": [ATTEMPT],
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def registered(house: House, url: str = "http://10.0.0.7/") -> Listener:
    return result_of(house.gateway.registry.register(Registration(url=url, api=2, caller="")))


def test_listeners_are_shown(house: House) -> None:
    result_of(house.gateway.registry.register(Registration(url="http://10.0.0.7/", api=2, caller="")))
    assert "http://10.0.0.7/" in house.invoke(listeners).stdout
    assert json.loads(house.invoke(listeners, "--json").stdout)[0]["url"] == "http://10.0.0.7/"


def test_a_listener_in_trouble_has_a_line_that_says_which() -> None:
    trouble = {
        **LISTENER,
        "state": "retrying",
        "pending": 12,
        "oldestPendingSeconds": 45.2,
        "lastFailureCause": "refused",
        "nextAttemptSeconds": 3.1,
    }
    lines = listeners_table([LISTENER, trouble]).splitlines()
    assert lines == [
        "ID            STATE     API  TOLD  WAITING  PARKED  URL",
        "0123456789ab  healthy     2  1234        0       0  http://10.0.1.18:8989/v1/notify",
        "0123456789ab  retrying    2  1234       12       0  http://10.0.1.18:8989/v1/notify",
        "  failed: refused, oldest waits 45 s, next try in 3 s",
    ]


def test_nobody_registered_is_said(house: House) -> None:
    assert house.invoke(listeners).stdout == "No listener is registered.\n"


@pytest.mark.parametrize(
    "words", [(), ("show", "x"), ("remove", "x"), ("ping", "x"), ("resync", "x"), ("replay", "x", "--since", "0")]
)
def test_without_a_daemon_one_line_says_so(house: House, words: tuple[str, ...]) -> None:
    house.stop_daemon()
    result = house.invoke(listeners, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("ttgateway: no gateway is running on the state directory ")


@pytest.mark.parametrize("words", [("show",), ("remove",), ("ping",), ("resync",), ("replay", "--since", "0")])
def test_a_listener_that_nobody_knows_is_told_from_one_that_is_there(house: House, words: tuple[str, ...]) -> None:
    listener = registered(house)
    result = house.invoke(listeners, *words, "http://10.0.0.8/")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "ttgateway: no listener has the id or URL 'http://10.0.0.8/' (ttgateway listeners)\n"
    assert house.gateway.registry.listener(listener.id)


@pytest.mark.parametrize("by", ["id", "url"])
def test_one_listener_is_shown_by_its_id_or_url(house: House, by: str) -> None:
    listener = registered(house)
    wanted = getattr(listener, by)
    assert house.invoke(listeners, "show", wanted).stdout.startswith(f"listener      {listener.id}  http://10.0.0.7/\n")
    for words in (["show", wanted, "--json"], ["--json", "show", wanted]):
        shown = json.loads(house.invoke(listeners, *words).stdout)
        assert (shown["id"], shown["catchUp"], shown["attempts"]) == (listener.id, "every", [])


@pytest.mark.parametrize(
    "spelled", ["http://10.0.0.7:80", "HTTP://10.0.0.7", "http://10.0.0.7:80/", "http://10.0.0.7/"]
)
def test_a_listener_is_found_by_its_url_however_it_was_registered(house: House, spelled: str) -> None:
    listener = registered(house, "http://10.0.0.7/")
    for words in (("show",), ("ping",), ("resync",), ("replay", "--since", "0"), ("remove",)):
        assert house.invoke(listeners, *words, spelled).exit_code == 0, words
    assert listener.id not in [listener.id for listener, _ in house.gateway.registry.all()]


def test_a_long_url_is_shown_whole_where_one_listener_is_told_of(house: House) -> None:
    url = f"http://10.0.0.7/{'o' * 100}"
    registered(house, url)
    table = house.invoke(listeners).stdout
    assert f"{url[:57]}...\n" in table
    for words in (("show",), ("ping",), ("resync",), ("replay", "--since", "0"), ("remove",)):
        assert url in house.invoke(listeners, *words, url).stdout, words


def test_a_listener_that_was_removed_is_gone_and_no_other(house: House) -> None:
    gone, stays = registered(house), registered(house, "http://10.0.0.8/")
    result = house.invoke(listeners, "remove", gone.url)
    assert (result.exit_code, result.stdout) == (0, "Removed http://10.0.0.7/.\n")
    assert [listener.id for listener, _ in house.gateway.registry.all()] == [stays.id]


def test_a_listener_that_answers_a_ping_is_said_to(house: House) -> None:
    listener = registered(house)
    assert house.invoke(listeners, "ping", listener.id).stdout == "http://10.0.0.7/ answers.\n"


def test_one_that_does_not_answer_is_told_with_the_cause(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = registered(house)

    async def silent(listener_id: str, caller: str = "") -> None:
        raise ListenerSilent(listener.url, "timeout")

    monkeypatch.setattr(house.gateway.registry, "ping", silent)
    result = house.invoke(listeners, "ping", listener.id)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "ttgateway: Client not responding at http://10.0.0.7/ (timeout)\n"


def test_a_resync_is_due_once_it_was_asked_for(house: House) -> None:
    listener = registered(house)
    said = house.invoke(listeners, "resync", listener.id).stdout
    assert said == "http://10.0.0.7/ is told of every active order next.\n"
    _, progress = house.gateway.registry.listener(listener.id)
    assert progress.snapshot_due


def test_a_replay_is_due_once_it_was_asked_for(house: House) -> None:
    listener = registered(house)
    result_of(house.gateway.post("66", OrderType.ON_PREMISE, "22"))
    _, progress = house.gateway.registry.listener(listener.id)
    progress.cursor = 1
    said = house.invoke(listeners, "replay", listener.url, "--since", "0").stdout
    assert said == "http://10.0.0.7/ is told again of every change after 0.\n"
    assert (progress.replay_after, progress.replay_upto) == (0, 1)


@pytest.mark.parametrize("since", [1, 2, 999_999])
def test_a_replay_of_nothing_is_said_to_be_one(house: House, since: int) -> None:
    listener = registered(house)
    _, progress = house.gateway.registry.listener(listener.id)
    progress.cursor = 1
    result = house.invoke(listeners, "replay", listener.url, "--since", str(since))
    expected = f"There is nothing to tell http://10.0.0.7/ again after {since}: it stands at 1.\n"
    assert (result.exit_code, result.stdout) == (0, expected)
    assert not progress.replaying


@pytest.mark.parametrize("words", [(), ("--since", "-1"), ("--since", "x"), ("--since", str(1 << 70))])
def test_a_replay_after_no_seq_is_refused(house: House, words: tuple[str, ...]) -> None:
    result = house.invoke(listeners, "replay", registered(house).id, *words)
    assert result.exit_code == 2
    assert result.stderr


def test_all_that_is_known_of_a_listener_is_told_to_people() -> None:
    assert listener_text(DETAILED).splitlines() == [
        "listener      0123456789ab  http://10.0.1.18:8989/v1/notify",
        "state         healthy",
        "registered    2016-09-20 09:00:00, version 2",
        "wants         every change, catch up: latest, no snapshots, signed",
        "accounts      1234 delivered, 2 coalesced, 0 filtered, 0 parked, 0 pending",
        "last success  2016-09-22 19:08:40",
        "last failure  never",
        "",
        "AT                   SEQ  TRY  OUTCOME  CAUSE     TOOK  FLAGS",
        "2016-09-22 19:08:52   41    3  down     refused  12 ms",
    ]


def test_its_trouble_and_its_wishes_are_told_too() -> None:
    trouble: dict[str, Any] = {
        "state": "down",
        "events": ["ORDER_CREATED", "ORDER_CLEARED"],
        "snapshot": True,
        "signed": False,
        "lastFailure": "2016-09-22T19:08:52",
        "lastFailureCause": "refused",
        "oldestPendingSeconds": 300,
        "nextAttemptSeconds": 12.5,
    }
    lines = listener_text({**DETAILED, **trouble}).splitlines()
    assert lines[1] == "state         down, failed: refused, oldest waits 5:00, next try in 12 s"
    assert lines[3] == "wants         ORDER_CREATED ORDER_CLEARED, catch up: latest, snapshots, not signed"
    assert lines[6] == "last failure  2016-09-22 19:08:52 refused"


def test_no_attempt_is_said() -> None:
    assert attempts_table([]) == "No attempt was made since the gateway was started."
