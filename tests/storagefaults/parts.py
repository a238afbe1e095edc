"""The parts of the suite, each for a process of its own."""

from twisted.logger import globalLogBeginner

from tests.storagefaults import calls, disk, flips, running


def run(part: str, seed: int, seconds: float, case: int | None) -> tuple[list[str], list[str]]:
    """Run one part; return the lines to print, and what broke the promise."""
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    if part == "flips":
        counts = flips.run(seed, seconds, case)
        ended = [f"{name}: {how}: {count}" for (name, how), count in sorted(counts.ended.items())]
        return [f"{counts.cases} damaged stores opened in {seconds:.0f} s", *ended], counts.failures
    if part == "running":
        found = running.run(seed, seconds, case)
        ended = [f"{how}: {count}" for how, count in sorted(found.ended.items())]
        return [f"{found.cases} stores damaged while they served", *ended], found.failures
    if part == "disk":
        disk.apart()
        rounds = disk.run(seconds)
        line = f"{rounds.rounds} rounds; {rounds.taken} orders taken, {rounds.refused} refused; {_worst(rounds.back)}"
        return [line], rounds.failures
    report = calls.run(seed, seconds)
    injected = ", ".join(f"{fault} {count}" for fault, count in sorted(report.injected.items()))
    line = (
        f"{report.cases} faults, {report.kills} kills; {report.taken} orders taken, {report.refused} refused;"
        f" {_worst(report.back)}"
    )
    return [line, f"failed calls: {injected}"], report.failures


def _worst(back: list[float]) -> str:
    return f"back to work {max(back, default=0.0):.2f} s after the fault at the worst of {len(back)}"
