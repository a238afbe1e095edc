"""A site for each test; none of them may log a failure."""

from collections.abc import Iterator

import pytest

from tests.api.server.house import House, nothing_logged


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with nothing_logged():
        yield
