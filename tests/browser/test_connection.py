"""The connection to the gateway: lost, found again, and told of."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, fake_clock
from tests.system.daemon import Client, Daemon
from tests.system.listeners import Listener

DEAF = """
window.tries = [];
window.WebSocket = class {
  constructor() {
    tries.push(performance.now());
    setTimeout(() => this.onclose({code: 1006}), 10);
  }
  close() {}
};
"""
"""A WebSocket that never opens, and when it was tried."""


def test_after_a_restart_the_page_shows_how_things_stand(
    daemon: Daemon, client: Client, visit: Visit, refusals: Callable[[], None]
) -> None:
    client.post_order(1)
    client.post_order(2)
    page = visit()
    expect(page.locator("#orders tr")).to_have_count(2)
    refusals()
    daemon.kill()
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible(timeout=2_000)
    expect(page.locator("#connection")).to_have_text("Connection lost. Trying again.")
    expect(page.locator("#lost")).to_contain_text("What you see may be out of date.")
    daemon.start()
    client.close()
    client.clear_order(1)
    client.post_order(3)
    expect(page.locator("#connection")).to_have_text("Live", timeout=15_000)
    expect(page.locator("#orders th")).to_have_text(["2", "3"])
    expect(page.locator("#lost")).to_be_hidden()
    client.post_order(4)
    expect(page.locator("#orders th")).to_have_text(["2", "3", "4"], timeout=1_000)


REFUSING = """
window.WebSocket = class {
  constructor() {
    setTimeout(() => this.onopen(), 10);
  }
  send() {
    this.onmessage({data: JSON.stringify({status: 429, returnCode: -5, message: "Too many readers."})});
    this.onclose({code: 4429});
  }
  close() {}
};
"""
"""A WebSocket that lets nobody in."""


@pytest.mark.parametrize("socket", [DEAF, REFUSING])
def test_nothing_is_said_of_the_orders_before_the_gateway_has_told(visit: Visit, socket: str) -> None:
    page = visit(prepare=lambda page: page.add_init_script(socket))
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible()
    expect(page.locator("#lost-why")).to_have_text("Too many readers." if socket == REFUSING else "")
    expect(page.locator("#connection")).to_have_text("No connection yet. Trying again.")
    expect(page.get_by_text("What you see may be out of date.")).to_be_hidden()
    expect(page.get_by_text("No order is active.")).to_be_hidden()
    expect(page.locator("#sums dd")).to_have_text(["\u2013"] * 4)


def test_nothing_is_said_of_the_listeners_either_when_somebody_signs_in_again(
    daemon: Daemon, visit: Visit, listen: Callable[..., Listener]
) -> None:
    listen()
    page = visit()
    expect(page.locator("#sum-listeners dd")).to_have_text("1 healthy")
    page.get_by_role("button", name="Sign out").click()
    page.evaluate(DEAF + "null")
    page.get_by_label("Token", exact=True).fill(daemon.secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible()
    expect(page.locator("#sum-listeners dd")).to_have_text("\u2013")
    expect(page.locator("#listeners-sum")).to_be_empty()


def deaf(page: Page) -> None:
    """Let no WebSocket of the page open, on a clock that the test moves."""
    fake_clock(page)
    page.add_init_script(DEAF)


def test_the_waits_between_two_tries_double_up_to_half_a_minute(visit: Visit) -> None:
    page = visit(prepare=deaf)
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible()
    page.clock.run_for(140_000)
    tries = page.evaluate("tries")
    waits = [(later - earlier) / 1000 for earlier, later in pairwise(tries)]
    for wait, shortest in zip(waits, (0.5, 1, 2, 4, 8, 16, 30, 30), strict=False):
        assert 0.8 * shortest <= wait <= 1.2 * shortest + 0.1, waits
    assert len(waits) >= 7


def test_who_does_not_want_to_wait_tries_now(visit: Visit) -> None:
    page = visit(prepare=deaf)
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible()
    page.clock.run_for(40_000)
    before = page.evaluate("tries.length")
    page.get_by_role("button", name="Try now").click()
    assert page.evaluate("tries.length") == before + 1


def test_the_focus_stays_on_the_page_when_the_connection_returns(visit: Visit) -> None:
    def prepare(page: Page) -> None:
        fake_clock(page)
        page.add_init_script("window.Real = WebSocket;" + DEAF)

    page = visit(prepare=prepare)
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible()
    page.clock.run_for(40_000)
    page.evaluate("void (window.WebSocket = Real)")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_silence_of_the_network_is_noticed_though_the_socket_stays_open(
    visit: Visit, refusals: Callable[[], None]
) -> None:
    page = visit()
    expect(page.locator("#connection")).to_have_text("Live")
    refusals()
    page.route("**/api/v2/**", lambda route: route.abort())
    expect(page.get_by_role("heading", name="No connection to the gateway")).to_be_visible(timeout=8_000)


def test_what_a_sleep_made_wrong_is_fetched_anew(client: Client, visit: Visit) -> None:
    page = visit(prepare=fake_clock)
    expect(page.locator("#connection")).to_have_text("Live")
    with page.expect_websocket() as again:
        page.clock.set_system_time(
            page.evaluate("Date.now() / 1000") + 60
        )  # only Date: what ages are told by stood still
        page.clock.run_for(1_000)
    assert again.value.url.endswith("/api/v2/websocket")
    expect(page.locator("#connection")).to_have_text("Live")
