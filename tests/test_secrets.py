import itertools
import uuid
from collections.abc import Awaitable
from typing import Any

import apsw
import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import FakeClock, OnDemand, entropy, memory_store, result_of
from ttgateway import secrets
from ttgateway.refusals import LinkSpent, NotNow, TokenNameInvalid, TooMany, WindowShut
from ttgateway.secrets import SESSION, SESSION_NAME, NewToken, Secrets
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.tables import tokens
from ttgateway.store.tables.tokens import Token


class Desk:
    """Secrets on a slow disk."""

    def __init__(self) -> None:
        self.timers = Clock()
        self.disk = OnDemand()
        self.clock = FakeClock(self.timers)
        self.store = memory_store(self.timers, clock=self.clock, executor=self.disk)
        self.secrets = Secrets(self.store, self.clock, entropy())

    def ask(self, call: Awaitable[Any]) -> Deferred[Any]:
        return ensureDeferred(call)  # type: ignore[arg-type]

    def settle(self) -> None:
        while self.disk.waiting:
            self.disk.step()

    def made(self, name: object = None, *, key: bool = False) -> NewToken:
        pending = self.ask(self.secrets.create(name, key=key))
        self.settle()
        new: NewToken = result_of(pending)
        return new

    def in_window(self, name: object = None) -> NewToken:
        pending = self.ask(self.secrets.create_in_window(name))
        self.settle()
        new: NewToken = result_of(pending)
        return new

    def session(self) -> NewToken:
        pending = self.ask(self.secrets.begin_session(self.secrets.links.make()))
        self.settle()
        new: NewToken = result_of(pending)
        return new

    def fail(self) -> None:
        self.store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_token_is_48_hexadecimal_characters(desk: Desk) -> None:
    secret = desk.made().secret
    assert len(secret) == 48
    assert set(secret) <= set("0123456789abcdef")


def test_a_key_is_a_uuid(desk: Desk) -> None:
    made = desk.made(key=True)
    assert str(uuid.UUID(made.secret)) == made.secret
    assert uuid.UUID(made.secret).version == 4
    assert (made.token.kind, desk.made().token.kind) == ("key", "token")


def test_no_two_secrets_are_alike(desk: Desk) -> None:
    assert len({desk.made().secret for _ in range(10)}) == 10


def test_a_secret_opens_only_when_it_is_durable(desk: Desk) -> None:
    pending = desk.ask(desk.secrets.create("till"))
    assert (pending.called, desk.secrets.all()) == (False, [])
    desk.settle()
    made = result_of(pending)
    assert desk.secrets.check(made.secret, "10.0.0.7") is made.token
    assert desk.secrets.all() == [made.token]


@pytest.mark.parametrize("secret", ["", "x", "A" * 48, "\udce9", "é"])
def test_another_secret_opens_nothing(desk: Desk, secret: str) -> None:
    made = desk.made()
    assert desk.secrets.check(secret, "10.0.0.7") is None
    assert desk.secrets.check(made.secret.upper() + " ", "10.0.0.7") is None


def test_asking_whether_a_secret_opens_is_no_use_of_it(desk: Desk) -> None:
    made = desk.made()
    assert desk.secrets.opens(made.secret)
    assert not desk.secrets.opens(made.secret[:-1])
    assert not desk.secrets.opens("\udce9")
    assert made.token.last_used is None


def test_only_a_hash_is_stored(desk: Desk) -> None:
    secrets_made = [desk.made().secret, desk.made(key=True).secret]

    def everything(db: apsw.Connection) -> bytes:
        return bytes(db.serialize("main"))

    pending = desk.store.write(everything)
    loaded = desk.store.write(tokens.load)
    desk.settle()
    content, kept = result_of(pending), result_of(loaded)
    for secret in secrets_made:
        assert secret.encode() not in content
        assert bytes.fromhex(secret.replace("-", "")) not in content
        assert tokens.digest(secret) in kept


def test_a_restart_knows_every_secret(desk: Desk) -> None:
    made = desk.made("till")
    loaded = desk.store.write(tokens.load)
    desk.settle()
    desk.store.tokens = result_of(loaded)
    again = Secrets(desk.store, desk.clock, entropy())
    known = again.check(made.secret, "10.0.0.7")
    assert known is not None
    assert known.name == "till"


def test_its_last_use_is_noted_without_a_write_of_its_own(desk: Desk) -> None:
    made = desk.made()
    assert (made.token.last_used, made.token.ip_address) == (None, None)
    desk.timers.advance(5)
    commits = desk.store.commits.commits
    desk.secrets.check(made.secret, "10.0.0.7")
    assert (made.token.last_used, made.token.ip_address) == (desk.clock.now().wall, "10.0.0.7")
    desk.timers.advance(60)
    assert (desk.store.commits.commits, desk.disk.waiting) == (commits, [])
    loaded = desk.store.write(tokens.load)
    desk.settle()
    assert result_of(loaded)[made.token.hash].ip_address == "10.0.0.7"


@pytest.mark.parametrize("name", ["a", "Till 1", "a.b_c-d", "x" * 64])
def test_a_name_is_kept(desk: Desk, name: str) -> None:
    assert desk.made(name).token.name == name


def test_without_a_name_it_is_called_default(desk: Desk) -> None:
    assert desk.made(None).token.name == "default"


@pytest.mark.parametrize("name", ["", "x" * 65, "a/b", "a\n", "é", 5, [], True])
def test_a_bad_name_makes_no_token(desk: Desk, name: object) -> None:
    with pytest.raises(TokenNameInvalid):
        desk.made(name)
    assert desk.secrets.all() == []


def test_without_the_button_nobody_gets_a_token(desk: Desk) -> None:
    with pytest.raises(WindowShut, match=r"^Time window expired or gateway button not pressed\.$"):
        desk.in_window()


def test_the_window_is_open_for_two_minutes(desk: Desk) -> None:
    desk.secrets.press_button()
    desk.timers.advance(119.9)
    assert desk.in_window("till").token.name == "till"
    desk.secrets.press_button()
    desk.timers.advance(120)
    with pytest.raises(WindowShut):
        desk.in_window()


def test_a_step_of_the_wall_clock_neither_opens_nor_shuts_it(desk: Desk) -> None:
    desk.clock.wall_ahead += 1e6
    with pytest.raises(WindowShut):
        desk.in_window()
    desk.secrets.press_button()
    desk.clock.wall_ahead += 1e6
    assert desk.in_window()


def test_one_token_closes_the_window(desk: Desk) -> None:
    desk.secrets.press_button()
    desk.in_window()
    with pytest.raises(WindowShut):
        desk.in_window()


def test_two_devices_that_ask_at_once_do_not_both_get_one(desk: Desk) -> None:
    desk.secrets.press_button()
    first = desk.ask(desk.secrets.create_in_window("a"))
    second = desk.ask(desk.secrets.create_in_window("b"))
    desk.settle()
    assert result_of(first).token.name == "a"
    with pytest.raises(WindowShut):
        result_of(second)


def test_a_bad_name_leaves_the_window_open(desk: Desk) -> None:
    desk.secrets.press_button()
    with pytest.raises(TokenNameInvalid):
        desk.in_window("a/b")
    assert desk.in_window("a")


def test_a_token_that_could_not_be_kept_leaves_the_window_open(desk: Desk, logged: Logged) -> None:
    desk.secrets.press_button()
    desk.fail()
    pending = desk.ask(desk.secrets.create_in_window("a"))
    desk.settle()
    with pytest.raises(NotNow):
        result_of(pending)
    assert desk.secrets.all() == []
    assert desk.in_window("a")
    logged.flush()


def test_a_button_pressed_while_a_token_is_lost_counts_from_that_press(desk: Desk, logged: Logged) -> None:
    desk.secrets.press_button()
    desk.fail()
    pending = desk.ask(desk.secrets.create_in_window("a"))
    desk.timers.advance(100)
    desk.secrets.press_button()
    desk.settle()
    with pytest.raises(NotNow):
        result_of(pending)
    desk.timers.advance(100)
    desk.settle()
    assert desk.in_window("a")
    logged.flush()


def test_a_revoked_secret_opens_nothing_any_more_and_the_others_do(desk: Desk) -> None:
    gone, stays = desk.made("a"), desk.made("b")
    revoked = desk.ask(desk.secrets.revoke(gone.token))
    desk.settle()
    result_of(revoked)
    assert desk.secrets.check(gone.secret, "10.0.0.7") is None
    assert desk.secrets.check(stays.secret, "10.0.0.7") is stays.token
    loaded = desk.store.write(tokens.load)
    desk.settle()
    assert list(result_of(loaded)) == [stays.token.hash]


def test_who_watches_is_told_once_of_a_revoked_token_and_not_before_that_is_durable(desk: Desk) -> None:
    made = desk.made()
    told: list[Token] = []
    desk.secrets.watch_revoked(told.append)
    for _ in range(2):
        desk.ask(desk.secrets.revoke(made.token))
    assert told == []
    desk.settle()
    assert told == [made.token]


def test_a_revocation_that_fails_says_so_and_the_secret_still_opens(desk: Desk, logged: Logged) -> None:
    made = desk.made()
    told: list[Token] = []
    desk.secrets.watch_revoked(told.append)
    desk.fail()
    revoked = desk.ask(desk.secrets.revoke(made.token))
    desk.settle()
    with pytest.raises(NotNow):
        result_of(revoked)
    assert desk.secrets.check(made.secret, "10.0.0.7") is made.token
    assert told == []
    logged.flush()
    desk.timers.advance(MEND_EVERY)
    desk.settle()


def test_at_most_so_many_tokens_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MOST_TOKENS", 2)
    for _ in itertools.repeat(None, 2):
        desk.made()
    with pytest.raises(TooMany):
        desk.made()
    assert len(desk.secrets.all()) == 2


def test_a_session_opens_until_its_end_and_outlives_a_restart(desk: Desk) -> None:
    made = desk.session()
    assert (made.token.name, made.token.ends) == (SESSION_NAME, made.token.created + SESSION)
    loaded = desk.store.write(tokens.load)
    desk.settle()
    assert result_of(loaded)[made.token.hash].ends == made.token.ends
    desk.timers.advance(SESSION - 1)
    assert desk.secrets.opens(made.secret)
    assert desk.secrets.check(made.secret, "10.0.0.7") is made.token
    desk.timers.advance(1)
    assert not desk.secrets.opens(made.secret)
    assert desk.secrets.check(made.secret, "10.0.0.7") is None


def test_no_session_begins_without_a_link(desk: Desk) -> None:
    for code in ("", "0" * 48):
        with pytest.raises(LinkSpent):
            result_of(desk.ask(desk.secrets.begin_session(code)))
    assert desk.secrets.all() == []


def test_a_clock_that_is_set_back_lengthens_no_session(desk: Desk) -> None:
    made = desk.session()
    desk.clock.wall_ahead -= 59
    assert desk.secrets.opens(made.secret)
    desk.clock.wall_ahead -= 2
    assert not desk.secrets.opens(made.secret)
    assert not desk.secrets.has_ended(desk.made().token)


def test_sessions_that_are_over_go_when_another_begins(desk: Desk) -> None:
    stays, first = desk.made(), desk.session()
    desk.timers.advance(SESSION)
    assert desk.secrets.all() == [stays.token, first.token]
    second = desk.session()
    assert desk.secrets.all() == [stays.token, second.token]


def test_at_most_so_many_sessions_are_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MOST_SESSIONS", 2)
    desk.session()
    desk.session()
    with pytest.raises(TooMany):
        desk.session()
    desk.made()
    desk.timers.advance(SESSION)
    desk.session()
    assert [token.name for token in desk.secrets.all()] == ["default", SESSION_NAME]
