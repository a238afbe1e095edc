"""What browser tests share: one daemon, one browser, and pages that must neither complain nor call anybody else."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.system.daemon import Client, Daemon
from tests.system.listeners import Listener

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 800}
WALL = {"width": 1920, "height": 1080}
NAME = "Bistro <img src=x onerror=alert(1)> & Co"

EXPECTED = re.compile(r"WebSocket connection to .* failed|net::ERR_|status of (401|403|404|503)")
"""What Chromium itself writes to the console where a gateway is gone, or refuses something."""


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The one daemon, whose name is a hostile one; it ends well, and logs no traceback."""
    daemon = Daemon(tmp_path_factory.mktemp("daemon"), f"name = '{NAME}'\n")
    try:
        daemon.start()
        yield daemon
        daemon.stop()
        assert not daemon.complaints(), daemon.log()
    finally:
        daemon.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    assert Path(CHROMIUM).exists(), "the Debian package chromium is missing: .ci/tools installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    """A client of the daemon; in the end no order is active, no listener registered, and the target is as it was."""
    client = daemon.client()
    yield client
    client.call("DELETE", "/api/v2/activeorders")
    for listener in client.call("GET", "/api/v2/listeners").fields["items"]:
        client.call("DELETE", f"/api/v2/listeners/{listener['id']}")
    client.call("POST", "/api/v2/gateway/settings", {"targetTimeDefault": 300})
    client.close()


@pytest.fixture
def listen(client: Client) -> Iterator[Callable[..., Listener]]:
    """Make listeners that are registered, at the path that is asked for."""
    made: list[Listener] = []

    def make(path: str = "/notify") -> Listener:
        listener = Listener()
        listener.url = f"http://127.0.0.1:{listener.port}{path}"
        made.append(listener.open())
        assert client.register(listener.url).status == 200
        return listener

    yield make
    for listener in made:
        listener.close()


_SIGNED_IN = "if (!sessionStorage.opened) sessionStorage['ttgateway-secret'] = '%s'; sessionStorage.opened = true"
"""What lets a new tab begin signed in, and no more."""


class Visitor:
    """A page in a browser context of its own, and what came of it: complaints on the console, calls of others.

    ``excused`` are complaints that the test itself brings about.
    """

    def __init__(self, browser: Browser, host: str, options: dict[str, Any]) -> None:
        context = browser.new_context(**{"viewport": LAPTOP, **options})
        context.set_default_timeout(8_000)
        self.base = f"http://{host}"
        self.page = context.new_page()
        self.excused: list[re.Pattern[str]] = []
        self.strangers: list[str] = []
        self._host = host
        self._complaints: list[str] = []
        self.page.on("request", lambda request: self._called(request.url))
        self.page.on("websocket", lambda socket: self._called(socket.url))
        self.page.on("console", lambda message: self._complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self._complaints.append(str(error)))

    @property
    def complaints(self) -> list[str]:
        """What was written to the console and is not excused."""
        return [text for text in self._complaints if not any(pattern.search(text) for pattern in self.excused)]

    def _called(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "data" and parts.netloc != self._host:
            self.strangers.append(url)


Visit = Callable[..., Page]


def fake_clock(page: Page) -> None:
    """Let the test move the page's clock; requests that are under way meanwhile do not run out of time."""
    page.clock.install()
    page.add_init_script("AbortSignal.timeout = () => new AbortController().signal")


def fast_forward(page: Page, seconds: float) -> None:
    """Let time pass on the page's clock; what was due meanwhile happens once."""
    page.clock.fast_forward(int(seconds * 1000))


def stand_in(page: Page, path: str, status: int = 200, **fields: object) -> None:
    """Answer requests for ``path`` below /api/v2/ in the gateway's place."""
    body = json.dumps({"status": status, **fields})

    def answer(route: Route) -> None:
        route.fulfill(status=status, body=body, content_type="application/json")

    page.route(f"**/api/v2/{path}", answer)


@pytest.fixture
def visitors() -> list[Visitor]:
    """All visitors of a test."""
    return []


@pytest.fixture
def visit(daemon: Daemon, browser: Browser, visitors: list[Visitor]) -> Iterator[Visit]:
    """Open pages; options are Playwright's. In the end none has complained, nor called anybody but the gateway.

    ``prepare`` is called with the page before it goes anywhere.
    """

    def open_page(
        path: str = "/",
        *,
        signed_in: bool = True,
        prepare: Callable[[Page], None] = lambda page: None,
        **options: Any,
    ) -> Page:
        visitor = Visitor(browser, f"127.0.0.1:{daemon.port}", options)
        visitors.append(visitor)
        prepare(visitor.page)
        if signed_in:
            visitor.page.add_init_script(_SIGNED_IN % daemon.secret)
        visitor.page.goto(visitor.base + path)
        return visitor.page

    yield open_page
    for visitor in visitors:
        visitor.page.context.close()
    assert not [text for visitor in visitors for text in visitor.complaints]
    assert not [url for visitor in visitors for url in visitor.strangers]


@pytest.fixture
def refusals(visitors: list[Visitor]) -> Callable[[], None]:
    """Excuse what Chromium itself writes to the console of the pages so far where the gateway refuses or is gone."""

    def excuse() -> None:
        for visitor in visitors:
            visitor.excused.append(EXPECTED)

    return excuse
