import os
from pathlib import Path

import pytest

from ttgateway.commands.checks.disk import SOON, judged, look
from ttgateway.health import SCARCE
from ttgateway.store.disk import LEAST_FREE


@pytest.mark.parametrize(
    ("free", "severity", "says"),
    [
        (0, "fault", "the disk is full, 0 MiB are free"),
        (SCARCE - 1, "fault", "the disk is full"),
        (SCARCE, "fault", "no new order is taken below 64 MiB"),
        (LEAST_FREE - 1, "fault", "no new order is taken"),
        (LEAST_FREE, "warning", "64 MiB are free; below 64 MiB no new order"),
        (SOON - 1, "warning", "below 64 MiB"),
        (SOON, "ok", "256 MiB are free"),
    ],
)
def test_the_room_is_judged_as_the_gateway_does(free: int, severity: str, says: str, tmp_path: Path) -> None:
    finding = judged(free, tmp_path)
    assert finding.severity == severity
    assert says in finding.what
    assert bool(finding.do) == (severity != "ok")


def test_what_can_be_thrown_away_is_named(tmp_path: Path) -> None:
    (tmp_path / "corrupt").mkdir()
    assert str(tmp_path / "corrupt") in judged(0, tmp_path).do


def statvfs(flag: int, files: int) -> os.statvfs_result:
    return os.statvfs_result((4096, 4096, 10**9, 10**9, 10**9, 10**6, files, files, flag, 255))


@pytest.mark.parametrize(
    ("flag", "files", "says"),
    [(os.ST_RDONLY, 9, "mounted to be read only"), (0, 0, "no room for another file")],
)
def test_a_disk_that_cannot_be_written_is_a_fault(
    flag: int, files: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: statvfs(flag, files))
    [finding], _ = look(tmp_path / "not" / "there")
    assert finding.severity == "fault"
    assert says in finding.what
    assert str(tmp_path) in finding.what
