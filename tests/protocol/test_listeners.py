"""Section 9: the listeners, as an operator's program sees and mends them."""

import json
from typing import Any

import pytest

from tests.api.client import Answer
from tests.protocol.common import NOON, ORDERS, URL, V2, Shop, acknowledges, exactly, posted

LISTENERS = f"{V2}/listeners"
NOBODY = "0" * 12


def listener(known: str, **changed: Any) -> dict[str, Any]:
    """Return a listener that has just registered, with ``changed`` fields."""
    return {
        "id": known,
        "url": URL,
        "api": 2,
        "state": "healthy",
        "registered": NOON,
        "events": [],
        "snapshot": False,
        "catchUp": "every",
        "signed": False,
        "delivered": 0,
        "coalesced": 0,
        "filtered": 0,
        "parked": 0,
        "pending": 0,
        "oldestPendingSeconds": 0,
        "lastSuccess": None,
        "lastFailure": None,
        "lastFailureCause": None,
        "failingSince": None,
        "nextAttemptSeconds": None,
        **changed,
    }


def attempts(answer: Answer) -> list[dict[str, Any]]:
    """Return the attempts in a reply about one listener."""
    found: list[dict[str, Any]] = answer.json["listener"]["attempts"]
    return found


def test_the_list_shows_every_listener(shop: Shop) -> None:
    exactly(shop.get(LISTENERS), {"status": 200, "returnCode": 901, "count": 0, "items": []})
    known = shop.registers()
    exactly(shop.get(LISTENERS), {"status": 200, "returnCode": 901, "count": 1, "items": [listener(known)]})


def test_one_listener_is_shown_with_its_attempts_newest_first(shop: Shop) -> None:
    known = shop.registers()
    posted(shop)
    shop.dial.peer.answer(503)
    shop.timers.pump([0.1] * 5)
    shop.dial.peer.answer()
    answer = shop.get(f"{LISTENERS}/{known}")
    made = attempts(answer)
    shown = listener(
        known,
        delivered=1,
        lastSuccess=NOON,
        lastFailure=NOON,
        lastFailureCause=answer.json["listener"]["lastFailureCause"],
        attempts=made,
    )
    exactly(answer, {"status": 200, "returnCode": 901, "listener": shown})
    assert "503" in shown["lastFailureCause"]
    assert [(attempt["seq"], attempt["attempt"]) for attempt in made] == [(1, 2), (1, 1)]
    assert all(set(attempt) == {"at", "seq", "attempt", "outcome", "cause", "seconds", "flags"} for attempt in made)


def test_the_last_fifty_attempts_are_kept(shop: Shop) -> None:
    known = shop.registers()
    posted(shop)
    shop.dial.peer.answer()
    for _ in range(59):
        shop.post(f"{ORDERS}/102/page")
        shop.dial.peer.answer()
    assert [attempt["seq"] for attempt in attempts(shop.get(f"{LISTENERS}/{known}"))] == list(range(60, 10, -1))


def test_a_listener_that_fails_is_retrying_and_says_what_waits(shop: Shop) -> None:
    known = shop.registers()
    posted(shop)
    posted(shop, "7")
    shop.dial.peer.answer(503)
    shown = shop.get(LISTENERS).json["items"][0]
    assert (shown["id"], shown["state"], shown["pending"], shown["delivered"]) == (known, "retrying", 2, 0)
    assert shown["failingSince"] == NOON
    assert shown["nextAttemptSeconds"] == pytest.approx(0.2, abs=0.05)
    shop.timers.pump([1.0] * 9)
    assert shop.get(LISTENERS).json["items"][0]["oldestPendingSeconds"] == 9


def test_a_listener_is_removed(shop: Shop) -> None:
    known = shop.registers()
    answer = shop.delete(f"{LISTENERS}/{known}")
    acknowledges(answer, 1901, f"Removed client at: {URL}")
    shop.get(f"{LISTENERS}/{known}").refuses(404, -901)
    assert shop.get(LISTENERS).json["count"] == 0


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/resync", None),
        ("POST", "/replay", {"since": 0}),
        ("POST", "/ping", None),
    ],
)
@pytest.mark.parametrize("known", [NOBODY, "x", "%ff"])
def test_who_is_not_registered_is_404(shop: Shop, method: str, below: str, body: object, known: str) -> None:
    answer = shop.ask(method, f"{LISTENERS}/{known}{below}", body)
    answer.refuses(404, -5 if known == "%ff" else -901)


def flagged(shop: Shop, deliveries: int) -> list[tuple[str, str]]:
    """Answer so many deliveries; return the type of each, and its flags."""
    found = []
    for _ in range(deliveries):
        _, headers, body = shop.dial.peer.request()
        found.append((json.loads(body)["type"], headers["ttgateway-flags"]))
        shop.dial.peer.answer()
    assert shop.dial.peer.received() == b""
    return found


def test_a_resync_sends_every_active_order(shop: Shop) -> None:
    posted(shop)
    known = shop.registers()
    answer = shop.post(f"{LISTENERS}/{known}/resync")
    acknowledges(answer, 1902, answer.json["message"])
    assert flagged(shop, 1) == [("ORDER_CREATED", "snapshot")]


def test_a_resync_of_who_asked_for_snapshots_sends_them_between_their_marks(shop: Shop) -> None:
    posted(shop)
    known = shop.registers(snapshot=True)
    marked = [(kind, "snapshot") for kind in ("SNAPSHOT_BEGIN", "ORDER_CREATED", "SNAPSHOT_END")]
    assert flagged(shop, 3) == marked
    assert shop.post(f"{LISTENERS}/{known}/resync").json["returnCode"] == 1902
    assert flagged(shop, 3) == marked


def test_a_replay_sends_again_what_came_after_a_seq(shop: Shop) -> None:
    known = shop.registers()
    for name in ("1", "2", "3"):
        posted(shop, name)
        shop.dial.peer.answer()
    shop.dial.peer.received()
    answer = shop.post(f"{LISTENERS}/{known}/replay", {"since": 1})
    acknowledges(answer, 1903, answer.json["message"])
    again = []
    for _ in range(2):
        _, headers, body = shop.dial.peer.request()
        again.append((json.loads(body)["seq"], headers["ttgateway-flags"]))
        shop.dial.peer.answer()
    assert shop.dial.peer.received() == b""
    assert again == [(2, "replay"), (3, "replay")]


@pytest.mark.parametrize("body", [None, {}, {"since": -1}, {"since": "x"}, {"since": True}, {"since": 1.5}])
def test_a_replay_must_say_since_when(shop: Shop, body: object) -> None:
    known = shop.registers()
    shop.post(f"{LISTENERS}/{known}/replay", body).refuses(400, -31)


def test_a_replay_of_what_is_no_longer_kept_is_410(shop: Shop) -> None:
    known = shop.registers()
    for name in ("1", "2"):
        posted(shop, name)
        shop.dial.peer.answer()
    shop.store.journal.trimmed_to(1)
    shop.post(f"{LISTENERS}/{known}/replay", {"since": 0}).refuses(410, -902)


def test_a_ping_sends_a_head_and_shows_the_listener(shop: Shop) -> None:
    known = shop.registers()
    answer = shop.reached("POST", f"{LISTENERS}/{known}/ping")
    shown = listener(known, attempts=[])
    exactly(answer, {"status": 200, "returnCode": 901, "listener": shown})


def test_a_ping_that_nobody_answers_is_404(shop: Shop) -> None:
    known = shop.registers()
    shop.dial.down.add("10.0.1.18")
    answer = shop.post(f"{LISTENERS}/{known}/ping")
    message = f"Client not responding at {URL}"
    exactly(answer, {"status": 404, "returnCode": -30, "message": message, "cause": "refused"})
