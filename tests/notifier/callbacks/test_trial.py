from ipaddress import ip_address

import pytest

from tests.support import Names, open_policy, result_of
from ttgateway.machine import IPAddress
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.trial import Ruling, tried
from ttgateway.openings import opening

NAMES = Names(
    **{
        "kds.shop": (ip_address("10.0.0.7"), ip_address("fd00::7")),
        "half.shop": (ip_address("10.0.0.7"), ip_address("203.0.113.7")),
    }
)


def closed(**changed: object) -> CallPolicy:
    return open_policy(**{"allow": [], "loopback": False, **changed})


def test_a_url_is_called_where_each_address_of_its_name_may_be() -> None:
    trial = result_of(tried("http://KDS.shop:8080", closed(), NAMES))
    assert (trial.url, trial.called, trial.why_not) == ("http://kds.shop:8080/", True, "")
    assert trial.rulings == (
        Ruling("10.0.0.7", True, "a private address"),
        Ruling("fd00::7", True, "a private address"),
    )


def test_one_address_that_may_not_be_called_closes_the_url_and_names_what_opens_it() -> None:
    trial = result_of(tried("http://half.shop/", closed(), NAMES))
    assert [ruling.called for ruling in trial.rulings] == [True, False]
    assert not trial.called
    assert "ttgateway allow 203.0.113.7/32" in trial.why_not


@pytest.mark.parametrize("url", ["ftp://10.0.0.7/", "http://user@10.0.0.7/", "nothing", 7, None])
def test_what_is_no_url_is_not_called(url: object) -> None:
    trial = result_of(tried(url, closed(), NAMES))
    assert (trial.called, trial.rulings) == (False, ())
    assert trial.why_not.startswith("It is not a URL that is called: ")


def test_a_name_without_an_address_is_not_called() -> None:
    trial = result_of(tried("http://away.shop/", closed(), NAMES))
    assert (trial.called, trial.rulings) == (False, ())
    assert trial.why_not.startswith("Its name has no address")


def opened(text: str) -> CallPolicy:
    policy = closed()
    policy.allow_also([opening(text)])
    return policy


@pytest.mark.parametrize(
    ("policy", "address", "port", "reason"),
    [
        (closed(), "192.168.1.9", 80, "a private address"),
        (closed(loopback=True), "127.0.0.1", 80, "a loopback address, and the gateway itself listens on loopback only"),
        (closed(allow=[opening("203.0.113.0/24")]), "203.0.113.9", 80, "opened by callbacks.allow: 203.0.113.0/24"),
        (opened("203.0.113.0/24"), "203.0.113.9", 80, "opened by ttgateway allow: 203.0.113.0/24"),
        (opened("10.0.0.9 port 9100"), "10.0.0.9", 9100, "opened by ttgateway allow: 10.0.0.9/32 port 9100"),
        (opened("203.0.113.0/24"), "::ffff:203.0.113.9", 80, "opened by ttgateway allow: 203.0.113.0/24"),
    ],
)
def test_the_reason_names_what_decides(policy: CallPolicy, address: str, port: int, reason: str) -> None:
    judged: IPAddress = ip_address(address)
    assert policy.reason(judged, port) == reason


def test_what_opens_more_is_shown_by_its_name_and_each_change_of_it_is_counted() -> None:
    policy = closed(allow=[opening("203.0.113.7 port 8080")], loopback=True, source_only=True)
    for revision, entries in enumerate(((opening("198.51.100.0/24"),), ()), start=1):
        policy.allow_also(entries)
        assert policy.revision == revision
        assert policy.rules == {
            "private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
            "settings": ["203.0.113.7/32 port 8080"],
            "command": [str(entry) for entry in entries],
            "loopback": True,
            "sourceOnly": True,
        }
