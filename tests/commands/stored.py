"""A house whose state directory has a store in a file."""

from pathlib import Path

from tests.commands.stand_ins import House
from tests.store.files import clock_at, shop_in
from tests.support import result_of


def stored(state_dir: Path) -> House:
    """Return a house with a store of two orders in ``state_dir``; its daemon has one in memory."""
    house = House(state_dir)
    state_dir.mkdir()
    shop = shop_in(state_dir, clock_at())
    shop.post("1")
    shop.post("2")
    result_of(shop.store.stop())
    return house
