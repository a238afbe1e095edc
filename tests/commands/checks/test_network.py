from typing import Any, cast

import pytest
from treq.testing import StubTreq
from twisted.internet.defer import ensureDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.support import result_of
from ttgateway.commands.checks import network
from ttgateway.commands.checks.finding import Findings
from ttgateway.commands.checks.network import cannot, heard, namesakes, own
from ttgateway.commands.gateway.calling import Requests
from ttgateway.discovery.browsing import FoundGateway
from ttgateway.discovery.multicast import MulticastFailed

OURS = FoundGateway("shop", "10.0.0.5", 8000, "0.1.0", "id-1")
OTHER = FoundGateway("shop-2", "10.0.0.9", 8000, "0.1.0", "id-2")


def view(name: str = "shop", trouble: str = "") -> dict[str, Any]:
    return {"announced": {"name": name, "trouble": trouble}, "status": {"name": "shop", "id": "id-1"}}


@pytest.mark.parametrize(
    ("seen", "found", "severity", "says"),
    [
        (view(), [OURS], "ok", "seen as shop"),
        (view(""), [], "ok", "about to be announced"),
        (view(), [OTHER], "fault", "announced as shop, but nobody hears it"),
        (view("", "no interface can multicast"), [], "fault", "not announced: no interface can multicast"),
        (view("shop-2"), [OURS], "fault", "another has the name shop: the gateway is announced as shop-2"),
    ],
)
def test_how_the_gateway_is_announced_is_judged(
    seen: dict[str, Any], found: list[FoundGateway], severity: str, says: str
) -> None:
    [finding] = own(seen, found, [])
    assert (finding.severity, says in finding.what) == (severity, True)
    assert bool(finding.do) == (severity == "fault")


def test_one_that_had_to_take_another_name_is_no_second_fault_where_the_other_is_known() -> None:
    [finding] = own(view("shop-2"), [OURS], cannot(MulticastFailed("x")))
    assert finding.severity == "ok"


@pytest.mark.parametrize("why", ["this machine has no network", "multicast cannot be sent: 10.0.0.5: not permitted"])
def test_a_network_without_multicast_is_a_fault(why: str) -> None:
    [finding] = cannot(MulticastFailed(why))
    assert finding.severity == "fault"
    assert finding.do


class Named(Resource):
    """A gateway that calls itself ``name``."""

    def __init__(self, body: bytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.isLeaf = True
        self.body = body

    def render(self, request: Request) -> bytes:
        return self.body


def sought(body: bytes, *found: FoundGateway) -> Findings:
    requests = StubTreq(Named(body))  # type: ignore[no-untyped-call]
    looking = ensureDeferred(namesakes(MemoryReactorClock(), cast(Requests, requests), "shop", "id-1", [OURS, *found]))
    requests.flush()  # type: ignore[no-untyped-call]
    return result_of(looking)


def test_another_of_our_name_is_a_fault_though_it_is_announced_under_another() -> None:
    for other in (OTHER, FoundGateway("shop", "10.0.0.9", 8000, "0.1.0", "id-2")):
        [finding] = sought(b'{"gateway": {"name": "shop"}}', other, other)
        assert finding.what == "another gateway is called shop as well: at 10.0.0.9, port 8000"
        assert 'name = "shop 2"' in finding.do


def test_one_that_its_owner_has_called_so_is_none() -> None:
    assert sought(b'{"gateway": {"name": "shop-2"}}', OTHER) == []
    assert sought(b'{"gateway": {"name": "bar"}}', FoundGateway("bar", "10.0.0.9", 8000, "", "id-2")) == []


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"gateway": 7}', b'{"gateway": {}}'])
def test_one_that_does_not_tell_counts_by_what_it_is_announced_as(body: bytes) -> None:
    assert sought(body, OTHER) == []
    assert len(sought(body, FoundGateway("shop", "10.0.0.9", 8000, "", "id-2"))) == 1


def test_who_cannot_send_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "own_places", list)
    monkeypatch.setattr(network, "unsendable", lambda addresses: "10.0.0.5: not permitted")
    with pytest.raises(MulticastFailed, match=r"cannot be sent: 10\.0\.0\.5"):
        heard(lambda seconds: [OURS])
    monkeypatch.setattr(network, "unsendable", lambda addresses: "")
    assert heard(lambda seconds: [OURS]) == [OURS]
