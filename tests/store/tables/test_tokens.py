import apsw
from twisted.internet.task import Clock

from tests.conftest import Logged
from tests.support import memory_store, result_of
from ttgateway.store.commits import MEND_EVERY
from ttgateway.store.store import Store
from ttgateway.store.tables import tokens
from ttgateway.store.tables.tokens import Token, digest


def token(secret: str = "s", **changed: object) -> Token:  # noqa: S107  # no real one
    values: dict[str, object] = {"hash": digest(secret), "name": "till", "kind": "token", "created": 5.0}
    return Token(**{**values, **changed})  # type: ignore[arg-type]


def known(store: Store) -> list[Token]:
    return list(result_of(store.write(tokens.load)).values())


def test_a_token_reads_as_it_was_written() -> None:
    store = memory_store(Clock())
    made = token(kind="key", last_used=7.5, ip_address="10.0.0.7")
    result_of(store.write(tokens.saving(made)))
    assert result_of(store.write(tokens.load)) == {digest("s"): made}


def test_a_removed_token_is_gone_and_the_others_stay_in_the_order_of_their_making() -> None:
    store = memory_store(Clock())
    for secret, created in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        result_of(store.write(tokens.saving(token(secret, created=created))))
    result_of(store.write(tokens.removing(digest("c"))))
    assert [found.created for found in known(store)] == [1.0, 3.0]


def test_only_a_hash_is_kept() -> None:
    assert len(digest("secret")) == 32
    assert digest("secret") == digest("secret") != digest("Secret")
    assert b"secret" not in digest("secret")


def test_any_text_has_a_hash() -> None:
    assert digest("caf\udce9") != digest("café")


def test_a_use_rides_with_a_commit_and_asks_for_none() -> None:
    timers = Clock()
    store = memory_store(timers)
    used = token()
    result_of(store.write(tokens.saving(used)))
    used.last_used, used.ip_address = 9.0, "10.0.0.7"
    commits = store.commits.commits
    store.uses.used(used)
    assert (store.commits.commits, timers.getDelayedCalls()) == (commits, [])
    assert [(found.last_used, found.ip_address) for found in known(store)] == [(9.0, "10.0.0.7")]


def test_a_use_that_was_lost_is_written_with_the_next_commit(logged: Logged) -> None:
    timers = Clock()
    store = memory_store(timers)
    used = token()
    result_of(store.write(tokens.saving(used)))
    used.last_used = 9.0
    store.uses.used(used)
    store.write(lambda db: db.execute("no such statement")).addErrback(lambda _: None)

    def last_used(db: apsw.Connection) -> object:
        return db.execute("SELECT last_used FROM tokens").get

    timers.advance(MEND_EVERY)
    assert result_of(store.write(last_used)) == 9.0
    logged.flush()


def test_a_use_of_a_removed_token_does_not_bring_it_back() -> None:
    store = memory_store(Clock())
    used = token()
    result_of(store.write(tokens.saving(used)))
    result_of(store.write(tokens.removing(used.hash)))
    store.uses.used(used)
    assert known(store) == []
