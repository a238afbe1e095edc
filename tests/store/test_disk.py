import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ttgateway.refusals import DiskFull, NotNow
from ttgateway.store.disk import BALLAST, LEAST_FREE, Disk, NoDisk, StateDisk, numbered


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=free // 4096, f_frsize=4096))


def test_a_new_order_is_refused_below_64_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LEAST_FREE == 64 * 1024 * 1024
    disk = StateDisk(tmp_path)
    leave_free(monkeypatch, LEAST_FREE)
    disk.check_room()
    leave_free(monkeypatch, LEAST_FREE - 4096)
    with pytest.raises(DiskFull):
        disk.check_room()


def test_the_ballast_is_loaded_given_up_and_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, LEAST_FREE)
    disk = StateDisk(tmp_path)
    ballast = tmp_path / "ballast"
    disk.load()
    first = ballast.read_bytes()
    assert len(first) == BALLAST
    disk.load()
    assert ballast.read_bytes() == first
    disk.lighten()
    assert not ballast.exists()
    disk.lighten()
    disk.load()
    assert ballast.stat().st_size == BALLAST


def test_no_ballast_is_loaded_where_room_is_scarce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, LEAST_FREE - 4096)
    StateDisk(tmp_path).load()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_has_no_ballast_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_free(monkeypatch, LEAST_FREE)
    StateDisk(tmp_path / "missing").load()
    assert list(tmp_path.iterdir()) == []


def test_memory_is_never_full() -> None:
    disk = NoDisk()
    disk.load()
    disk.lighten()
    disk.check_room()


def test_only_what_is_called_by_a_number_is_numbered(tmp_path: Path) -> None:
    for name in ("2.db", "10.db", "1.db", "x.db", "3.db.new", "4", "01.db", "-1.db", "٣.db"):
        (tmp_path / name).touch()
    assert [path.name for path in numbered(tmp_path, ".db")] == ["1.db", "2.db", "10.db"]
    assert [path.name for path in numbered(tmp_path)] == ["4"]
    assert numbered(tmp_path / "missing") == []


def test_the_room_is_what_is_free_for_us_and_none_where_there_is_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_free(monkeypatch, LEAST_FREE)
    assert StateDisk(tmp_path).free() == LEAST_FREE
    nowhere: Disk = NoDisk()
    assert nowhere.free() is None


def test_a_disk_that_is_gone_has_no_room(tmp_path: Path) -> None:
    disk = StateDisk(tmp_path / "gone")
    assert disk.free() == 0
    disk.load()


def test_an_order_is_refused_for_the_true_cause_where_the_directory_is_gone(tmp_path: Path) -> None:
    with pytest.raises(NotNow, match="cannot be reached: No such file") as refusal:
        StateDisk(tmp_path / "gone").check_room()
    assert not isinstance(refusal.value, DiskFull)
