from typing import Any

import pytest

from ttgateway.commands.checks.clock import is_kept, look
from ttgateway.health import BEHIND

NOW = 1_795_000_000.0


def view(word: str = "ok", drift: float = 0.0, behind: float = 0.0, wall: float = NOW) -> dict[str, Any]:
    return {"status": {"check": {"clock": word}}, "clockDrift": drift, "clockBehind": behind, "wall": wall}


@pytest.mark.parametrize(
    ("wall", "noted", "seen", "kept", "severity", "says"),
    [
        (NOW, None, None, True, "ok", "it shows 2026-11-18 11:06:40 UTC"),
        (NOW, NOW - 1e6, None, None, "ok", "it shows 2026-11-18"),
        (NOW, NOW + BEHIND, None, None, "ok", "it shows 2026-11-18"),
        (NOW, None, view(), True, "ok", "it shows 2026-11-18"),
        (40.0, NOW, None, True, "fault", "it shows 1970-01-01 00:00:40 UTC: it was never set"),
        (NOW, NOW + BEHIND + 1, None, True, "fault", "but the store was written at 2026-11-18 11:07:41 already"),
        (NOW, None, view("unset"), True, "fault", "the gateway's clock was never set"),
        (NOW, None, view("behind", 0.0, 7200.0), True, "fault", "7,200 s before a change that is written already"),
        (NOW, None, view(wall=NOW + 86_400), True, "fault", "but to the gateway 2026-11-19 11:06:40"),
        (NOW, None, view("stepped", -7200.0), True, "warning", "it was set by -7,200 s since the gateway started"),
        (NOW, None, view(), False, "warning", "no time server keeps it right"),
    ],
)
def test_what_the_clock_shows_is_judged(
    wall: float, noted: float | None, seen: dict[str, Any] | None, kept: bool | None, severity: str, says: str
) -> None:
    [finding], _ = look(wall, noted, seen, kept)
    assert finding.severity == severity
    assert says in finding.what
    assert bool(finding.do) == (severity != "ok")


def test_the_kernel_can_be_asked_whether_the_clock_is_kept_right() -> None:
    assert is_kept() in (True, False, None)
