from pathlib import Path
from typing import Any

import pytest
from treq.testing import StubTreq
from twisted.internet.error import CannotListenError

from tests.commands.stand_ins import House
from tests.support import result_of
from ttgateway.commands import listen as module
from ttgateway.commands.listen import Listening, listen, listened, local_address, open_port
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.refusals import CallbackForbidden, ListenerSilent
from ttgateway.store.tables.listeners import CatchUp

GATEWAY = "http://10.0.0.1:8000"
URL = "http://10.0.0.7:8989/"


def listening(**changed: Any) -> Listening:
    values = {
        "gateway": GATEWAY,
        "secret": None,
        "port": 8989,
        "host": None,
        "api": 2,
        "snapshot": False,
        "latest": False,
        "signing": "",
        "keep": False,
        "count": None,
        "as_json": True,
    }
    return Listening(**{**values, **changed})


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(module, "local_address", lambda gateway: "10.0.0.7")
    return House(tmp_path)


def begin(house: House, what: Listening) -> list[Any]:
    results = house.start(lambda reactor, ending: listened(house.console, reactor, ending, what))
    house.move(10)
    return results


def registered(house: House) -> list[str]:
    return [listener.url for listener, _ in house.gateway.registry.all()]


def deliver(house: House, seq: int) -> int:
    """POST to the server that listens, as the gateway would."""
    site: Any = house.reactor.tcpServers[0][1]
    requests: Any = StubTreq(site.resource)  # type: ignore[no-untyped-call]
    body = b'{"seq": %d, "name": "66"}' % seq
    headers = {"webhook-id": f"e1.{seq}", "ttgateway-previous": str(seq - 1)}
    return int(result_of(requests.post(URL, data=body, headers=headers)).code)


def test_it_registers_prints_and_unregisters_at_the_end(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    results = begin(house, listening())
    assert not results
    assert registered(house) == [URL]
    assert [(port, interface) for port, _, _, interface in house.reactor.tcpServers] == [(8989, "10.0.0.7")]
    assert deliver(house, 1) == 200
    house.ending.ask()
    house.move(10)
    assert results == [None]
    assert registered(house) == []
    assert house.names() == []
    captured = capsys.readouterr()
    assert captured.out == '{"seq": 1, "name": "66"}\n'
    assert f"Listening at {URL}, registered with {GATEWAY} (version 2)." in captured.err


def test_it_ends_by_itself_after_so_many_changes(house: House) -> None:
    results = begin(house, listening(count=2))
    assert deliver(house, 1) == 200
    assert not results
    assert deliver(house, 2) == 200
    assert deliver(house, 3) == 503
    house.move(10)
    assert results == [None]


def test_keep_stays_registered(house: House) -> None:
    begin(house, listening(keep=True))
    house.ending.ask()
    house.move(10)
    assert registered(house) == [URL]


def test_what_it_wants_is_what_it_registers(house: House) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    begin(house, listening(snapshot=True, latest=True, signing=secret, host="192.168.1.5", keep=True))
    ((listener, _),) = house.gateway.registry.all()
    assert listener.url == "http://192.168.1.5:8989/"
    assert (listener.api, listener.snapshot, listener.catch_up) == (2, True, CatchUp.LATEST)
    assert listener.secret == secret
    assert house.reactor.tcpServers[0][3] == ""
    house.ending.ask()
    house.move(10)


def test_version_1_registers_as_an_old_device_does(house: House) -> None:
    results = begin(house, listening(api=1))
    ((listener, _),) = house.gateway.registry.all()
    assert (listener.url, listener.api) == (URL, 1)
    house.ending.ask()
    house.move(10)
    assert results == [None]
    assert registered(house) == []


def failure_of(house: House, what: Listening) -> str:
    with pytest.raises(CommandFailed) as failed:
        house.run(lambda reactor, ending: listened(house.console, reactor, ending, what))
    return str(failed.value)


@pytest.mark.parametrize("api", [1, 2])
def test_a_machine_that_the_gateway_cannot_reach_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, api: int
) -> None:
    async def reach(url: str, caller: str) -> None:
        raise ListenerSilent(url, "refused")

    monkeypatch.setattr(house.gateway.registry._callbacks, "reach", reach)
    text = failure_of(house, listening(api=api))
    assert text.startswith(f"the gateway cannot reach this machine at {URL}")
    assert house.names() == []


def test_a_rule_that_forbids_it_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reach(url: str, caller: str) -> None:
        raise CallbackForbidden("Callback refused: the rule.")

    monkeypatch.setattr(house.gateway.registry._callbacks, "reach", reach)
    assert failure_of(house, listening()) == f"the gateway does not call {URL}: Callback refused: the rule."


def test_a_secret_that_the_gateway_does_not_know_is_told(house: House) -> None:
    text = failure_of(house, listening(secret="unknown"))
    assert f"the gateway at {GATEWAY} does not know this secret" in text
    assert house.control.asked == []


def test_a_gateway_that_is_not_there_is_told(house: House) -> None:
    house.stop_daemon()
    assert failure_of(house, listening(secret="some")) == (
        f"no gateway can be reached at {GATEWAY}: connection refused"
    )


def test_a_gateway_that_is_gone_at_the_end_is_told(house: House) -> None:
    results = begin(house, listening(secret=result_of(house.gateway.secrets.create("pos")).secret))
    house.stop_daemon()
    house.ending.ask()
    house.move(10)
    assert str(results[0].value).startswith(f"{URL} is still registered: ")


class Busy:
    """A reactor that cannot listen."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def listenTCP(self, port: int, site: object, interface: str) -> None:  # noqa: N802
        raise CannotListenError(interface, port, self.error)


def test_a_port_in_use_is_told() -> None:
    with pytest.raises(CommandFailed, match="port 8989 is in use on this machine; choose another with --port"):
        open_port(Busy(OSError(98, "Address already in use")), 8989, None, "")


def test_a_port_that_may_not_be_used_is_told() -> None:
    with pytest.raises(CommandFailed, match=r"cannot listen on port 80: .*Permission denied"):
        open_port(Busy(PermissionError(13, "Permission denied")), 80, None, "")


def test_the_way_to_a_gateway_on_this_machine_is_loopback() -> None:
    assert local_address("http://127.0.0.1:8000") == "127.0.0.1"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--api", "1", "--snapshot"],
        ["--api", "1", "--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        ["--api", "3"],
        ["--secret", "whsec_short"],
        ["--port", "70000"],
        ["--count", "0"],
        ["--gateway", "nowhere"],
        ["--host", "a b"],
        ["--host", ""],
        ["--host", "10.0.0.7:8000"],
        ["--host", "10.0.0.7/x"],
    ],
)
def test_options_that_make_no_sense_are_a_usage_error(house: House, arguments: list[str]) -> None:
    result = house.invoke(listen, *arguments)
    assert result.exit_code == 2
    assert "short" not in result.stderr
    assert "callback" not in result.stderr
    assert house.control.asked == []
