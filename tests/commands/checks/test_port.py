import errno
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, ensureDeferred, execute, fail
from twisted.internet.error import CannotListenError, ConnectionRefusedError  # noqa: A004
from twisted.internet.testing import MemoryReactorClock

from tests.support import result_of
from ttgateway.commands.checks import port
from ttgateway.commands.checks.finding import Finding
from ttgateway.commands.checks.port import Place, answers, is_free, of_silent
from ttgateway.commands.gateway.calling import Requests


class Reactor(MemoryReactorClock):
    """A machine on which listening fails with ``error``."""

    error: OSError | None = None

    def listenTCP(  # noqa: N802
        self, number: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        if self.error is not None:
            raise CannotListenError(interface, number, self.error)
        port: Any = super().listenTCP(number, factory, backlog, interface)  # type: ignore[no-untyped-call]
        port.getHost = lambda: IPv4Address("TCP", interface or "0.0.0.0", number)  # noqa: S104
        return port


def free(listen: str, error: OSError | None = None) -> tuple[Finding, Place]:
    reactor = Reactor()  # type: ignore[no-untyped-call]
    reactor.error = error
    [finding], place = result_of(is_free(reactor, lambda reactor, work: execute(work), listen))
    assert bool(finding.do) == (finding.severity != "ok")
    return finding, place


@pytest.mark.parametrize(
    ("listen", "place"),
    [
        ("tcp:8000", Place(False, (8000,))),
        ("tcp:8000:interface=127.0.0.1", Place(True, (8000,))),
        ("tcp:8000:interface=10.0.0.5", Place(False, (8000,))),
    ],
)
def test_a_free_port_is_well_and_tells_who_could_connect(listen: str, place: Place) -> None:
    finding, found = free(listen)
    assert (finding.severity, finding.what, found) == ("ok", "port 8000 is free", place)


def test_a_taken_port_is_a_fault_that_names_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "holder", lambda number: f"apache2 (pid 8) on {number}")
    finding, place = free("tcp:8000:interface=127.0.0.1", OSError(errno.EADDRINUSE, "in use"))
    assert finding.what == "port 8000 is taken by apache2 (pid 8) on 8000"
    assert finding.do.startswith("End apache2 (pid 8)")
    assert place == Place(True, (8000,))
    monkeypatch.setattr(port, "holder", lambda number: "")
    assert "by another process" in free("tcp:8000", OSError(errno.EADDRINUSE, "in use"))[0].what


@pytest.mark.parametrize(
    ("error", "says", "advises"),
    [
        (OSError(errno.EACCES, "denied"), "this user may not listen on port 80", "ttgateway.socket"),
        (OSError(errno.EADDRNOTAVAIL, "no such address"), "no such address", "ip address"),
    ],
)
def test_a_port_that_cannot_be_had_is_a_fault_with_why(error: OSError, says: str, advises: str) -> None:
    finding, _ = free("tcp:80:interface=10.0.0.5", error)
    assert (finding.severity, says in finding.what, advises in finding.do) == ("fault", True, True)


@pytest.mark.parametrize("listen", ["nonsense:8000", "tcp:http", ""])
def test_an_endpoint_that_cannot_be_tried_is_a_warning(listen: str) -> None:
    finding, place = free(listen)
    assert (finding.severity, place) == ("warning", Place())


class Web:
    """Requests that all end as ``result`` says."""

    def __init__(self, result: Deferred[Any]) -> None:
        self.result = result
        self.urls: list[str] = []

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        self.urls.append(url)
        return self.result


@pytest.mark.parametrize(
    ("host", "url", "local"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000/api/v2", False),  # noqa: S104
        ("::", "http://[::1]:8000/api/v2", False),
        ("fd00::7", "http://[fd00::7]:8000/api/v2", False),
        ("127.0.0.1", "http://127.0.0.1:8000/api/v2", True),
    ],
)
def test_a_running_gateway_that_does_not_answer_is_a_fault(host: str, url: str, local: bool) -> None:
    web = Web(fail(ConnectionRefusedError()))
    [finding], place = result_of(answers(MemoryReactorClock(), cast(Requests, web), [(host, 8000)]))
    assert (finding.severity, web.urls, place.local) == ("fault", [url], local)


def test_one_that_hangs_is_a_fault_too() -> None:
    reactor = MemoryReactorClock()
    looking = ensureDeferred(answers(reactor, cast(Requests, Web(Deferred())), [("127.0.0.1", 8000)]))
    reactor.advance(port.ANSWERS_WITHIN)
    [finding], _ = result_of(looking)
    assert finding.severity == "fault"


def test_one_on_no_port_has_none() -> None:
    [finding], place = result_of(answers(MemoryReactorClock(), cast(Requests, Web(Deferred())), []))
    assert (finding.severity, place) == ("ok", Place(True, ()))


def test_one_that_cannot_be_asked_is_told_to_be_restarted_and_not_to_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "keeper", lambda lock: 812)
    monkeypatch.setattr(port, "ports_of", lambda pid: [8123] if pid == 812 else [])
    [finding], place = of_silent(Path("lock"))
    assert finding.what == "port 8123: the gateway (pid 812) holds it, but cannot be asked"
    assert finding.do.endswith("restart it: systemctl restart ttgateway, or end it: kill -9 812")
    assert place.ports == (8123,)


def test_where_it_cannot_be_known_who_cannot_be_asked_no_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "keeper", lambda lock: None)
    assert of_silent(Path("lock")) == ([], Place())
