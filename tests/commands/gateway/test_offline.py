import itertools
import os
import stat
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from tests.support import NOON, FakeClock, entropy
from ttgateway.commands.gateway.offline import OfflineTokens, StoreInUse
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.store import opening
from ttgateway.store.tables import tokens


@pytest.fixture
def file(tmp_path: Path) -> OfflineTokens:
    return OfflineTokens(tmp_path / "state", FakeClock(Clock()), entropy())


def test_what_is_made_is_kept_as_a_hash_with_its_time(file: OfflineTokens, tmp_path: Path) -> None:
    made = file.create("pos", key=False)
    assert made["created"] == "2016-09-22T19:08:52"
    db = opening.connect(str(tmp_path / "state" / opening.FILE))
    kept = tokens.load(db)
    assert db.execute("SELECT clean FROM gateway").get
    db.close()
    token = kept[tokens.digest(str(made["secret"]))]
    assert (token.name, token.kind, token.created) == ("pos", "token", NOON)
    for path in (tmp_path / "state").glob(f"{opening.FILE}*"):
        assert str(made["secret"]).encode() not in path.read_bytes()


def test_only_the_owner_can_read_what_is_made(file: OfflineTokens, tmp_path: Path) -> None:
    file.create("pos", key=True)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / opening.FILE).stat().st_mode) == 0o600


def test_the_lock_is_given_back_whatever_happens(file: OfflineTokens, tmp_path: Path) -> None:
    file.create("pos", key=False)
    with pytest.raises(CommandFailed):
        file.create("a/b", key=False)
    assert file.revoke("nobody") == 0
    held = opening.lock(tmp_path / "state")
    with pytest.raises(StoreInUse):
        file.all()
    os.close(held)
    assert len(file.all()) == 1


def test_no_more_than_the_gateway_takes_are_made(file: OfflineTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttgateway.commands.gateway.offline.MOST_TOKENS", 2)
    names = itertools.islice(("a", "b"), 2)
    for name in names:
        file.create(name, key=False)
    with pytest.raises(CommandFailed, match="Too many tokens"):
        file.create("c", key=False)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = OfflineTokens(tmp_path / "file" / "state", FakeClock(Clock()), entropy())
    with pytest.raises(CommandFailed, match="cannot be written"):
        file.create("pos", key=False)


def test_while_a_recovery_is_interrupted_no_store_is_made_beside_it(file: OfflineTokens, tmp_path: Path) -> None:
    """What was written to it was lost: the next start recovers, and puts what it saved in the place of the file."""
    file.create("till", key=False)
    aside = tmp_path / "state" / "corrupt" / "1"
    aside.mkdir(parents=True)
    (tmp_path / "state" / opening.FILE).rename(aside / opening.FILE)
    (aside / "unfinished").touch()
    with pytest.raises(CommandFailed, match="is damaged; start the gateway"):
        file.create("pos", key=False)
    assert not (tmp_path / "state" / opening.FILE).exists()


def test_a_restore_that_was_interrupted_is_finished_first(file: OfflineTokens, tmp_path: Path) -> None:
    file.create("till", key=False)
    restored = tmp_path / "state" / "restored"
    restored.mkdir()
    (tmp_path / "state" / opening.FILE).rename(restored / opening.FILE)
    assert [one["name"] for one in file.all()] == ["till"]
    assert not restored.exists()
