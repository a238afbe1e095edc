"""Who is let in, how, and for how long."""

import re
import shlex
import subprocess
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.system.daemon import Client, Daemon, eventually


def sessions(daemon: Daemon) -> list[str]:
    """Return the ids of the sessions that are open."""
    return [token["id"] for token in daemon.control("GET", "/tokens") if token["ends"]]


def link(daemon: Daemon, page: Page) -> str:
    """Return a one-time link, by the command that the page itself shows."""
    command = shlex.split(page.locator(".command code").inner_text())
    ran = subprocess.run(  # noqa: S603
        [*command, "--print"], cwd=daemon.folder, capture_output=True, text=True, check=True, timeout=20
    )
    assert re.fullmatch(rf"http://127\.0\.0\.1:{daemon.port}/#open=[0-9a-f]{{48}}\n", ran.stdout)
    return ran.stdout.strip()


def quick_link(daemon: Daemon) -> str:
    """Return a one-time link, as the command gets it."""
    return f"http://127.0.0.1:{daemon.port}/#open={daemon.control('POST', '/links')['code']}"


def test_the_command_that_the_page_shows_makes_a_link_that_signs_in_once(
    daemon: Daemon, visit: Visit, refusals: Callable[[], None]
) -> None:
    page = visit(signed_in=False)
    made = link(daemon, page)
    page.goto(made)  # which changes the fragment alone
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#session")).to_have_text(re.compile(r"^Signed in until \d\d:\d\d$"))
    assert page.url == f"http://127.0.0.1:{daemon.port}/"
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live")
    second = visit(signed_in=False)
    refusals()
    with second.expect_response("**/accesstoken/session") as refused:
        second.goto(made)
    assert refused.value.status == 403
    expect(second.get_by_role("alert").first).to_contain_text("This link was used, or is too old.")
    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()
    assert made.partition("=")[2] not in daemon.log()


def test_signing_out_ends_the_session_at_the_gateway(daemon: Daemon, visit: Visit) -> None:
    page = visit(signed_in=False)
    before = sessions(daemon)
    page.goto(quick_link(daemon))
    expect(page.locator("#connection")).to_have_text("Live")
    assert len(sessions(daemon)) == len(before) + 1
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("#orders tr, #listener-list li, #figures div")).to_have_count(0)
    eventually(lambda: sessions(daemon) == before)
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_nothing_is_asked_once_somebody_has_signed_out(visit: Visit) -> None:
    def hold(route: Route) -> None:
        held.append(route)

    held: list[Route] = []
    page = visit(prepare=lambda page: page.route("**/api/v2/gateway/check", hold))
    expect(page.locator("#connection")).to_have_text("Live")
    with page.expect_request("**/api/v2/gateway/check"):
        page.evaluate("document.dispatchEvent(new Event('mended'))")
    page.get_by_role("button", name="Sign out").click()
    for route in held:
        route.fulfill(json={"status": 200, "check": {}})
    page.wait_for_timeout(300)  # a question without a secret would be refused, and the browser complain
    expect(page.locator("#door-trouble")).to_be_empty()


def test_a_session_that_is_revoked_ends_on_the_page_at_once(
    daemon: Daemon, visit: Visit, refusals: Callable[[], None]
) -> None:
    page = visit(signed_in=False)
    before = sessions(daemon)
    page.goto(quick_link(daemon))
    expect(page.locator("#connection")).to_have_text("Live")
    refusals()
    (mine,) = set(sessions(daemon)) - set(before)
    daemon.control("DELETE", f"/tokens/{mine}")
    expect(page.locator("#door-trouble")).to_have_text("The session has ended. Sign in again.", timeout=2_000)
    expect(page.get_by_label("Token", exact=True)).to_be_focused()


def test_the_page_says_that_it_signs_in_while_it_does(visit: Visit, refusals: Callable[[], None]) -> None:
    def hold(route: Route) -> None:
        held.append(route)

    held: list[Route] = []
    unknown = "/#open=" + "0" * 48
    page = visit(unknown, signed_in=False, prepare=lambda page: page.route("**/accesstoken/session", hold))
    refusals()
    expect(page.get_by_text("Signing in…")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Signing in…")).to_be_hidden()


def test_a_token_is_kept_in_its_tab_alone(
    daemon: Daemon, client: Client, visit: Visit, refusals: Callable[[], None]
) -> None:
    page = visit(signed_in=False)
    refusals()
    for wrong in ("0" * 48, "not a token", "ünknown"):
        page.get_by_label("Token", exact=True).fill(wrong)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").first).to_have_text("The gateway does not know this token.")
    page.get_by_label("Token", exact=True).fill(f" {daemon.secret}\n")
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.get_by_label("Token", exact=True).input_value() == ""
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert client.call("GET", "/api/v2/gateway").status == 200  # the token is somebody's, and stays valid
