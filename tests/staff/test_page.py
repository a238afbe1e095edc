import re
from typing import Any

import pytest

from tests.api.client import PEER, Answer, House
from ttgateway import __version__
from ttgateway.api.routes import STRANGERS_BURST
from ttgateway.settings import Settings
from ttgateway.staff.page import POLICY, add_staff_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
COMMAND = "bin/ttgateway --state-dir '<here>' open"


class Lobby(House):
    """A house with the staff page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, also=lambda routes: add_staff_page(routes, self.gateway, lambda: COMMAND))

    def open(self, path: str = "/", *, accept: str = BROWSER, peer: str = PEER, **headers: str) -> Answer:
        """Ask as a browser does, without a secret."""
        return self.ask("GET", path, known=False, peer=peer, headers={"Accept": accept, **headers})


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


def test_a_browser_gets_the_page(lobby: Lobby) -> None:
    answer = lobby.open()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.body.startswith(b"<!doctype html>")
    assert f"ttgateway {__version__}" in answer.body.decode()


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "", "text/html;q=0", "text/html; q=0.000"])
def test_whoever_names_no_html_is_told_what_it_always_was(lobby: Lobby, accept: str) -> None:
    lobby.open(accept=accept).refuses(404, None, "No such API.")
    lobby.ask("GET", "/", known=False).refuses(404, None, "No such API.")


@pytest.mark.parametrize("accept", ["TEXT/HTML", "application/json, text/html;q=0.1", "text/html;charset=utf-8"])
def test_html_is_html_however_it_is_named(lobby: Lobby, accept: str) -> None:
    assert lobby.open(accept=accept).status == 200


def test_other_methods_are_refused(lobby: Lobby) -> None:
    assert lobby.ask("POST", "/", headers={"Accept": BROWSER}).status == 405
    answer = lobby.ask("HEAD", "/", known=False, headers={"Accept": BROWSER})
    assert (answer.status, answer.body) == (200, b"")


def test_each_answer_says_what_the_page_may_do(lobby: Lobby) -> None:
    for path in ("/", *files(lobby)):
        headers = lobby.open(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def files(lobby: Lobby) -> list[str]:
    """Return the paths of what the page names."""
    return re.findall(r'(?:href|src)="(/staff/[^"]+)"', lobby.open().body.decode())


def test_what_the_page_is_made_of_is_kept_for_ever_and_the_page_asked_for_anew(lobby: Lobby) -> None:
    assert len(files(lobby)) == 3
    for path in files(lobby):
        answer = lobby.open(path, accept="*/*")
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    page = lobby.open()
    assert page.headers["cache-control"] == "private, no-cache"
    assert page.headers["vary"] == "Accept"
    again = lobby.open(**{"If-None-Match": page.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_another_edition_and_other_names_are_not_there(lobby: Lobby) -> None:
    script = files(lobby)[2]
    edition = script.split("/")[2]
    for path in (script.replace(edition, "0" * 16), f"/staff/{edition}/index.html", f"/staff/{edition}/..%2fpage.py"):
        assert lobby.open(path).status == 404, path


def shows_the_command(answer: Answer) -> bool:
    """Tell whether the page names the command in full; else it is the one that tells nothing of this machine."""
    text = answer.body.decode()
    full = "<code>bin/ttgateway --state-dir &#x27;&lt;here&gt;&#x27; open</code>" in text
    assert full != ("<code>ttgateway open --print</code>" in text)
    assert full or "here&gt;" not in text
    return full


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000", "127.0.0.2"])
def test_who_sits_at_this_machine_is_shown_the_command(lobby: Lobby, host: str) -> None:
    lobby.hosts.add(host.rsplit(":", 1)[0].strip("[]") if host != "localhost" else host)
    for peer in ("127.0.0.1", "::1"):
        assert shows_the_command(lobby.open(peer=peer, Host=host))


def test_nobody_else_learns_of_folders_here_nor_through_a_proxy_on_this_machine(lobby: Lobby) -> None:
    lobby.hosts.add("127.0.0.1")
    assert not shows_the_command(lobby.open(peer="10.0.0.7"))
    assert not shows_the_command(lobby.open(peer="10.0.0.7", Host="127.0.0.1"))
    assert not shows_the_command(lobby.open(peer="127.0.0.1", Host="gateway"))


def test_the_name_of_the_gateway_is_text() -> None:
    name = '<img src=x onerror=alert(1)> & "Co" $version'
    text = Lobby(settings=Settings(name=name)).open().body.decode()
    assert "<img" not in text
    shown = "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot; $version"
    assert f'<h1 id="name" tabindex="-1">{shown}</h1>' in text


def test_floods_are_slowed_here_as_elsewhere(lobby: Lobby) -> None:
    for _ in range(STRANGERS_BURST):
        lobby.open("/nowhere")
    lobby.open().refuses(429, -903)
    lobby.open(files(Lobby())[0]).refuses(429, -903)
    assert lobby.open(peer="10.0.0.8").status == 200
