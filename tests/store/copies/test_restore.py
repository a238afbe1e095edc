"""Going back to a copy: what serves then, what is kept, and what an interruption leaves."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.store.files import Shop, clock_at, listener, make_first_schema, progress, shop_in
from tests.support import FakeClock, result_of
from ttgateway.store import opening
from ttgateway.store.copies import restore
from ttgateway.store.copies.restore import Restored
from ttgateway.store.damage import recovery
from ttgateway.store.damage.recovery import SEQ_MARGIN
from ttgateway.store.damage.soundness import DamagedStoreError
from ttgateway.store.opening import FILE, StoreUnusable
from ttgateway.store.tables import listeners, openings, tokens
from ttgateway.store.tables.tokens import Token, digest

EXTRA = "CREATE TABLE made_up (only INTEGER PRIMARY KEY) STRICT;"


@contextlib.contextmanager
def gateway(directory: Path, clock: FakeClock | None = None) -> Iterator[Shop]:
    directory.mkdir(exist_ok=True)
    shop = shop_in(directory, clock or clock_at())
    yield shop
    result_of(shop.store.stop())


def secret(name: str) -> Token:
    return Token(hash=digest(name), name=name, kind="token", created=1.0)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state directory whose store has gone on since ``copy.db`` beside it was made."""
    directory = tmp_path / "state"
    with gateway(directory) as shop:
        shop.post("1")
        shop.post("2")
        shop.store.write(listeners.saving(listener(), progress(cursor=2)))
        for name in ("kept", "revoked"):
            shop.store.write(tokens.saving(secret(name)))
        result_of(shop.store.upkeep.round())
        (directory / "backups" / "1.db").rename(tmp_path / "copy.db")
        shop.clear("1")
        shop.post("3")
        shop.store.write(tokens.removing(digest("revoked")))
        shop.store.write(tokens.saving(secret("new")))
        shop.store.write(listeners.saving(listener(2), progress(cursor=4)))
    return directory


def copy_of(state: Path) -> Path:
    return state.parent / "copy.db"


def restored(state: Path, clock: FakeClock | None = None, copy: Path | None = None) -> Restored:
    clock = clock or clock_at()
    return restore.restore(state, copy or copy_of(state), clock.boot, clock.now(), opening.schema())


def names(shop: Shop) -> list[str]:
    return sorted(order.name for order in shop.store.standing.orders)


def test_what_serves_is_the_copy_under_another_epoch_with_snapshots_due(state: Path) -> None:
    with gateway(state) as before:
        epoch, gateway_id = before.store.epoch, before.store.id
    came = restored(state)
    assert (came.contents.active, came.lost, came.contents.seq) == (2, 2, 4 + SEQ_MARGIN)
    with gateway(state) as shop:
        assert names(shop) == ["1", "2"]
        assert (shop.store.damage, shop.store.id) == ("", gateway_id)
        assert shop.store.epoch != epoch
        assert [(known.id, how_far.snapshot_due) for known, how_far in shop.store.listeners] == [("listener-1", True)]
        assert shop.store.journal.last == 4 + SEQ_MARGIN
        shop.post("4")
        assert shop.store.journal.last == 5 + SEQ_MARGIN


def test_a_listener_waits_for_as_many_changes_as_it_did_in_the_copy(state: Path) -> None:
    with gateway(state) as shop:
        result_of(shop.store.upkeep.round())
        shop.clear("2")
    restored(state, copy=state / "backups" / "1.db")
    with gateway(state) as shop:
        waits = {
            known.id: (shop.store.journal.last - far.cursor, far.cursor - far.base)
            for known, far in shop.store.listeners
        }
    assert waits == {"listener-1": (2, 2), "listener-2": (0, 4)}


def test_the_secrets_are_those_of_the_store_that_was_there(state: Path) -> None:
    assert restored(state).present_tokens
    with gateway(state) as shop:
        assert sorted(token.name for token in shop.store.tokens.values()) == ["kept", "new"]


def test_another_gateways_secrets_are_not_taken(state: Path, tmp_path: Path) -> None:
    with gateway(tmp_path / "other") as other:
        other.store.write(tokens.saving(secret("others")))
        other.post("9")
    came = restored(tmp_path / "other", copy=copy_of(state))
    assert (came.present_tokens, came.lost) == (False, None)
    with gateway(tmp_path / "other") as shop:
        assert sorted(token.name for token in shop.store.tokens.values()) == ["kept", "revoked"]


def test_where_the_secrets_cannot_be_read_the_copys_serve_and_the_seq_is_above_our_backups(state: Path) -> None:
    with gateway(state) as shop:
        for number in range(10, 40):
            shop.post(str(number))
        result_of(shop.store.upkeep.round())
    (state / FILE).write_bytes(b"x" * 8192)
    came = restored(state)
    assert (came.present_tokens, came.lost, came.contents.seq) == (False, None, 34 + SEQ_MARGIN)


def test_the_store_that_was_there_is_kept_and_can_be_restored(state: Path) -> None:
    came = restored(state)
    assert came.aside == state / "replaced" / "1"
    again = restored(state, copy=came.aside / FILE)
    assert (again.lost, again.contents.seq) == (0, 4 + 2 * SEQ_MARGIN)
    with gateway(state) as shop:
        assert names(shop) == ["2", "3"]
        assert len(shop.store.listeners) == 2


def test_a_store_that_was_killed_is_kept_with_its_log(state: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    with gateway(state) as shop:
        shop.post("5")
        shutil.copytree(state, killed)
    came = restored(killed, copy=copy_of(state))
    assert came.lost == 3
    assert came.aside is not None
    assert restored(killed, copy=came.aside / FILE).contents.active == 3


def test_at_most_three_are_kept(state: Path) -> None:
    for _ in range(5):
        restored(state)
    assert sorted(path.name for path in (state / "replaced").iterdir()) == ["3", "4", "5"]
    assert not list(state.glob("replaced/*/unfinished"))


@pytest.mark.parametrize(("gap", "age"), [(60.0, 90), (-1e9, 31)])
def test_ages_go_on_over_the_gap_on_the_wall_clock(state: Path, gap: float, age: int) -> None:
    clock = clock_at()
    with gateway(state, clock) as shop:
        clock.timers.advance(30)
        result_of(shop.store.write(lambda db: None))
        result_of(shop.store.upkeep.round())
    later = clock_at("boot-2")
    later.up_ahead = 3.0
    later.wall_ahead += 30 + gap
    restored(state, later, state / "backups" / "1.db")
    with gateway(state, later) as after:
        assert {order.elapsed(later.now().uptime) for order in after.store.standing.orders if order.name == "2"} == {
            age
        }


def test_within_one_boot_ages_are_exact(state: Path) -> None:
    clock = clock_at()
    clock.timers.advance(500)
    restored(state, clock)
    clock.timers.advance(7)
    with gateway(state, clock) as shop:
        assert {order.elapsed(clock.now().uptime) for order in shop.store.standing.orders} == {507}


def files(state: Path) -> dict[str, bytes]:
    return {str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if path.is_file()}


def flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("content", "code"), [(b"", 65), (b"x" * 9000, 65), (b"SQLite format 3\0" + b"\xff" * 9000, 65), (None, 66)]
)
def test_what_is_no_store_changes_nothing(state: Path, content: bytes | None, code: int) -> None:
    before = files(state)
    copy_of(state).unlink()
    if content is not None:
        copy_of(state).write_bytes(content)
    with pytest.raises(StoreUnusable) as refusal:
        restored(state)
    assert refusal.value.code == code
    assert str(copy_of(state)) in str(refusal.value)
    assert files(state) == before


def test_a_copy_with_a_flipped_bit_changes_nothing(state: Path) -> None:
    before = files(state)
    flipped(copy_of(state))
    with pytest.raises(DamagedStoreError):
        restored(state)
    assert files(state) == before


def test_a_copy_with_a_row_that_is_not_what_was_written_changes_nothing(state: Path) -> None:
    before = files(state)
    db = opening.connect(str(copy_of(state)))
    db.execute("UPDATE changes SET crc = crc + 1 WHERE seq = 1; UPDATE gateway SET clean = 1").get  # noqa: B018
    db.close()
    with pytest.raises(DamagedStoreError):
        restored(state)
    assert files(state) == before


def test_a_newer_copy_is_refused_as_such(state: Path) -> None:
    db = opening.connect(str(copy_of(state)))
    db.pragma("user_version", 99)
    db.close()
    before = files(state)
    with pytest.raises(StoreUnusable, match="newer ttgateway") as refusal:
        restored(state)
    assert refusal.value.code == 78
    assert files(state) == before


def test_an_older_copy_is_upgraded_and_no_copy_from_before_an_upgrade_is_touched(state: Path) -> None:
    (state / f"before-schema-{len(opening.schema())}.db").write_bytes(b"mine")
    copy_of(state).unlink()
    make_first_schema(copy_of(state), clock_at())
    came = restored(state)
    assert (came.was_schema, came.contents.schema) == (1, len(opening.schema()))
    assert (state / f"before-schema-{len(opening.schema())}.db").read_bytes() == b"mine"
    with gateway(state) as shop:
        assert names(shop) == ["2"]


def test_back_over_an_upgrade_with_the_older_version_and_up_again(state: Path) -> None:
    older, newer = opening.schema(), [*opening.schema(), EXTRA]
    clock = clock_at()
    path, now = state / FILE, clock.now()
    opening.close(opening.open_file(str(path), clock.boot, now, newer), now)
    db = opening.open_file(str(path), clock.boot, now, newer)
    db.execute("DELETE FROM tokens WHERE name = 'new'").get  # noqa: B018
    opening.close(db, now)
    with pytest.raises(StoreUnusable) as refusal:
        opening.open_file(str(path), clock.boot, now, older)
    assert refusal.value.code == 78
    came = restore.restore(state, state / f"before-schema-{len(newer)}.db", clock.boot, now, older)
    assert (came.present_tokens, came.lost, came.contents.schema) == (True, 0, len(older))
    with gateway(state) as shop:
        assert names(shop) == ["2", "3"]
        assert [token.name for token in shop.store.tokens.values()] == ["kept"]
    opening.close(opening.open_file(str(path), clock.boot, now, newer), now)


@pytest.mark.parametrize("where", ["damage.soundness.check", "copies.contents.check_pages"])
@pytest.mark.parametrize("told", [apsw.SQLITE_FULL, apsw.SQLITE_IOERR_SHMSIZE])
def test_a_disk_that_is_full_when_the_copy_is_opened_or_read_is_named_in_place_of_the_copy(
    state: Path, monkeypatch: pytest.MonkeyPatch, where: str, told: int
) -> None:
    def full(db: apsw.Connection) -> None:
        raise apsw.exception_for(told)

    before = files(state)
    monkeypatch.setattr(f"ttgateway.store.{where}", full)
    with pytest.raises(StoreUnusable, match=f"^{state}: its disk has no room") as refusal:
        restored(state)
    assert refusal.value.code == 73
    assert files(state) == before


def test_a_new_box_gets_all_of_the_old_one(state: Path, tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    came = restored(box, copy=copy_of(state))
    assert (came.aside, came.present_tokens) == (None, False)
    assert sorted(path.name for path in box.iterdir()) == [FILE]
    assert (box / FILE).stat().st_mode & 0o777 == 0o600


def test_a_recovery_that_was_interrupted_has_nothing_to_recover_after_a_restore(state: Path) -> None:
    recovery.set_aside(state, recovery.CORRUPT)
    came = restored(state)
    assert came.contents.seq == 4 + SEQ_MARGIN, "the damaged file was asked what was told"
    assert came.present_tokens
    with gateway(state) as shop:
        assert (names(shop), shop.store.damage) == (["1", "2"], "")


def test_what_was_decided_is_finished_at_the_next_start(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.parent.name == restore.RESTORED:
            raise KeyboardInterrupt
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            restored(state)
    assert not (state / FILE).exists()
    with gateway(state) as shop:
        assert names(shop) == ["1", "2"]
    assert not list(state.glob("restor*"))
    assert not list(state.glob("replaced/*/unfinished"))


def test_what_was_not_decided_is_forgotten(state: Path) -> None:
    (state / restore.RESTORING).mkdir()
    shutil.copy(copy_of(state), state / restore.RESTORING / FILE)
    with gateway(state) as shop:
        assert names(shop) == ["2", "3"]
    assert not list(state.glob("restor*"))


def test_a_restore_that_cannot_be_finished_is_told_in_one_line(state: Path) -> None:
    (state / restore.RESTORED).mkdir()
    shutil.copy(copy_of(state), state / restore.RESTORED / FILE)
    (state / "replaced").write_bytes(b"in the way")
    with pytest.raises(StoreUnusable, match="cannot be finished"):
        restore.finish(state)
    assert (state / FILE).exists()


def test_one_that_finds_the_disk_full_at_its_end_changes_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(state)

    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "renew", full)
        with pytest.raises(StoreUnusable, match="full") as refusal:
            restored(state)
    assert refusal.value.code == 73
    assert {name: content for name, content in files(state).items() if name in before} == before
    with gateway(state) as shop:
        assert (names(shop), shop.store.damage) == (["2", "3"], "")


def test_one_that_has_no_room_changes_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(state)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(copy_of(state)))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(StoreUnusable, match="No space left") as refusal:
            restored(state)
    assert (refusal.value.code, str(copy_of(state)) in str(refusal.value)) == (73, False)
    assert files(state) == before


def test_what_the_operator_has_closed_since_the_copy_stays_closed(state: Path) -> None:
    db = opening.connect(str(copy_of(state)))
    openings.saving(["203.0.113.0/24", "198.51.100.0/24"])(db)
    db.close()
    with gateway(state) as shop:
        shop.store.write(openings.saving(["203.0.113.0/24"]))
    restored(state)
    with gateway(state) as shop:
        assert shop.store.openings == ("203.0.113.0/24",)


def test_where_nothing_is_opened_by_command_a_copy_stays_as_it_is_in_that(state: Path) -> None:
    restored(state)
    db = opening.connect(str(state / FILE))
    assert not db.execute("SELECT count(*) FROM settings WHERE key = ?", (openings.KEY,)).get
    db.close()
