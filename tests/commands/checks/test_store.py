import os
from pathlib import Path
from typing import Any

import pytest

from tests.commands.stored import stored
from tests.store.files import clock_at, make_first_schema, shop_in
from tests.support import result_of
from ttgateway.commands.checks.store import Kept, read, told
from ttgateway.store import opening
from ttgateway.store.opening import FILE
from ttgateway.store.tables import openings


@pytest.fixture
def state(tmp_path: Path) -> Path:
    stored(tmp_path / "state")
    return tmp_path / "state"


def edited(state: Path, *statements: str) -> None:
    db = opening.connect(str(state / FILE))
    for statement in statements:
        db.execute(statement).get  # noqa: B018
    db.close()


def files(state: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in state.rglob("*") if path.is_file()}


def only(state: Path) -> tuple[str, str, str]:
    [finding], kept = read(state)
    assert kept is None or finding.severity == "ok" or "lost" in finding.what
    return finding.severity, finding.what, finding.do


def test_a_sound_store_is_well_and_knows_whom_it_tells(state: Path) -> None:
    db = opening.connect(str(state / FILE))
    openings.saving(["203.0.113.0/24"])(db)
    db.close()
    before = files(state)
    [finding], kept = read(state)
    assert finding.severity == "ok"
    assert "seq 2 was the last change" in finding.what
    assert isinstance(kept, Kept)
    assert (kept.urls, [str(one) for one in kept.opened]) == ((), ["203.0.113.0/24"])
    assert files(state) == before, "nothing was written"


def test_none_yet_is_well_but_not_beside_backups_of_one(tmp_path: Path) -> None:
    assert only(tmp_path)[0] == "ok"
    (tmp_path / "backups").mkdir()
    severity, what, do = only(tmp_path)
    assert (severity, "is missing" in what) == ("fault", True)
    assert do.startswith("ttgateway restore ")


def test_a_newer_schema_is_a_fault_with_the_way_back(state: Path) -> None:
    edited(state, "PRAGMA user_version = 99")
    assert only(state)[2] == "Install the newer version again"
    (state / "before-schema-99.db").touch()
    severity, what, do = only(state)
    assert (severity, "schema 99" in what) == ("fault", True)
    assert do.endswith(f"ttgateway restore {state / 'before-schema-99.db'}")


def test_an_older_schema_is_well(tmp_path: Path) -> None:
    make_first_schema(tmp_path / FILE, clock_at())
    severity, what, _ = only(tmp_path)
    assert (severity, "the next start upgrades it" in what) == ("ok", True)


def test_a_damaged_file_is_a_fault(state: Path) -> None:
    data = bytearray((state / FILE).read_bytes())
    data[3 * 4096 + 100 : 3 * 4096 + 200] = bytes(100)
    data[4 * 4096 + 100 : 4 * 4096 + 110] = b"0123456789"
    (state / FILE).write_bytes(data)
    severity, what, do = only(state)
    assert (severity, "is damaged" in what) == ("fault", True)
    assert do.startswith("Start the gateway")


@pytest.mark.parametrize("content", [b"nothing of the kind" * 400, b"SQLite format 3\0" + b"\xff" * 9000, b"x", b""])
def test_what_is_no_store_is_a_fault_that_the_next_start_mends(state: Path, content: bytes) -> None:
    (state / FILE).write_bytes(content)
    severity, what, do = only(state)
    assert (severity, "is no store of a ttgateway" in what) == ("fault", True)
    assert "is damaged" in what
    assert do.startswith("Start the gateway: it saves what can be read")
    shop = shop_in(state, clock_at())
    assert "damaged files are in" in shop.store.damage
    result_of(shop.store.stop())


def test_another_programs_database_is_not_said_to_be_mended(state: Path) -> None:
    (state / FILE).unlink()
    edited(state, "CREATE TABLE others (only INTEGER PRIMARY KEY)")
    severity, what, do = only(state)
    assert (severity, "is no store of a ttgateway" in what) == ("fault", True)
    assert do.startswith("Name the gateway's own state directory")


def test_a_directory_in_its_place_is_to_be_moved_away(state: Path) -> None:
    (state / FILE).unlink()
    (state / FILE).mkdir()
    severity, what, do = only(state)
    assert (severity, what) == ("fault", f"{state / FILE} is a directory")
    assert do.startswith(f"Move it away: mv {state / FILE} ")


def test_what_it_has_lost_is_a_fault_until_it_was_seen(state: Path) -> None:
    edited(state, "UPDATE gateway SET damage = '2 changes are lost'")
    severity, what, do = only(state)
    assert (severity, what) == ("fault", "it has lost something: 2 changes are lost")
    assert "ttgateway damage --seen" in do


def test_a_gateway_that_holds_it_and_does_not_answer_is_a_fault(state: Path) -> None:
    held = opening.lock(state)
    try:
        severity, what, _ = only(state)
    finally:
        os.close(held)
    assert (severity, "does not answer" in what) == ("fault", True)
    assert only(state)[0] == "ok"


def test_after_an_unclean_stop_it_is_read_with_its_log_which_stays(state: Path) -> None:
    db = opening.connect(str(state / FILE))
    db.execute("UPDATE gateway SET damage = 'in the log'").get  # noqa: B018
    log = (state / f"{FILE}-wal").read_bytes()
    assert log
    assert "in the log" in only(state)[1]
    assert (state / f"{FILE}-wal").read_bytes() == log
    db.close()


def test_after_an_unclean_stop_only_its_owner_reads_it(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = opening.connect(str(state / FILE))
    db.execute("UPDATE gateway SET damage = 'in the log'").get  # noqa: B018
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    severity, what, _ = only(state)
    assert (severity, "only its owner" in what) == ("fault", True)
    db.close()


def view(store: str = "ok", damage: str = "") -> dict[str, Any]:
    return {"status": {"check": {"store": store}, "damage": damage, "lastSeq": 7}}


@pytest.mark.parametrize(
    ("seen", "severity", "says"),
    [
        (view(), "ok", "seq 7"),
        (view("mending"), "fault", "tried each second"),
        (view("damaged", "2 changes"), "fault", "2 changes"),
    ],
)
def test_a_running_gateway_tells_of_it(seen: dict[str, Any], severity: str, says: str) -> None:
    [finding] = told(seen)
    assert (finding.severity, says in finding.what) == (severity, True)
