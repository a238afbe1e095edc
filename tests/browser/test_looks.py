"""How the page looks, to whoever looks: axe finds nothing, on a phone and on a wall, in light and in dark."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import LAPTOP, PHONE, WALL, Visit, fake_clock, fast_forward, stand_in
from tests.browser.test_board import feeding, order
from tests.system.daemon import Client, Daemon
from tests.system.listeners import Listener

SIZES = {"phone": PHONE, "wall": WALL}
STATES = ("healthy", "retrying", "down")
SERVED = {"averageSeconds": 310.0, "ordersToday": 20.0, "targetTime": 300.0}

WIDTHS = (
    320, 360, 384, 390, 500, 640, 704, 705, 768, 784, 785, 800, 801, 820, 1024,
    1088, 1231, 1232, 1263, 1264, 1280, 1366, 1440, 1600, 1699, 1700, 1920, 2560, 3840,
)  # fmt: skip

FLAWS = """() => {
  const found = new Set();
  const text = document.createRange();
  const box = (part) => {
    text.selectNodeContents(part);
    return (part.matches("button, .chip") ? part : text).getBoundingClientRect();
  };
  const name = (part) => part.className || part.textContent;
  if (document.documentElement.scrollWidth > innerWidth) found.add("the page scrolls sideways");
  const board = document.querySelector(".board");
  if (board.scrollWidth > board.clientWidth) found.add("the board scrolls sideways");
  for (const holder of document.querySelectorAll("#orders tr, .sums > div, .top")) {
    const bounds = [holder, holder.closest(".card, body")].map((one) => one.getBoundingClientRect());
    const parts = holder.querySelectorAll(
      "button, .chip, .number, .where, .kind, .clock, .verdict, dt, dd, .connection");
    const boxes = [...parts].filter((part) => part.getClientRects().length).map((part) => [part, box(part)]);
    boxes.forEach(([part, its], place) => {
      for (const bound of bounds) {
        const across = Math.max(bound.left - its.left, its.right - bound.right);
        const along = Math.max(bound.top - its.top, its.bottom - bound.bottom);
        if (across > 1 || along > 1) found.add(`${name(part)} is cut`);
      }
      for (const [other, theirs] of boxes.slice(place + 1)) {
        const across = Math.min(its.right, theirs.right) - Math.max(its.left, theirs.left);
        const along = Math.min(its.bottom, theirs.bottom) - Math.max(its.top, theirs.top);
        if (across > 1 && along > 2) found.add(`${name(part)} lies on ${name(other)}`);
      }
    });
  }
  return [...found];
}"""
"""What of a row, a sum or the head of the page is outside it, or on another part of it."""

SHOWN = """
  [...document.querySelectorAll("#orders tr")].filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length
"""
"""How many orders are seen whole, without scrolling."""


def flaws(page: Page) -> list[str]:
    """Return what is cut, what overlaps, and whether the page scrolls sideways."""
    found: list[str] = page.evaluate(FLAWS)
    return found


def box(part: Locator) -> dict[str, float]:
    """Return where it is."""
    found: dict[str, float] = part.evaluate("part => part.getBoundingClientRect().toJSON()")
    return found


def resize(page: Page, width: int, height: int = 900) -> None:
    """Make the window so wide, and wait until the page knows."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("width => innerWidth === width", arg=width)


def orders(numbers: str) -> list[dict[str, Any]]:
    """Return 24 orders, some late, the first paged and for hours; none, one or all of their numbers are long."""
    items = [
        order(
            number,
            locationName=str(number % 60) if number % 4 else "",
            orderType="ON_PREMISE" if number % 3 else "TO_GO",
            state="located" if number % 4 else "started",
            elapsedTime=420 - 14 * (number - 100),
            paged=number % 5 == 0,
        )
        for number in range(100, 124)
    ]
    items[0].update(elapsedTime=7954)
    long = {"usual": 0, "one": 1, "all": 24}[numbers]
    for place, item in enumerate(items[:long]):
        item.update(name=str(9876543210 - place), locationName=str(1234567890 + place), paged=True, elapsedTime=39_600)
    return items


def listener(place: int) -> dict[str, Any]:
    """Return a listener as the gateway lists it; it is well."""
    return {
        "id": str(place), "url": f"http://10.0.0.{place}:8990/", "api": 2, "state": "healthy", "pending": 0,
        "parked": 0, "oldestPendingSeconds": None, "lastSuccess": "2026-11-26T19:08:52", "lastFailure": None,
        "lastFailureCause": None, "failingSince": None, "nextAttemptSeconds": None,
    }  # fmt: skip


def busy_house(page: Page, numbers: str) -> None:
    """Let there be these orders, and many listeners, of which some are being retried."""
    feeding(orders(numbers))(page)
    items = [{**listener(place), "state": "healthy" if place > 24 else "retrying"} for place in range(198)]
    stand_in(page, "listeners", count=len(items), items=items)


def faults(page: Page) -> list[tuple[str, str]]:
    """Return what axe finds: which rule, and where."""
    found = Axe().run(page).response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


def served(page: Page) -> None:
    """Let the gateway have served twenty orders today, of which one each took a further minute."""

    def answer(route: Route) -> None:
        target = float(route.request.url.partition("target_time=")[2] or 300)
        statistics = {**SERVED, "percentGoal": min(20, target // 60) * 5.0, "targetTime": target}
        route.fulfill(body=json.dumps({"status": 200, "statistics": statistics}), content_type="application/json")

    page.route("**/api/v2/statistics*", answer)


def in_trouble(page: Page) -> None:
    """Let there be a listener in each state, and a disk that is nearly full."""
    listener = {
        "api": 2, "pending": 3, "oldestPendingSeconds": 80, "lastSuccess": "2026-11-26T19:08:52", "parked": 2,
        "lastFailure": "2026-11-26T19:08:52", "lastFailureCause": "503", "failingSince": "2026-11-26T19:07:52",
        "nextAttemptSeconds": 12.5,
    }  # fmt: skip
    items = [{**listener, "id": state, "url": f"http://10.0.0.7:8990/{state}", "state": state} for state in STATES]
    check = {"store": "ok", "notifier": "ok", "disk": "low", "clock": "ok"}
    stand_in(page, "listeners", count=3, items=items)
    stand_in(page, "gateway/check", check=check)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(client: Client, visit: Visit, size: str, scheme: str) -> None:
    """Signed out; then signed in, with orders of every kind, listeners in every state, and something open."""
    looks: dict[str, Any] = {"viewport": SIZES[size], "color_scheme": scheme}
    assert not faults(visit(signed_in=False, **looks))
    client.call("POST", "/api/v2/gateway/settings", {"targetTimeDefault": 300})

    def prepare(page: Page) -> None:
        fake_clock(page)
        in_trouble(page)
        served(page)

    client.post_order(1, location="4")
    client.call("POST", "/api/v2/activeorders/1/page")
    page = visit(prepare=prepare, **looks)
    expect(page.locator("#board-target")).to_have_text("Target 5:00")
    fast_forward(page, 60)
    client.post_order(2)
    expect(page.locator("#orders tr")).to_have_count(2)
    fast_forward(page, 250)
    client.post_order(3, kind="TO_GO")
    expect(page.locator("#orders tr")).to_have_count(3)
    page.locator("summary").first.click()
    expect(page.locator("#unwell")).to_contain_text("The disk is nearly full")
    page.get_by_role("button", name="Clear order 3").click()
    expect(page.locator("#orders tr.over")).to_have_count(1)
    expect(page.locator("#orders tr.near")).to_have_count(1)
    page.clock.run_for(2_000)
    assert not faults(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("numbers", ["usual", "one", "all"])
def test_at_no_width_is_anything_cut_or_overlapping(visit: Visit, numbers: str) -> None:
    page = visit(prepare=lambda page: busy_house(page, numbers))
    expect(page.locator("#sum-listeners")).to_contain_text("25 of 198 retrying")
    expect(page.locator("#orders .over .verdict").first).to_contain_text("over target")
    found = {}
    for width in WIDTHS:
        resize(page, width)
        found[width] = flaws(page)
    assert not {width: there for width, there in found.items() if there}


@pytest.mark.parametrize("width", [320, 390, 1280, 1920])
def test_nothing_moves_under_the_finger_that_presses_clear(visit: Visit, width: int) -> None:
    page = visit(prepare=lambda page: busy_house(page, "usual"), viewport={"width": width, "height": 900})
    expect(page.locator("#sum-listeners")).to_contain_text("25 of 198 retrying")
    clear, beside = (page.locator(f"#orders tr:nth-child(2) {one}") for one in (".clear", ".page"))
    before = [box(clear), box(beside)]
    clear.click()
    expect(clear).to_have_text("Sure?")
    assert [box(clear), box(beside)] == before


def test_a_wall_shows_eighteen_orders_at_once(visit: Visit) -> None:
    page = visit(prepare=lambda page: busy_house(page, "usual"), viewport=WALL)
    expect(page.locator("#sum-listeners")).to_contain_text("25 of 198 retrying")
    expect(page.locator("#orders .over .verdict").first).to_contain_text("over target")
    assert page.evaluate(SHOWN) >= 18


@pytest.mark.parametrize("size", [LAPTOP, WALL])
def test_no_blank_page_lies_below_many_listeners(visit: Visit, size: dict[str, int]) -> None:
    page = visit(prepare=lambda page: busy_house(page, "usual"), viewport=size)
    expect(page.locator("#listener-list li")).to_have_count(198)
    footer = box(page.locator("footer"))
    assert page.evaluate("document.documentElement.scrollHeight") <= footer["y"] + footer["height"] + 1


def test_a_listener_with_a_long_url_takes_little_room_until_it_is_opened(visit: Visit) -> None:
    url = "http://10.0.0.7:8990/" + "a" * 1_979

    def prepare(page: Page) -> None:
        stand_in(page, "listeners", count=1, items=[{**listener(0), "url": url}])

    page = visit(prepare=prepare)
    card = page.locator("#listener-list li")
    expect(card).to_contain_text(url)
    assert box(card)["height"] < 250
    card.locator("summary").click()
    assert box(card)["height"] > 1_000


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_lost_connection_is_seen_wherever_the_page_is_scrolled_and_leaves_the_name_its_room(
    visit: Visit, width: int
) -> None:
    sockets: list[WebSocketRoute] = []

    def answer(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            items = orders("usual")
            listed = json.dumps({"type": "ACTIVE_ORDERS", "count": len(items), "items": items})
            socket.on_message(lambda _: socket.send(listed))

    page = visit(
        prepare=lambda page: page.route_web_socket("**/api/v2/websocket", answer),
        viewport={"width": width, "height": 800},
    )
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#orders tr")).to_have_count(24)
    name = box(page.locator("h1"))
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    sockets[0].close()
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    seen = box(page.locator("#lost"))
    assert 0 <= seen["y"] < 800 - seen["height"]
    on_top = "([x, y]) => document.elementFromPoint(x, y).closest('#lost') !== null"
    assert page.evaluate(on_top, [seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2])
    page.evaluate("scrollTo(0, 0)")
    assert box(page.locator("h1"))["width"] >= min(name["width"], 300)
    assert not flaws(page)


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_what_was_done_does_not_lie_on_what_could_not_be(
    client: Client, visit: Visit, refusals: Callable[[], None], width: int
) -> None:
    client.post_order(1)
    client.post_order(2)
    page = visit(viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Page order 1").click()
    expect(page.locator("#notes p")).to_be_visible()
    refusals()
    stand_in(page, "activeorders/*/page", 503, message="The radio bridge is not connected, and nobody knows why. " * 4)
    page.get_by_role("button", name="Page order 2").click()
    expect(page.locator("#troubles p")).to_be_visible()
    done, trouble = box(page.locator("#notes p")), box(page.locator("#troubles p"))
    assert (
        done["x"] + done["width"] <= trouble["x"]
        or trouble["x"] + trouble["width"] <= done["x"]
        or done["y"] + done["height"] <= trouble["y"]
        or trouble["y"] + trouble["height"] <= done["y"]
    )
    for one in (done, trouble):
        assert one["x"] >= 0
        assert one["x"] + one["width"] <= width
        assert one["y"] + one["height"] <= 800


def test_in_forced_colours_a_note_has_an_edge_and_a_live_connection_a_full_dot(client: Client, visit: Visit) -> None:
    client.post_order(1)
    page = visit(forced_colors="active")
    connection = page.locator("#connection")
    expect(connection).to_have_text("Live")
    dot = "one => getComputedStyle(one, '::before').backgroundColor"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert connection.evaluate(dot) not in (ground, "rgba(0, 0, 0, 0)")
    connection.evaluate("one => { one.className = 'connection gone'; }")
    assert connection.evaluate(dot).endswith(", 0)")
    page.get_by_role("button", name="Page order 1").click()
    note = page.locator("#notes p")
    expect(note).to_be_visible()
    assert (
        note.evaluate("one => getComputedStyle(one).borderTopWidth + getComputedStyle(one).borderTopStyle")
        == "2pxsolid"
    )


def test_a_chip_that_wraps_begins_where_the_one_above_does(visit: Visit) -> None:
    page = visit(prepare=lambda page: busy_house(page, "all"))
    expect(page.locator("#sum-listeners")).to_contain_text("25 of 198 retrying")
    state, paged = (box(chip) for chip in page.locator("#orders tr").first.locator(".chip").all())
    assert paged["y"] > state["y"]
    assert paged["x"] == state["x"]


def test_the_chart_counts_each_order_before_or_after_the_target(visit: Visit) -> None:
    page = visit(prepare=served)
    chart = page.get_by_role("img")
    expect(chart).to_have_accessible_name("20 orders served today, 15 of them later than the target of 5:00")
    rows = page.locator("#chart tbody tr").all_inner_texts()
    counts = [int(row.split("\t")[1]) for row in rows]
    assert sum(counts) == 20
    assert sum(counts[:4]) == 5
    expect(chart.locator(".late")).to_have_count(5)
    expect(page.locator("#figures")).to_contain_text("25 %")


def test_what_was_served_today_is_counted(daemon: Daemon, client: Client, visit: Visit) -> None:
    client.post_order(50)
    client.clear_order(50)
    statistics = client.call("GET", "/api/v2/statistics").fields["statistics"]
    page = visit()
    expect(page.locator("#figures dd").first).to_have_text(str(int(statistics["ordersToday"])))
    expect(page.locator("#figures")).to_contain_text("100 %")


def test_who_wants_less_motion_gets_none(client: Client, visit: Visit, listen: Callable[..., Listener]) -> None:
    for motion, name in (("reduce", "none"), ("no-preference", "fresh")):
        page = visit(reduced_motion=motion)
        expect(page.locator("#connection")).to_have_text("Live")
        client.post_order(7, location="1")
        client.post_order(7, location="2")
        changed = page.locator("#orders tr.fresh")
        expect(changed).to_have_count(1)
        assert changed.evaluate("row => getComputedStyle(row).animationName") == name


def test_the_page_says_what_it_may_do_and_is_kept_by_its_content(visit: Visit) -> None:
    page = visit(signed_in=False)
    response = page.request.get(page.url, headers={"Accept": "text/html"})
    assert "default-src 'none'; script-src 'self'" in response.headers["content-security-policy"]
    style = page.locator("link[rel=stylesheet]").get_attribute("href")
    assert "immutable" in page.request.get(page.url.rstrip("/") + str(style)).headers["cache-control"]
