import pytest

from tests.api.client import Answer
from tests.staff.test_page import Lobby
from ttgateway.links import LINK
from ttgateway.secrets import SESSION

PATH = "/api/v2/accesstoken/session"


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


def exchange(lobby: Lobby, code: object) -> Answer:
    """Show a code, without a secret."""
    return lobby.ask("POST", PATH, {"code": code}, known=False)


def test_a_code_becomes_a_secret_that_opens_the_api_until_its_end(lobby: Lobby) -> None:
    session = exchange(lobby, lobby.gateway.secrets.links.make()).json["session"]
    assert session["seconds"] == SESSION
    lobby.secret = session["secret"]
    assert lobby.get("/api/v2/activeorders").status == 200
    lobby.timers.advance(SESSION - 1)
    assert lobby.get("/api/v2/activeorders").status == 200
    lobby.timers.advance(1)
    lobby.get("/api/v2/activeorders").refuses(401, -2)


def test_a_code_is_good_once_and_not_for_long(lobby: Lobby) -> None:
    links = lobby.gateway.secrets.links
    code, late = links.make(), links.make()
    assert exchange(lobby, code).status == 201
    exchange(lobby, code).refuses(403, -3, "This link was used, or is too old. Make another one: ttgateway open")
    lobby.timers.advance(LINK)
    exchange(lobby, late).refuses(403, -3)


@pytest.mark.parametrize("code", [None, "", 7, ["x"], "x" * 257])
def test_what_is_no_code_is_refused(lobby: Lobby, code: object) -> None:
    assert exchange(lobby, code).status == 400


def test_guesses_are_slowed_as_wrong_secrets_are(lobby: Lobby) -> None:
    statuses = [exchange(lobby, "0" * 48).status for _ in range(600)]
    assert set(statuses) == {403, 429}
    lobby.timers.advance(1)  # and never is anybody locked out
    assert exchange(lobby, lobby.gateway.secrets.links.make()).status == 201


def test_a_session_makes_no_tokens_and_ends_itself(lobby: Lobby) -> None:
    lobby.secret = exchange(lobby, lobby.gateway.secrets.links.make()).json["session"]["secret"]
    lobby.post("/api/v2/accesstoken/generate", {"name": "mine"}).refuses(403, -3)
    assert [token.name for token in lobby.gateway.secrets.all()] == ["till", "staff page"]
    assert lobby.delete("/api/v2/accesstoken").status == 200
    lobby.get("/api/v2/activeorders").refuses(401, -2)


def test_the_exchange_is_no_operation_that_devices_are_told_of(lobby: Lobby) -> None:
    assert PATH not in lobby.get("/api/openapi.json").body.decode()
