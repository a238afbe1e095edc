"""What is written for people agrees with the code: settings, error codes, the state diagram, the unit."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from shutil import which
from typing import Any, get_type_hints

import msgspec
import pytest

from ttgateway.api.codes import ERRORS, NO_SUCH_API, TOO_LARGE, Ack, Endpoint
from ttgateway.notifier.states import TRANSITIONS, Event, State
from ttgateway.settings import Settings, parse

ROOT = Path(__file__).parent.parent
SAMPLE = (ROOT / "etc/ttgateway.toml").read_text()
UNCOMMENTED = re.sub(r"^#(?=[a-z_]+ = )", "", SAMPLE, flags=re.MULTILINE)
UNIT = ROOT / "etc/ttgateway.service"


def keys(table: type[msgspec.Struct], defaults: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the full name of each setting with its default."""
    kinds = get_type_hints(table)
    for name in table.__struct_fields__:
        default = getattr(defaults, name)
        if isinstance(default, msgspec.Struct):
            yield from keys(kinds[name], default, f"{name}.")
        else:
            yield f"{prefix}{name}", list(default) if isinstance(default, tuple) else default


def toml(value: object) -> str:
    """Return ``value`` as TOML writes it; what is written here is also JSON."""
    return msgspec.json.encode(value).decode()


SETTINGS = dict(keys(Settings, Settings()))


class TestSampleSettings:
    def test_as_it_comes_it_changes_nothing(self) -> None:
        assert parse(SAMPLE) == Settings()

    def test_with_every_key_taken_in_it_changes_nothing_either(self) -> None:
        assert parse(UNCOMMENTED) == Settings()

    def test_it_names_every_key_once_with_its_default(self) -> None:
        named: dict[str, str] = {}
        table = ""
        for line in UNCOMMENTED.splitlines():
            if header := re.fullmatch(r"\[([a-z_]+)\]", line):
                table = f"{header[1]}."
            elif pair := re.fullmatch(r"([a-z_]+) = (.*)", line):
                assert f"{table}{pair[1]}" not in named
                named[f"{table}{pair[1]}"] = pair[2]
        assert named == {key: toml(default) for key, default in SETTINGS.items()}

    def test_each_key_is_explained(self) -> None:
        lines = SAMPLE.splitlines()
        for number, line in enumerate(lines):
            if re.match(r"#[a-z_]+ = ", line):
                assert lines[number - 1].startswith("# "), line


def test_the_settings_page_has_each_key_with_its_default() -> None:
    page = (ROOT / "docs/settings.rst").read_text()
    shown = re.findall(r"^\.\. confval:: (\S+)\n   :type: .+\n   :default: ``(.*)``$", page, re.MULTILINE)
    assert dict(shown) == {key: toml(default) for key, default in SETTINGS.items()}
    assert len(shown) == len(SETTINGS)


class TestReturnCodes:
    page = (ROOT / "docs/http-api.rst").read_text()

    def test_each_error_stands_in_the_table(self) -> None:
        rows = re.findall(r"^   \* - ([\d, ]+)\n     - (-\d+)$", self.page, re.MULTILINE)
        shown = {(int(status), int(code)) for statuses, code in rows for status in statuses.split(",")}
        framework = {(status, NO_SUCH_API) for status in (400, 403, 404, 405, 408, 414, 421, 431)} | {(413, TOO_LARGE)}
        assert shown == set(ERRORS.values()) | framework

    @pytest.mark.parametrize("code", [*Endpoint, *Ack])
    def test_each_other_code_is_told(self, code: int) -> None:
        prose = self.page[self.page.index("returnCodes\n-----") :]
        assert re.search(rf"\b{int(code)} ", prose)


class TestQueueDiagram:
    source = (ROOT / "docs/listener-queue.dot").read_text()
    edges = re.findall(r'^ *"?([a-z ]+?)"? -> "?([a-z ]+?)"?(?: \[label="(.*)"\])?;$', source, re.MULTILINE)

    def drawn(self) -> set[tuple[str, str, str]]:
        """Return state, event and method of each edge that leaves a state."""
        states = {state.value for state in State}
        found = set()
        for start, _, label in self.edges:
            if start in states:
                events, _, method = label.partition("\\n")[0].partition(" / ")
                found |= {(start, event, method) for event in events.split(", ")}
        return found

    def test_it_has_every_transition_of_the_table_and_no_other(self) -> None:
        table = {
            (state.value, event.value, TRANSITIONS[state][event])
            for state in State
            for event in Event
            if TRANSITIONS[state][event] not in ("ignore", "impossible")
        }
        assert self.drawn() == table

    def test_its_edges_lead_to_states_and_decisions(self) -> None:
        nodes = {state.value for state in State} | {"look", "verdict"}
        assert {end for _, end, _ in self.edges} == nodes
        assert {start for start, _, _ in self.edges} == nodes - {State.STOPPED.value} | {"begin"}

    def test_the_drawing_was_made_from_it(self) -> None:
        drawing = (ROOT / "docs/listener-queue.svg").read_text()
        titles = re.findall(r'class="edge">\n<title>(.*)</title>', drawing)
        assert sorted(map(unescape, titles)) == sorted(f"{start}->{end}" for start, end, _ in self.edges)
        texts = {unescape(text) for text in re.findall(r"<text [^>]*>(.*)</text>", drawing)}
        assert {line for _, _, label in self.edges for line in label.split("\\n") if line} <= texts


class TestUnit:
    text = UNIT.read_text()

    @pytest.mark.parametrize(
        "line", ["StartLimitIntervalSec=0", "Restart=always", "TimeoutStopSec=20", "StateDirectory=ttgateway"]
    )
    def test_it_has(self, line: str) -> None:
        assert line in self.text.splitlines()

    def test_the_start_limit_stands_where_systemd_reads_it(self) -> None:
        unit, _, _ = self.text.partition("[Service]")
        assert "StartLimitIntervalSec=0" in unit

    def test_it_leaves_what_the_gateway_needs(self) -> None:
        set_keys = [line.partition("=")[0] for line in self.text.splitlines() if not line.startswith("#")]
        assert "MemoryDenyWriteExecute" not in set_keys
        assert "ProcSubset" not in set_keys
        assert re.search(r"^RestrictAddressFamilies=.*AF_NETLINK", self.text, re.MULTILINE)

    def test_systemd_finds_it_sound_and_well_shut(self, tmp_path: Path) -> None:
        if which("systemd-analyze") is None:
            pytest.skip("systemd is not installed here")
        unit = tmp_path / UNIT.name
        unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", self.text, flags=re.MULTILINE))
        for check in (["verify"], ["security", "--offline=true", "--threshold=15"]):
            ran = subprocess.run(  # noqa: S603
                ["systemd-analyze", *check, unit],  # noqa: S607
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_page_of_the_documentation_is_listed() -> None:
    listed = set(re.findall(r"^   ([a-z-]+)$", (ROOT / "docs/index.rst").read_text(), re.MULTILINE))
    assert listed == {path.stem for path in (ROOT / "docs").glob("*.rst")} - {"index"}
