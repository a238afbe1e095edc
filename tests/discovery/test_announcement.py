import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf._utils.name import service_type_name

from ttgateway.discovery.announcement import SERVICE, Announcement, instance_name, shown_name

ONE = Announcement(name="Store 12", port=8000, id="0f3c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b", version="1.2.3")


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("ttgateway", "ttgateway"),
        ("Café 12", "Café 12"),
        ("Tony's No. 5", "Tony's No- 5"),
        ("a\nb\x7f", "a-b-"),
        ("", "ttgateway"),
        ("  ", "ttgateway"),
        ("é" * 40, "é" * 28),
    ],
)
def test_any_name_becomes_one_that_dns_can_carry(name: str, instance: str) -> None:
    assert instance_name(name) == instance


@given(st.text(max_size=100))
def test_the_library_takes_every_name_even_with_a_number_behind_it(name: str) -> None:
    service_type_name(f"{instance_name(name)}-99999.{SERVICE}", strict=True)
    assert "." not in instance_name(name)


def test_the_records_tell_where_the_api_is() -> None:
    info = ONE.info(["10.0.0.5", "10.0.1.5"])
    assert info.name == "Store 12._tracker-http._tcp.local."
    assert (info.port, info.server) == (8000, "ttgateway-0f3c1a2b4d5e.local.")
    assert info.parsed_addresses() == ["10.0.0.5", "10.0.1.5"]
    assert info.decoded_properties == {"path": "/api/v2", "version": "1.2.3", "id": ONE.id}


def test_people_are_shown_the_name_without_the_type() -> None:
    assert shown_name(ONE.info([]).name) == "Store 12"
