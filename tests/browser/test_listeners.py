"""The listeners: what an installer sees at a glance, and does about it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit, fake_clock, fast_forward, stand_in
from tests.system.daemon import Client, Daemon, eventually
from tests.system.listeners import Listener

HOSTILE = "http://10.0.0.7/<img src=x onerror=alert(1)>?\"'><script>alert(2)</script>"


def card(page: Page, listener: Listener) -> Locator:
    """Return what the page shows of a listener."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=listener.url))


def listed(states: dict[str, str]) -> list[dict[str, Any]]:
    """Return listeners as the API lists them, by the last word of their URLs."""
    item = {
        "api": 2, "pending": 0, "oldestPendingSeconds": 0, "lastSuccess": None, "lastFailure": None, "parked": 0,
        "lastFailureCause": None, "failingSince": None, "nextAttemptSeconds": None,
    }  # fmt: skip
    return [{**item, "id": name, "url": f"http://10.0.0.7/{name}", "state": state} for name, state in states.items()]


def look(page: Page) -> None:
    """Have the page look at the listeners, as it does after each mend."""
    with page.expect_response("**/api/v2/listeners"):
        page.evaluate("document.dispatchEvent(new Event('mended'))")


def hurried(client: Client, listener: Listener) -> str:
    """Return the state of a listener; the request is a sign of life of this machine, so that it is tried at once."""
    items = client.call("GET", "/api/v2/listeners").fields["items"]
    return str(next(item["state"] for item in items if item["url"] == listener.url))


def mending(page: Page, listener: Listener) -> Locator:
    """Open what mends a listener, and return the card."""
    found = card(page, listener)
    found.locator("summary").click()
    return found


def test_a_listener_that_dies_is_down_with_its_cause_and_healthy_when_it_is_back(
    client: Client, visit: Visit, listen: Callable[..., Listener]
) -> None:
    kitchen, pager = listen("/kitchen"), listen("/pager")
    page = visit()
    expect(page.locator("#sum-listeners dd")).to_have_text("2 healthy")
    pager.close()
    client.post_order(66)
    shown = card(page, pager)
    eventually(lambda: hurried(client, pager) == "down", every=0.3)
    expect(shown.locator(".badge")).to_have_text("down", timeout=8_000)
    expect(shown).to_contain_text("It refuses connections. Start its program, or check the port in its address.")
    expect(shown.locator(".next")).to_contain_text("Down since ")
    expect(shown.locator(".next")).to_contain_text("Next try ")
    expect(shown.locator(".counts")).to_contain_text("1\u00a0change waiting")
    expect(shown.locator(".counts")).to_contain_text("no success yet")
    expect(page.locator("#sum-listeners dd")).to_have_text("1 of 2 down")
    expect(page.locator("#listener-list h3").first).to_have_text(pager.url)  # the worst comes first
    expect(card(page, kitchen).locator(".badge")).to_have_text("healthy")
    pager.open()
    mending(page, pager).get_by_role("button", name="Ping").click()
    expect(page.locator("#notes")).to_contain_text(f"It answers: {pager.url}")
    expect(shown.locator(".badge")).to_have_text("healthy")
    expect(shown.locator(".counts")).to_contain_text("Nothing waits")
    assert pager.seqs() == kitchen.seqs()


def test_a_ping_that_is_not_answered_says_so(
    client: Client, visit: Visit, listen: Callable[..., Listener], refusals: Callable[[], None]
) -> None:
    pager = listen()
    page = visit()
    refusals()
    pager.close()
    mending(page, pager).get_by_role("button", name="Ping").click()
    expect(page.locator("#troubles")).to_contain_text(f"It does not answer: {pager.url}")


def test_a_ping_of_a_listener_that_is_gone_says_so(
    client: Client, visit: Visit, listen: Callable[..., Listener], refusals: Callable[[], None]
) -> None:
    pager = listen()
    page = visit()
    refusals()
    shown = mending(page, pager)
    page.route("**/api/v2/listeners", lambda route: route.abort())  # so that it stays on the page
    (item,) = client.call("GET", "/api/v2/listeners").fields["items"]
    gone = client.call("DELETE", f"/api/v2/listeners/{item['id']}")
    assert gone.status == 200
    told = client.call("POST", f"/api/v2/listeners/{item['id']}/ping").fields["message"]
    shown.get_by_role("button", name="Ping").click()
    expect(page.locator("#troubles")).to_have_text(f"Ping {pager.url}: {told}")


def test_what_mends_a_listener_is_named_with_it(visit: Visit, listen: Callable[..., Listener]) -> None:
    kitchen, pager = listen("/kitchen"), listen("/pager")
    page = visit()
    for listener in (kitchen, pager):
        mending(page, listener)
        for name in ("Ping", "Resync", "Replay"):
            expect(page.get_by_role("button", name=f"{name} {listener.url}", exact=True)).to_be_visible()


def test_the_newest_seq_is_shown_where_one_is_asked_for(
    client: Client, visit: Visit, listen: Callable[..., Listener]
) -> None:
    pager = listen()
    client.post_order(1)
    newest = client.call("GET", "/api/v2/events?since=0&limit=1").fields["last"]
    shown = mending(visit(), pager)
    expect(shown.locator(".hint")).to_contain_text(f"The newest is {newest}.")


def test_a_listener_is_told_again_what_came_after_a_seq(
    daemon: Daemon, client: Client, visit: Visit, listen: Callable[..., Listener]
) -> None:
    pager = listen()
    for number in (1, 2, 3):
        client.post_order(number)
    eventually(lambda: len(pager.told) == 3)
    first, second, third = pager.seqs()
    page = visit()
    shown = mending(page, pager)
    field = shown.get_by_label("Replay since seq")
    for nothing in ("", "abc", "-1"):
        field.fill(nothing)
        shown.get_by_role("button", name="Replay").click()
        expect(field).to_be_focused()
    expect(page.locator("#troubles")).to_contain_text("Replay since which seq?")
    field.fill(str(first))
    field.press("Enter")
    expect(page.locator("#notes")).to_contain_text(f"Every change since {first} is told again to {pager.url}")
    eventually(lambda: pager.seqs() == [first, second, third, second, third])


def test_a_resync_tells_every_active_order(client: Client, visit: Visit, listen: Callable[..., Listener]) -> None:
    client.post_order(8)
    client.post_order(9)
    pager = listen()
    page = visit()
    mending(page, pager).get_by_role("button", name="Resync").click()
    expect(page.locator("#notes")).to_contain_text("Every active order is told to")
    eventually(lambda: [told.fields["name"] for told in list(pager.told)] == ["8", "9"])


def test_another_time_zone_is_seen_while_the_page_is_open(visit: Visit) -> None:
    now = datetime.now(UTC)
    zones = {"Asia/Tokyo": 9, "America/Lima": -5, "Mars/Olympus": 2}

    def live_in(page: Page, zone: str) -> None:
        success = (now + timedelta(hours=zones[zone])).strftime("%Y-%m-%dT%H:%M:%S")
        stand_in(page, "gateway/settings", settings={"timezone": zone, "targetTimeDefault": 300})
        stand_in(page, "listeners", count=1, items=[{**listed({"a": "healthy"})[0], "lastSuccess": success}])

    def prepare(page: Page) -> None:
        fake_clock(page)
        live_in(page, "Asia/Tokyo")

    page = visit(prepare=prepare)
    counts = page.locator("#listener-list .counts")
    expect(counts).to_contain_text(re.compile("last success (just now|[0-9]+.s ago)"))
    expect(page.locator("#figures dd")).to_have_count(3)  # which is asked for last
    live_in(page, "America/Lima")
    fast_forward(page, 61)
    expect(counts).to_contain_text(re.compile(r"last success (just now|[0-9]+.s ago|[12].min ago)"))
    live_in(page, "Mars/Olympus")
    page.reload()
    expect(counts).to_contain_text("last success at ")  # no zone of this browser


@pytest.mark.parametrize("at", ["pointer", "open details", "focus"])
def test_no_card_moves_while_somebody_is_at_the_list(visit: Visit, at: str) -> None:
    states = {"a": "down", "b": "down"}

    page = visit(prepare=lambda page: stand_in(page, "listeners", count=2, items=listed(states)))
    shown, summary = page.locator("#listener-list h3"), page.locator("#listener-list summary").first
    expect(page.locator("#figures dd")).to_have_count(3)  # which is asked for last
    if at == "pointer":
        page.locator("#listener-list h3").last.hover()
    elif at == "open details":
        summary.evaluate("summary => { summary.parentElement.open = true; }")
    else:
        summary.focus()
    for later in ({"a": "healthy", "b": "down"}, {"a": "healthy", "b": "down", "aa": "down"}):
        stand_in(page, "listeners", count=2, items=listed(later))
        look(page)
        expect(page.locator("#listener-list .badge")).to_have_text(list(later.values()))
        expect(shown).to_have_text([f"http://10.0.0.7/{name}" for name in later])
    page.mouse.move(1, 1)
    summary.evaluate("summary => { summary.parentElement.open = false; summary.blur(); }")
    look(page)
    expect(shown).to_have_text([f"http://10.0.0.7/{name}" for name in ("aa", "b", "a")])


def test_hostile_addresses_stay_text(client: Client, visit: Visit, listen: Callable[..., Listener]) -> None:
    real = listen("/?&lt;b&gt;%3Cimg%20src=x%20onerror=alert(1)%3E")
    listed = client.call("GET", "/api/v2/listeners").fields
    item = listed["items"][0]
    hostile = {**item, "id": "x", "url": HOSTILE, "state": "down", "lastFailureCause": HOSTILE}
    page = visit(prepare=lambda page: stand_in(page, "listeners", count=2, items=[item, hostile]))
    expect(page.locator("#listener-list h3")).to_have_text([HOSTILE, item["url"]])
    expect(page.locator(".cause").first).to_have_text(f"It cannot be told: {HOSTILE}.")
    assert page.evaluate("document.querySelectorAll('img, script:not([src])').length") == 0
    assert real.heads


def test_nobody_asks_while_nobody_looks_and_then_all_is_fetched_anew(client: Client, visit: Visit) -> None:
    client.post_order(5)
    page = visit(prepare=fake_clock)
    expect(page.locator("#figures dd")).to_have_count(3)  # which is asked for last
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.clock.run_for(60_000)
    assert not asked
    with page.expect_response("**/api/v2/listeners"), page.expect_websocket() as again:
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    assert again.value.url.endswith("/api/v2/websocket")
    expect(page.locator("#orders .clock")).to_have_text(re.compile("^0:0"))  # the gateway's word, not this clock's
    expect(page.locator("#connection")).to_have_text("Live")
