import pytest

from ttgateway.discovery import browsing
from ttgateway.discovery.multicast import MulticastFailed


def test_a_machine_without_a_network_finds_nothing_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "own_places", list)
    with pytest.raises(MulticastFailed, match="this machine has no network"):
        browsing.found_gateways(60)
