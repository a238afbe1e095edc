"""A shop for each test: its accounts balance in the end."""

from collections.abc import Iterator

import pytest

from tests.notifier.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Return it; it is closed afterwards."""
    shop = Shop()
    yield shop
    assert shop.accounts_balance()
    shop.close()
