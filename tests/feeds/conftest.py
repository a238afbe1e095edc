"""What tests of feeds share."""

from collections.abc import Iterator

import pytest

from tests.api.client import House


@pytest.fixture
def house() -> Iterator[House]:
    """A gateway; in the end it sends its readers away."""
    house = House()
    yield house
    house.audience.stop()
