import pytest
from twisted.internet.task import Clock

from ttgateway.api.server.rates import TokenBuckets, peer_group


def taken(buckets: TokenBuckets, peer: str, times: int) -> int:
    return sum(buckets.take(peer) for _ in range(times))


def test_a_burst_is_granted_and_no_more() -> None:
    buckets = TokenBuckets(Clock(), rate=1, burst=5)
    assert taken(buckets, "10.0.0.1", 20) == 5


def test_tokens_come_back_at_the_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, rate=10 / 60, burst=10)
    assert taken(buckets, "10.0.0.1", 100) == 10
    clock.advance(5.9)
    assert not buckets.take("10.0.0.1")
    clock.advance(0.2)
    assert taken(buckets, "10.0.0.1", 2) == 1
    clock.advance(60)
    assert taken(buckets, "10.0.0.1", 100) == 10


def test_a_peer_that_never_stops_is_still_served_at_the_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, rate=2, burst=4)
    granted = 0
    for _ in range(1000):
        granted += buckets.take("10.0.0.1")
        clock.advance(0.01)
    assert granted == pytest.approx(4 + 2 * 10, abs=1)


def test_the_bucket_never_holds_more_than_the_burst() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock, rate=1000, burst=3)
    buckets.take("10.0.0.1")
    clock.advance(10_000)
    assert taken(buckets, "10.0.0.1", 10) == 3


def test_peers_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(Clock(), rate=1, burst=1)
    assert buckets.take("10.0.0.1")
    assert buckets.take("10.0.0.2")
    assert not buckets.take("10.0.0.1")


def test_the_table_forgets_who_was_seen_longest_ago() -> None:
    buckets = TokenBuckets(Clock(), rate=0.001, burst=1, most=3)
    for peer in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
        buckets.take(peer)
    assert not buckets.take("10.0.0.1")  # seen again: now 10.0.0.2 is the oldest
    buckets.take("10.0.0.4")
    assert len(buckets) == 3
    assert not buckets.take("10.0.0.1")
    assert buckets.take("10.0.0.2")


def test_all_of_an_ipv6_network_of_64_bits_is_one_peer() -> None:
    buckets = TokenBuckets(Clock(), rate=1, burst=1)
    assert buckets.take("fd00:1:2:3::1")
    assert not buckets.take("fd00:1:2:3:ffff:ffff:ffff:ffff")
    assert buckets.take("fd00:1:2:4::1")


@pytest.mark.parametrize(
    ("peer", "group"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::1:2:3:4%eth1", "fe80::/64"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_a_peer_has_one_group(peer: str, group: str) -> None:
    assert peer_group(peer) == group
