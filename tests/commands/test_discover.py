import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.commands.stand_ins import House
from ttgateway.commands.discover import discover
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed

ID = "0f3c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b"
FOUND = [
    FoundGateway(name="ttgateway", address="10.0.0.5", port=8000, version="0.1.0", id=ID),
    FoundGateway(name="Store\x1b[2J", address="10.0.0.17", port=80, version="", id=""),
]


def invoke(tmp_path: Path, found: list[FoundGateway] | Exception, *arguments: str) -> Result:
    def browse(seconds: float) -> list[FoundGateway]:
        if isinstance(found, Exception):
            raise found
        return found if seconds == 1 else []

    console = msgspec.structs.replace(House(tmp_path).console, browse=browse)
    return CliRunner().invoke(discover, ["--seconds", "1", *arguments], obj=console)


def test_gateways_are_listed(tmp_path: Path) -> None:
    result = invoke(tmp_path, FOUND)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "NAME       ADDRESS    PORT  VERSION  ID",
        f"ttgateway  10.0.0.5   8000  0.1.0    {ID}",
        "Store?[2J  10.0.0.17    80",
    ]


def test_programs_get_json(tmp_path: Path) -> None:
    result = invoke(tmp_path, FOUND[:1], "--json")
    assert json.loads(result.stdout) == [
        {"name": "ttgateway", "address": "10.0.0.5", "port": 8000, "version": "0.1.0", "id": ID}
    ]


@pytest.mark.parametrize(("options", "printed"), [([], ""), (["--json"], "[]\n")])
def test_where_there_is_none_one_line_says_so(tmp_path: Path, options: list[str], printed: str) -> None:
    result = invoke(tmp_path, [], *options)
    assert (result.exit_code, result.stdout) == (1, printed)
    assert result.stderr == "ttgateway: no gateway has announced itself on this network within 1 s\n"


def test_where_nothing_can_be_heard_one_line_says_why(tmp_path: Path) -> None:
    result = invoke(tmp_path, MulticastFailed("address already in use"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "ttgateway: cannot listen for gateways: address already in use\n"
