import pytest
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, succeed
from twisted.internet.task import Clock

from tests.support import result_of
from ttgateway.commands.checks.finding import Findings, fault, ok, report, warning, within


def test_a_part_that_ends_in_time_says_what_it_has_found() -> None:
    found = ([ok("disk", "there is room")], 7)
    assert result_of(within(Clock(), "disk", 1.0, succeed(found), 0)) == found


def test_a_part_that_hangs_is_given_up_and_named() -> None:
    clock, never = Clock(), Deferred[tuple[Findings, int]]()
    looking = ensureDeferred(within(clock, "disk", 3.0, never, 0))
    clock.advance(2.9)
    assert not looking.called
    clock.advance(0.1)
    [finding], known = result_of(looking)
    assert (finding.part, finding.severity, known) == ("disk", "warning", 0)
    assert finding.what == "not looked at: no end within 3 s"
    assert finding.do


def test_a_part_that_fails_is_named_with_why() -> None:
    async def look() -> tuple[Findings, None]:
        raise PermissionError(13, "Permission denied", "/var/lib/x")

    [finding], _ = result_of(within(Clock(), "state", 3.0, look(), None))
    assert (finding.part, finding.severity) == ("state", "warning")
    assert "Permission denied" in finding.what


def test_who_is_interrupted_finds_nothing() -> None:
    looking = ensureDeferred(within(Clock(), "disk", 3.0, Deferred[tuple[Findings, None]](), None))
    looking.cancel()
    with pytest.raises(CancelledError):
        result_of(looking)


def test_the_report_has_a_line_for_each_finding_and_below_it_what_to_do() -> None:
    findings = [ok("port", "free"), warning("clock", "not kept", "Set it"), fault("disk", "full\x1b[2J", "Make room")]
    assert report(findings).splitlines() == [
        "         PART   FINDING",
        "ok       port   free",
        "WARNING  clock  not kept",
        "                -> Set it",
        "FAULT    disk   full?[2J",
        "                -> Make room",
        "",
        "1 fault, 1 warning.",
    ]


def test_the_report_counts_and_says_where_nothing_is_wrong() -> None:
    assert report([ok("port", "free")]).endswith("\n\nAll is well.")
    assert report([fault("port", "taken", "End it")] * 2).endswith("\n\n2 faults.")
