"""The board: what a shift manager sees of the orders, and does with them."""

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import NAME, PHONE, Visit, fake_clock, fast_forward, stand_in
from tests.system.daemon import Client

APART = 0.7
"""Seconds after which a second press is one of its own."""
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def row(page: Page, number: str) -> Locator:
    """Return the row of an order."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=number, exact=True))


def pause(page: Page, seconds: float) -> None:
    """Stop the page's clock so much later."""
    page.clock.pause_at(page.evaluate("Date.now() / 1000") + seconds)


def feeding(items: list[dict[str, Any]]) -> Callable[[Page], None]:
    """Return what puts a WebSocket that lists ``items`` in the place of the gateway's."""

    def answer(socket: WebSocketRoute) -> None:
        listed = json.dumps({"type": "ACTIVE_ORDERS", "count": len(items), "items": items})
        socket.on_message(lambda _: socket.send(listed))

    return lambda page: page.route_web_socket("**/api/v2/websocket", answer)


def order(number: int, **fields: object) -> dict[str, Any]:
    """Return an order as the WebSocket lists it."""
    return {
        "name": str(number),
        "uuid": f"{number:08}-0000-4000-8000-000000000000",
        "orderType": "ON_PREMISE",
        "locationName": str(number % 90),
        "state": "located",
        "created": "2026-11-26T19:08:52",
        "stateChanged": "2026-11-26T19:08:52",
        "paged": False,
        "elapsedTime": number % 600,
        **fields,
    }


def test_each_change_shows_within_a_second(client: Client, visit: Visit) -> None:
    client.post_order(7)
    page = visit()
    expect(row(page, "7")).to_contain_text("Started")
    began = time.monotonic()
    client.post_order(102, kind="TO_GO")
    row(page, "102").wait_for()
    assert time.monotonic() - began < 1
    began = time.monotonic()
    client.post_order(7, location="22")
    expect(row(page, "7")).to_contain_text("Located")
    client.clear_order(102)
    row(page, "102").wait_for(state="detached")
    assert time.monotonic() - began < 1
    expect(row(page, "7")).to_contain_text("22")
    expect(page.locator("#sum-active dd")).to_have_text("1")


def test_the_age_ticks_and_passes_the_target_in_colour_and_in_words(client: Client, visit: Visit) -> None:
    client.call("POST", "/api/v2/gateway/settings", {"targetTimeDefault": 300})
    client.post_order(66, location="4")
    page = visit(prepare=fake_clock)
    late = row(page, "66")
    expect(late).to_contain_text("to target")
    expect(page.locator("#board-target")).to_have_text("Target 5:00")
    plain = late.evaluate("row => getComputedStyle(row).backgroundColor")
    fast_forward(page, 250)
    expect(late).to_have_class("near")
    fast_forward(page, 110)
    expect(late).to_have_class("over")
    assert late.locator(".clock").inner_text().startswith("6:0")
    assert late.locator(".verdict").inner_text().startswith("1:0")
    assert late.locator(".verdict").inner_text().endswith("over target")
    assert late.evaluate("row => getComputedStyle(row).backgroundColor") != plain
    expect(page.locator("#said")).to_have_text("Over target: order 66.")
    expect(page.locator("#sum-over dd")).to_have_text("1")
    expect(page).to_have_title(f"(1 over) {NAME}")


def test_another_target_is_seen_while_the_page_is_open(client: Client, visit: Visit) -> None:
    client.post_order(66)
    page = visit(prepare=fake_clock)
    expect(page.locator("#figures dd")).to_have_count(3)  # which is asked for last
    expect(page.locator("#board-target")).to_have_text("Target 5:00")
    client.call("POST", "/api/v2/gateway/settings", {"targetTimeDefault": 240})
    fast_forward(page, 61)
    expect(page.locator("#board-target")).to_have_text("Target 4:00")


def test_an_order_is_paged_and_its_paging_ended(client: Client, visit: Visit) -> None:
    client.post_order(66, location="4")
    page = visit()
    page.get_by_role("button", name="Page order 66").click()
    expect(row(page, "66").get_by_text("Paged", exact=True)).to_be_visible()
    expect(page.locator("#notes")).to_contain_text("Order 66 is being paged.")
    assert client.call("GET", "/api/v2/activeorders/66").fields["activeorder"]["paged"] is True
    page.get_by_role("button", name="Stop paging order 66").click()
    expect(row(page, "66").get_by_text("Paged", exact=True)).to_be_hidden()
    assert client.call("GET", "/api/v2/activeorders/66").fields["activeorder"]["paged"] is False


def test_clearing_takes_two_presses_and_a_while_forgets_the_first(client: Client, visit: Visit) -> None:
    client.post_order(66)
    page = visit(prepare=fake_clock)
    page.get_by_role("button", name="Clear order 66").click()
    expect(page.get_by_role("button", name="Sure? Clear order 66")).to_have_text("Sure?")
    fast_forward(page, 5.1)
    page.get_by_role("button", name="Clear order 66", exact=True).click()
    fast_forward(page, APART)
    page.get_by_role("button", name="Sure? Clear order 66").click()
    expect(page.get_by_text("No order is active.")).to_be_visible()
    assert client.call("GET", "/api/v2/activeorders").fields["count"] == 0


def test_what_the_gateway_refuses_is_told(client: Client, visit: Visit, refusals: Callable[[], None]) -> None:
    client.post_order(66)

    def refuse(page: Page) -> None:
        stand_in(page, "activeorders/*/page", 503, message="The radio bridge is not connected.")

    page = visit(prepare=refuse)
    refusals()
    with page.expect_response("**/page"):
        page.get_by_role("button", name="Page order 66").click()
    expect(page.locator("#troubles")).to_have_text("Page order 66: The radio bridge is not connected.")


def test_a_press_that_is_not_answered_may_have_been_done(
    client: Client, visit: Visit, refusals: Callable[[], None]
) -> None:
    client.post_order(66)
    page = visit(prepare=lambda page: page.route("**/page", lambda route: route.abort()))
    refusals()
    page.get_by_role("button", name="Page order 66").click()
    expect(page.locator("#troubles")).to_have_text("Page order 66: No answer; it may have been done.")


def test_a_late_order_is_no_news_when_the_page_opens(visit: Visit) -> None:
    page = visit(prepare=feeding([order(66, elapsedTime=1_000)]))
    expect(row(page, "66")).to_have_class("over")
    page.wait_for_timeout(200)
    expect(page.locator("#said")).to_be_empty()


def test_the_same_words_are_told_twice(client: Client, visit: Visit) -> None:
    client.post_order(66)
    page = visit(prepare=fake_clock)
    said = page.locator("#said")
    page.evaluate(
        "window.said = []; new MutationObserver(() => window.said.push(document.getElementById('said')"
        ".textContent)).observe(document.getElementById('said'), {childList: true})"
    )
    for _ in range(2):
        page.get_by_role("button", name="Clear order 66", exact=True).click()
        expect(said).to_have_text("Press again to clear order 66.")
        fast_forward(page, 6)
    assert page.evaluate("window.said") == ["Press again to clear order 66.", "", "Press again to clear order 66."]


def test_the_keyboard_does_all_and_keeps_its_place(client: Client, visit: Visit) -> None:
    for number in (1, 2, 3):
        client.post_order(number)
    page = visit(prepare=fake_clock)
    expect(page.locator("#orders tr")).to_have_count(3)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign out")).to_be_focused()
    page.keyboard.press("Tab")  # the sum of the listeners, which leads to them
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Page order 1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop paging order 1")).to_be_focused()
    client.post_order(2, location="5")  # a change elsewhere takes the focus from nobody
    expect(row(page, "2")).to_contain_text("Located")
    expect(page.get_by_role("button", name="Stop paging order 1")).to_be_focused()
    page.keyboard.press("Tab")
    for left, key in ((2, "Space"), (1, "Enter"), (0, "Enter")):
        page.keyboard.press(key)
        fast_forward(page, APART)
        page.keyboard.press(key)
        expect(page.locator("#orders tr")).to_have_count(left)
        if left:
            expect(page.get_by_role("rowheader").first).to_be_focused()  # no button, which would be another order's
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
    expect(page.get_by_text("No order is active.")).to_be_focused()


def test_a_key_that_is_held_presses_once(client: Client, visit: Visit) -> None:
    for number in (1, 2, 3):
        client.post_order(number)
    page = visit()
    page.get_by_role("button", name="Clear order 2").focus()
    for _ in range(40):
        page.keyboard.down("Enter")
        page.wait_for_timeout(30)
    page.keyboard.up("Enter")
    expect(page.locator("#orders tr")).to_have_count(3)
    expect(page.get_by_role("button", name="Sure? Clear order 2")).to_be_focused()


def test_clicks_in_quick_succession_clear_nothing(client: Client, visit: Visit) -> None:
    for number in (1, 2, 3):
        client.post_order(number)
    page = visit()
    page.get_by_role("button", name="Clear order 1").click(click_count=12, delay=20)
    page.wait_for_timeout(300)
    expect(page.locator("#orders th")).to_have_text(["1", "2", "3"])


def test_a_click_does_not_hit_an_order_that_has_just_moved_there(client: Client, visit: Visit) -> None:
    for number in (1, 2, 3):
        client.post_order(number)
    page = visit(prepare=fake_clock)
    below = page.get_by_role("button", name="Page order 2")
    expect(below).to_be_visible()
    pause(page, 1)
    client.clear_order(1)
    expect(page.locator("#orders th")).to_have_text(["2", "3"])
    below.click()
    page.wait_for_timeout(300)
    assert client.call("GET", "/api/v2/activeorders/2").fields["activeorder"]["paged"] is False
    fast_forward(page, APART)
    below.click()
    expect(row(page, "2").get_by_text("Paged", exact=True)).to_be_visible()


def test_a_click_does_not_hit_an_order_that_a_banner_has_just_moved(client: Client, visit: Visit) -> None:
    client.post_order(2)
    page = visit(prepare=fake_clock)
    expect(page.locator("#figures dd")).to_have_count(3)  # which is asked for last
    stand_in(page, "gateway/check", check={"store": "ok", "notifier": "ok", "disk": "low", "clock": "ok"})
    pause(page, 5)
    expect(page.locator("#unwell")).to_be_visible()
    page.get_by_role("button", name="Page order 2").click()
    page.wait_for_timeout(300)
    assert client.call("GET", "/api/v2/activeorders/2").fields["activeorder"]["paged"] is False


def test_a_double_click_pages_and_goes_on_paging(client: Client, visit: Visit) -> None:
    client.post_order(66)
    page = visit()
    page.get_by_role("button", name="Page order 66").click(click_count=2, delay=60)
    page.wait_for_timeout(300)
    expect(row(page, "66").get_by_text("Paged", exact=True)).to_be_visible()
    assert client.call("GET", "/api/v2/activeorders/66").fields["activeorder"]["paged"] is True


def test_hostile_names_stay_text(visit: Visit) -> None:
    hostile = order(1, name=HOSTILE, locationName=HOSTILE, orderType=HOSTILE, state=HOSTILE)
    page = visit(prepare=feeding([hostile]))
    expect(page.locator("#orders").get_by_role("rowheader")).to_have_text(HOSTILE)
    expect(page.locator("h1")).to_have_text(NAME)
    assert page.evaluate("document.querySelectorAll('img, script:not([src])').length") == 0


def test_two_hundred_orders_and_fifty_listeners_keep_the_page_quick(visit: Visit) -> None:
    listener = {
        "api": 2, "state": "healthy", "pending": 0, "oldestPendingSeconds": 0, "lastSuccess": "2026-11-26T19:08:52",
        "lastFailure": None, "lastFailureCause": None, "failingSince": None, "nextAttemptSeconds": None, "parked": 0,
    }  # fmt: skip
    many = [{**listener, "id": f"{n:012}", "url": f"http://10.0.0.{n}:8990/orders"} for n in range(50)]

    def prepare(page: Page) -> None:
        feeding([order(number) for number in range(200)])(page)
        stand_in(page, "listeners", count=50, items=many)

    page = visit(prepare=prepare, viewport=PHONE)
    expect(page.locator("#orders tr")).to_have_count(200)
    expect(page.locator("#listener-list li")).to_have_count(50)
    page.evaluate(
        "() => { window.long = []; new PerformanceObserver(seen => window.long.push(...seen.getEntries()"
        ".map(entry => entry.duration))).observe({type: 'longtask'}); }"
    )
    page.wait_for_timeout(1_500)
    assert max(page.evaluate("window.long"), default=0) < 250
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
