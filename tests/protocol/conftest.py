"""A shop for each test."""

from collections.abc import Iterator

import pytest

from tests.protocol.common import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Return it; it is closed afterwards."""
    shop = Shop()
    yield shop
    shop.close()
