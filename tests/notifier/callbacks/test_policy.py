from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttgateway.machine import IPAddress
from ttgateway.notifier.callbacks.policy import PORTS_OF_OTHERS, CallPolicy, stays_closed, unwrapped
from ttgateway.refusals import CallbackForbidden
from ttgateway.settings import allowed_network

EVERYTHING = ("0.0.0.0/0", "::/0")
METADATA = ip_network("fd00:ec2::/32")
PRIVATE = st.one_of(
    *[st.ip_addresses(network=network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/9")]
)


def policy(
    *allow: str,
    source_only: bool = False,
    loopback: bool = False,
    own_ports: Collection[int] = (),
    own: Sequence[str] = (),
    gateways: Sequence[str] = (),
    broadcasts: Sequence[str] = (),
) -> CallPolicy:
    return CallPolicy(
        allow=[allowed_network(text) for text in allow],
        source_only=source_only,
        loopback=loopback,
        own_ports=own_ports,
        is_own=lambda address: str(address) in own,
        default_gateways=lambda: [ip_address(text) for text in gateways],
        broadcasts=lambda: [ip_address(text) for text in broadcasts],
    )


def refusal(judge: CallPolicy, address: str, port: int = 8080) -> str:
    """Return why ``judge`` refuses; fail where it does not."""
    with pytest.raises(CallbackForbidden) as refused:
        judge.check(ip_address(address), port)
    return str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.20", "fc00::1", "fd12:3456::7"],
)
def test_private_networks_are_allowed(address: str) -> None:
    policy().check(ip_address(address), 8080)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("127.0.0.1", "a loopback address"),
        ("127.255.0.9", "a loopback address"),
        ("::1", "a loopback address"),
        ("169.254.1.1", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("febf::1", "a link-local address"),
        ("100.64.0.1", "an address of a carrier's network (CGNAT)"),
        ("100.127.255.255", "an address of a carrier's network (CGNAT)"),
        ("192.0.0.8", "a reserved address"),
        ("198.18.0.1", "a reserved address"),
        ("240.0.0.1", "a reserved address"),
        ("fec0::1", "a reserved address"),
        ("100::1", "a reserved address"),
        ("9.255.255.255", "a public address"),
        ("11.0.0.0", "a public address"),
        ("172.15.255.255", "a public address"),
        ("172.32.0.0", "a public address"),
        ("192.169.0.1", "a public address"),
        ("203.0.113.7", "a public address"),
        ("8.8.8.8", "a public address"),
        ("2606:4700::1111", "a public address"),
        ("fbff::1", "a public address"),
    ],
)
def test_other_networks_are_closed_until_the_operator_opens_them(address: str, rule: str) -> None:
    prefix = 32 if "." in address else 128
    assert refusal(policy(), address) == (
        f"Callback refused: {address} is {rule}. "
        f"The operator allows it with: ttgateway allow {address}/{prefix} "
        f'(or with callbacks.allow = ["{address}/{prefix}"] in the settings).'
    )
    policy(f"{address}/{prefix}").check(ip_address(address), 8080)
    policy(f"{address}/{prefix} port 8080").check(ip_address(address), 8080)
    assert rule in refusal(policy(f"{address}/{prefix} port 8081"), address)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("0.0.0.0", "the unspecified address"),  # noqa: S104  # nothing is bound
        ("0.1.2.3", "the unspecified address"),
        ("::", "the unspecified address"),
        ("224.0.0.251", "a multicast address"),
        ("239.255.255.250", "a multicast address"),
        ("ff02::fb", "a multicast address"),
        ("255.255.255.255", "the broadcast address"),
        ("169.254.169.254", "a cloud's metadata service"),
        ("100.100.100.200", "a cloud's metadata service"),
        ("169.254.170.2", "a cloud's metadata service"),
        ("169.254.170.23", "a cloud's metadata service"),
        ("168.63.129.16", "a cloud's metadata service"),
        ("192.0.0.192", "a cloud's metadata service"),
        ("fd00:ec2::254", "a cloud's metadata service"),
        ("fd00:ec2::23", "a cloud's metadata service"),
        ("fd20:ce::254", "a cloud's metadata service"),
        ("fd00:42::42", "a cloud's metadata service"),
        ("fd00::5efe:7f00:1", "an ISATAP address"),
        ("fd00::200:5efe:a9fe:a9fe", "an ISATAP address"),
        ("2a00:1:2:3:0:5efe:a00:1", "an ISATAP address"),
        ("2002:a00:1::1", "a 6to4 address"),
        ("2001:0:1::1", "a Teredo address"),
        ("64:ff9b::a00:1", "a NAT64 address"),
        ("64:ff9b:1::a00:1", "a NAT64 address"),
        ("::ffff:0:a00:1", "an IPv4-translated address"),
        ("::a00:1", "an IPv4-compatible address"),
        ("::2", "an IPv4-compatible address"),
    ],
)
def test_what_no_listener_has_is_never_called(address: str, rule: str) -> None:
    judge = policy(*EVERYTHING, "0.0.0.0/0 port 8080", "::/0 port 8080", loopback=True)
    assert refusal(judge, address) == f"Callback refused: {address} is {rule}. No setting allows it."


@pytest.mark.parametrize("port", sorted(PORTS_OF_OTHERS))
def test_ports_of_other_services_are_closed_until_an_entry_names_them(port: int) -> None:
    assert refusal(policy("10.0.0.0/8", "10.0.0.0/8 port 8080"), "10.0.0.5", port) == (
        f"Callback refused: port {port} belongs to another kind of service. "
        f"The operator allows it with: ttgateway allow 10.0.0.5/32 port {port} "
        f'(or with callbacks.allow = ["10.0.0.5/32 port {port}"] in the settings).'
    )
    policy(f"10.0.0.5/32 port {port}").check(ip_address("10.0.0.5"), port)


def test_an_entry_opens_its_network_only() -> None:
    judge = policy("203.0.113.0/24", "2001:db8::/32")
    judge.check(ip_address("203.0.113.255"), 80)
    judge.check(ip_address("2001:db8::1"), 80)
    assert "a public address" in refusal(judge, "203.0.114.0")
    assert "a public address" in refusal(judge, "2001:db9::1")


def test_a_gateway_on_loopback_may_call_loopback() -> None:
    judge = policy(loopback=True)
    judge.check(ip_address("127.0.0.1"), 8080)
    judge.check(ip_address("::1"), 8080)
    assert "port 22" in refusal(judge, "127.0.0.1", 22)


def test_the_gateway_never_calls_itself() -> None:
    judge = policy(*EVERYTHING, "10.0.0.2/32 port 8000", own_ports={8000}, own=["10.0.0.2", "127.0.0.1"], loopback=True)
    for address in ("10.0.0.2", "127.0.0.1", "::ffff:10.0.0.2"):
        assert "this gateway itself, with port 8000. No setting allows it." in refusal(judge, address, 8000)
        judge.check(ip_address(address), 8001)
    judge.check(ip_address("10.0.0.3"), 8000)


def test_ports_that_open_later_are_our_own_too() -> None:
    ports: set[int] = set()
    judge = policy(own_ports=ports, own=["10.0.0.2"])
    judge.check(ip_address("10.0.0.2"), 8000)
    ports.add(8000)
    assert "this gateway itself" in refusal(judge, "10.0.0.2", 8000)


def test_the_broadcast_address_of_an_own_network_is_never_called() -> None:
    judge = policy(*EVERYTHING, "10.0.0.255/32 port 8080", broadcasts=["10.0.0.255"])
    for address in ("10.0.0.255", "::ffff:10.0.0.255"):
        assert refusal(judge, address) == (
            "Callback refused: 10.0.0.255 is the broadcast address of a network of this machine. No setting allows it."
        )
    judge.check(ip_address("10.0.1.255"), 8080)


@pytest.mark.parametrize("address", ["fd00:5efe::1", "fd00::5efe", "fd00::1:5efe:7f00:1", "fd00::100:5efe:7f00:1"])
def test_what_only_resembles_an_isatap_address_is_called(address: str) -> None:
    policy().check(ip_address(address), 8080)


def test_the_default_gateway_is_closed_until_the_operator_opens_it() -> None:
    gateways = ("192.168.1.1", "fd00::1")
    assert "192.168.1.1 is this network's router" in refusal(policy(gateways=gateways), "192.168.1.1")
    assert "fd00::1 is this network's router" in refusal(policy(gateways=gateways), "fd00::1")
    policy(gateways=gateways).check(ip_address("192.168.1.2"), 8080)
    policy("192.168.1.1/32", gateways=gateways).check(ip_address("192.168.1.1"), 8080)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1 is a loopback address"),
        ("::ffff:169.254.169.254", "169.254.169.254 is a cloud's metadata service"),
        ("::ffff:0.0.0.0", "0.0.0.0 is the unspecified address"),
        ("::ffff:8.8.8.8", "8.8.8.8 is a public address"),
        ("::ffff:192.168.1.1", "192.168.1.1 is this network's router"),
    ],
)
def test_an_ipv4_mapped_address_is_judged_as_its_ipv4(address: str, rule: str) -> None:
    assert rule in refusal(policy("::/0", gateways=["192.168.1.1"]), address)


def test_an_ipv4_mapped_private_address_is_allowed_and_dialled_as_ipv4() -> None:
    policy().check(ip_address("::ffff:10.0.0.1"), 8080)
    assert unwrapped(ip_address("::ffff:10.0.0.1")) == IPv4Address("10.0.0.1")


@pytest.mark.parametrize("address", [IPv4Address("10.0.0.1"), IPv6Address("fd00::1"), IPv6Address("2002:a00:1::")])
def test_other_addresses_are_dialled_as_they_are(address: IPAddress) -> None:
    assert unwrapped(address) == address


@given(PRIVATE, st.integers(1, 65535))
def test_a_private_address_is_refused_for_its_port_alone(address: IPAddress, port: int) -> None:
    if port in PORTS_OF_OTHERS or address in METADATA:
        refusal(policy(), str(address), port)
    else:
        policy().check(address, port)


@given(st.ip_addresses())
def test_nothing_but_private_addresses_is_allowed_unlisted(address: IPAddress) -> None:
    try:
        policy().check(address, 8080)
    except CallbackForbidden:
        return
    assert unwrapped(address).is_private
    assert not unwrapped(address).is_loopback


def test_any_addresses_may_be_registered_from_anywhere_by_default() -> None:
    policy().check_source(ip_address("10.0.0.1"), ip_address("10.0.0.2"))
    policy().check_source(ip_address("10.0.0.1"), None)


def test_with_source_only_a_device_registers_its_own_address_alone() -> None:
    judge = policy(source_only=True)
    caller = ip_address("10.0.0.1")
    judge.check_source(caller, caller)
    judge.check_source(ip_address("::ffff:10.0.0.1"), caller)
    judge.check_source(caller, ip_address("::ffff:10.0.0.1"))


@pytest.mark.parametrize(("host", "named"), [(ip_address("10.0.0.2"), "10.0.0.2"), (None, "a name")])
def test_with_source_only_neither_another_address_nor_a_name_is_the_callers_own(
    host: IPAddress | None, named: str
) -> None:
    with pytest.raises(CallbackForbidden) as refused:
        policy(source_only=True).check_source(ip_address("::ffff:10.0.0.1"), host)
    assert str(refused.value) == (
        f"Callback refused: {named} is not the address that this request came from (10.0.0.1). "
        "The operator allows other addresses with callbacks.source_only = false in the settings."
    )


def test_what_the_operator_opens_by_command_counts_as_what_the_settings_open_until_it_is_taken_back() -> None:
    judge = policy()
    judge.allow_also([allowed_network("203.0.113.0/24"), allowed_network("10.0.0.9/32 port 9100")])
    judge.check(ip_address("203.0.113.9"), 80)
    judge.check(ip_address("10.0.0.9"), 9100)
    assert "another kind of service" in refusal(judge, "203.0.113.9", 9100)
    assert judge.rules["command"] == ["203.0.113.0/24", "10.0.0.9/32 port 9100"]
    before = judge.revision
    judge.allow_also([])
    assert judge.revision != before
    assert "a public address" in refusal(judge, "203.0.113.9")


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.251", "0.0.0.1", "2002:a00::1", "10.0.0.1"])
def test_what_stays_closed_stays_so_whatever_is_opened_by_command(address: str) -> None:
    judge = policy(own_ports=[8080], own=["10.0.0.1"])
    judge.allow_also([allowed_network(text) for text in EVERYTHING])
    assert "No setting allows it" in refusal(judge, address)


@pytest.mark.parametrize(
    ("network", "closed"),
    [
        ("169.254.169.254/32", "a cloud's metadata service"),
        ("224.0.0.0/8", "a multicast address"),
        ("2002:a00::/32", "a 6to4 address"),
        ("::8/128", "an IPv4-compatible address"),
        ("::1/128", None),
        ("0.0.0.0/0", None),
        ("169.254.0.0/16", None),
        ("203.0.113.0/24", None),
    ],
)
def test_a_network_that_nothing_opens_is_known_as_such(network: str, closed: str | None) -> None:
    assert stays_closed(ip_network(network)) == closed
