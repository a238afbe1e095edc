"""The page ``docs/performance.rst``: what was measured, on what, and whether it is what was asked."""

import importlib.metadata
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench import daemon
from bench.report import Section, table

TEMPLATE = Path(__file__).with_name("performance.rst.in")
PACKAGES = ("Twisted", "httptools", "apsw", "msgspec", "klein")
PEERS = Path(__file__).with_name("requirements.txt")
PROGRAMS = ("wrk", "redis-server", "valgrind", "libc6")


def written(sections: Sequence[Section]) -> str:
    """Return the page."""
    parts = [f"{section.title}\n{'-' * len(section.title)}\n\n{section.rst.strip()}\n" for section in sections]
    verdicts = [
        (verdict.asked, verdict.figure, "yes" if verdict.holds else "**no**")
        for section in sections
        for verdict in section.verdicts
    ]
    held = table(("asked", "measured", "so"), verdicts) if verdicts else "Nothing was judged."
    text = TEMPLATE.read_text()
    return Template(text).substitute(
        verdicts=held.strip(), sections="\n".join(parts).strip(), versions=table(("", ""), _versions()).strip()
    )


def _versions() -> list[tuple[str, str]]:
    ours = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    lines = [line.replace("==", " ") for line in PEERS.read_text().splitlines() if "==" in line]
    return [
        ("Python", f"{platform.python_version()}, {platform.python_compiler()}"),
        ("ours", ", ".join(ours)),
        ("the scripts", ", ".join(lines)),
        ("Debian", ", ".join(_debian()) or "not Debian"),
        ("kernel", platform.release()),
        ("processor", f"{_processor()}, {_cores()} cores"),
        ("file system of the state", daemon.filesystem(Path(tempfile.gettempdir()))),
    ]


def _debian() -> list[str]:
    if shutil.which("dpkg-query") is None:
        return []
    words = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PROGRAMS]
    shown = subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603
    return [line for line in shown.stdout.splitlines() if not line.endswith(" ")]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _cores() -> int:
    return Path("/proc/cpuinfo").read_text().count("processor\t:")
