"""What is written for people agrees with the code: settings, error codes, the state diagram, the unit."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from operator import attrgetter
from pathlib import Path
from shutil import which
from typing import Any, cast, get_type_hints

import msgspec
import pytest

from tests.api.client import House
from ttgateway.api.call import Access, Operation
from ttgateway.api.codes import ERRORS, Ack, Endpoint
from ttgateway.api.routes import Routes
from ttgateway.api.server.refusal import BODY_INVALID, NO_SUCH_API
from ttgateway.commands.cli import main
from ttgateway.gateway import Gateway
from ttgateway.notifier.states import TRANSITIONS, Event, State
from ttgateway.settings import Settings, parse
from ttgateway.staff.sessions import add_sessions

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
        framework = {(status, NO_SUCH_API) for status in (400, 403, 404, 405, 408, 414, 421, 431)}
        framework.add((413, BODY_INVALID))
        assert shown == set(ERRORS.values()) | framework

    @pytest.mark.parametrize("code", [*Endpoint, *Ack])
    def test_each_other_code_is_told(self, code: int) -> None:
        prose = self.page[self.page.index("returnCodes\n-----") :]
        assert re.search(rf"\b{int(code)} ", prose)


def operations() -> list[Operation]:
    """Return what the API serves, the staff page's own path with it."""
    found: list[Operation] = []

    def also(routes: Routes) -> None:
        add_sessions(routes, cast(Gateway, None))  # it is only needed once somebody calls
        found.extend(routes.operations)

    House(also=also)
    return found


class TestWhoMayCall:
    def told(self, page: str, start: str, end: str) -> str:
        """Return what stands between two phrases of a page, on one line."""
        text = " ".join((ROOT / page).read_text().replace("\n# ", " ").split())
        [found] = re.findall(f"{re.escape(start)}((?:(?!{re.escape(start)}).)*?){re.escape(end)}", text)
        return str(found)

    def families(self, access: Access) -> set[str]:
        """Return version and first word of the paths that have such an access: ``v1/orders``."""
        paths = [one.path for one in operations() if one.access is access]
        return {"/".join(path.split("/")[2:4]) for path in paths}

    @pytest.mark.parametrize(
        ("page", "start", "end"),
        [
            ("docs/security.rst", "Every path wants one, but for", "The operator makes"),
            ("docs/http-api.rst", "with one that is unknown: 401.", "want none."),
        ],
    )
    def test_the_paths_that_want_no_secret_are_named_and_no_others(self, page: str, start: str, end: str) -> None:
        named = set(re.findall(r"``([A-Z]+ /\S+)``", self.told(page, start, end)))
        assert named == {f"{one.method} {one.path}" for one in operations() if one.access is Access.ANYBODY}

    def test_what_is_opened_to_old_devices_is_opened_with_all_that_is_below(self) -> None:
        assert not self.families(Access.OLD_DEVICES) & self.families(Access.KNOWN)

    @pytest.mark.parametrize(
        ("page", "start", "end"),
        [
            ("docs/security.rst", "serves them ", ", and nothing else"),
            ("docs/settings.rst", "Whether ", " are served to callers that send no secret"),
            ("docs/http-api.rst", "Neither do ", " where the operator"),
            ("docs/howto/kitchen-display.rst", "For them, let ", " be open to whoever"),
        ],
    )
    def test_the_pages_name_what_is_opened_to_old_devices(self, page: str, start: str, end: str) -> None:
        words = re.findall(r"(version 1 )?``([a-z]+)``", self.told(page, start, end))
        named = {f"{version}/{word}" for old, word in words for version in (("v1",) if old else ("v1", "v2"))}
        assert named == self.families(Access.OLD_DEVICES)

    def test_the_sample_names_what_is_opened_to_old_devices(self) -> None:
        named = self.told("etc/ttgateway.toml", "the paths of old devices (", " and below)").split(", ")
        assert set(named) == {f"/api/{family}" for family in self.families(Access.OLD_DEVICES)}


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


class TestExitCodes:
    page = (ROOT / "docs/operations.rst").read_text()

    def table(self, of: str) -> list[tuple[str, str, str]]:
        """Return code, meaning and commands in each row of a table."""
        text = self.page.partition(f".. list-table:: Exit codes of {of}\n")[2]
        rows = text.partition("   * - code\n")[2].partition("\n\n")[0].split("   * - ")[1:]
        cells = [[" ".join(cell.split()) for cell in row.split("\n     - ")] for row in rows]
        return [(code, meaning, "".join(rest)) for code, meaning, *rest in cells]

    def given(self, *folders: str) -> set[int]:
        """Return the codes with which the modules there end a process, or let it be ended."""
        names = {"StoreUnusable", "CommandFailed", "_end"}
        found = {1, 2}  # those of `CommandFailed` itself, and of click
        for path in [path for folder in folders for path in sorted((ROOT / "ttgateway").glob(folder))]:
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names:
                    found |= {self.number(argument, module) for argument in call.args[1:]}
        return {code for code in found if code}

    def number(self, argument: ast.expr, module: Any) -> int:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int):
            return argument.value
        if isinstance(argument, ast.Attribute) and argument.attr == "code":
            return 0  # another's, which is counted there
        return int(attrgetter(ast.unparse(argument))(module))

    def test_the_tables_have_those_that_the_code_gives_and_no_other(self) -> None:
        commands = {int(code) for code, _, _ in self.table("the commands")}
        gateway = {int(code) for code, _, _ in self.table("the gateway")}
        assert commands == {0} | self.given("commands/**/*.py", "store/**/*.py")
        assert gateway == {0} | self.given("tap.py", "store/opening.py", "store/damage/recovery.py")

    def test_the_commands_in_it_are_commands_and_those_that_judge_are_in_it(self) -> None:
        named = {word for _, _, cell in self.table("the commands") for word in re.findall(r"``([a-z]+)", cell)}
        assert named <= set(main.commands)
        [judging] = [cell for code, _, cell in self.table("the commands") if code == "1" and cell != "all"]
        ends = re.compile(r"\.exit\(1\)|raise CommandFailed\(f?\"no gateway has announced")
        modules = {path.stem for path in (ROOT / "ttgateway/commands").glob("*.py") if ends.search(path.read_text())}
        assert set(re.findall(r"``([a-z]+)", judging)) == modules


class TestUnit:
    text = UNIT.read_text()

    @pytest.mark.parametrize(
        "line",
        [
            "StartLimitIntervalSec=0",
            "Restart=always",
            "TimeoutStopSec=20",
            "StateDirectory=ttgateway",
            "Type=notify",
            "WatchdogSec=60",
            "TimeoutStartSec=infinity",
        ],
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
    docs = ROOT / "docs"
    listed = re.findall(r"^   ([a-z/-]+)$", (docs / "index.rst").read_text(), re.MULTILINE)
    pages = {str(path.relative_to(docs).with_suffix("")) for path in docs.rglob("*.rst")}
    assert sorted(listed) == sorted(pages - {"index"})
