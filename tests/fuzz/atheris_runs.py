"""``python -m tests.fuzz.atheris_runs --seconds 60``: each target of `atheris_targets` for so long, in turn.

atheris gets an environment of its own, ``.venv-atheris``; everything else it finds in the one that this is run with.
Ends with 1 where a target failed, or where atheris cannot be installed.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tests.fuzz.atheris_targets import TARGETS
from tests.fuzz.replies import made

ROOT = Path(__file__).parents[2]
OWN = ROOT / ".venv-atheris"
ATHERIS = "atheris==3.0.0"

_MADE_WITHIN = 300.0
_OVERTIME = 60.0


def main() -> int:
    """Run the targets; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.atheris_runs", description=__doc__)
    asked.add_argument("--seconds", type=int, default=60, help="for each target")
    asked.add_argument("--seed", type=int, default=20161224)
    options = asked.parse_args()
    if not _made():
        return 1
    failed = [target for target in TARGETS if not _run(target, options.seconds, options.seed)]
    print(f"atheris: {len(TARGETS)} targets, {options.seconds} s each, seed {options.seed}; {len(failed)} failed")
    return 1 if failed else 0


def _made() -> bool:
    """Make the environment, unless it is there; return whether it is."""
    python = OWN / "bin" / "python"
    trying = [str(python), "-c", "import atheris"]
    if python.exists() and subprocess.run(trying, check=False, capture_output=True).returncode == 0:  # noqa: S603
        return True
    for line in ([sys.executable, "-m", "venv", str(OWN)], [str(python), "-m", "pip", "install", "--quiet", ATHERIS]):
        ended = subprocess.run(line, check=False, capture_output=True, text=True, timeout=_MADE_WITHIN)  # noqa: S603
        if ended.returncode:
            version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
            print(f"atheris: FAILED: {ATHERIS} cannot be installed for {version} here:\n{ended.stderr[-1000:]}")
            return False
    return True


def _run(target: str, seconds: int, seed: int) -> bool:
    """Run one target; tell of it, and return whether nothing was found."""
    kept = f"{tempfile.gettempdir()}/ttgateway-atheris-{target}-"
    paths = [str(ROOT), sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]
    line = [str(OWN / "bin" / "python"), "-m", "tests.fuzz.atheris_targets", target]
    with tempfile.TemporaryDirectory() as corpus:
        for number in range(300):
            case, _ = made(f"corpus/{number}")
            data = (
                bytes([number % 8, number % 251, number % 97]) + case.data
                if target == "reply"
                else _BODIES[number % len(_BODIES)]
            )
            Path(corpus, str(number)).write_bytes(data)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=20000"]
        ended = subprocess.run(  # noqa: S603
            [*line, *options, f"-artifact_prefix={kept}", "-print_final_stats=1", "-verbosity=1", corpus],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + _OVERTIME,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    figures = [text for text in ended.stderr.splitlines() if text.startswith(("Done", "stat::number", "stat::peak"))]
    print(f"atheris: {target}: {'; '.join(figures)}", flush=True)
    if ended.returncode:
        print(f"atheris: {target}: FAILED: {ended.stdout[-2000:]}{ended.stderr[-3000:]}")
        print(f"replay: PYTHONPATH={os.pathsep.join(paths)} {' '.join(line)} {kept}...")
    return ended.returncode == 0


_BODIES = (
    b'{"name": "102", "orderType": "TO_GO", "locationName": "22"}',
    b'{"a": [1, 1.5e3, -0, true, false, null, "\\u00e9\\ud83d\\ude00", {"b": {}}]}',
    b'{"a": "\\ud800"}',
    b'{"a": 9007199254740993}',
    b'{"a": NaN, "a": 1}',
    b"[" * 40 + b"]" * 40,
    b"  ",
    b"\xef\xbb\xbf{}",
)


if __name__ == "__main__":
    sys.exit(main())
