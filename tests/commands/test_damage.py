from pathlib import Path

import pytest

from tests.commands.stand_ins import House
from tests.commands.stored import stored
from tests.store.files import clock_at, shop_in
from tests.support import result_of
from ttgateway.commands.damage import damage
from ttgateway.store import opening


@pytest.fixture
def house(tmp_path: Path) -> House:
    return stored(tmp_path / "state")


def test_damage_is_shown_and_forgotten_when_it_was_seen(house: House) -> None:
    house.store.findings.damage = "2 changes are lost"
    assert house.invoke(damage).stdout == "2 changes are lost\n"
    assert house.gateway.damage == "2 changes are lost"
    assert house.invoke(damage, "--seen").stdout.startswith("2 changes are lost\nSeen: ")
    assert house.gateway.damage == ""
    assert house.gateway.health.faults() == ["notifier stopped"]
    assert house.invoke(damage).stdout == "The store has lost nothing that nobody has seen.\n"


def test_damage_that_is_yet_to_be_mended_is_not_forgotten(house: House) -> None:
    house.store.findings.damage, house.store.findings.damaged = "found while running", True
    house.invoke(damage, "--seen")
    assert house.gateway.damage == "found while running"


def test_without_a_daemon_damage_is_in_the_file(house: House) -> None:
    house.stop_daemon()
    db = opening.connect(str(house.console.state_dir / opening.FILE))
    db.execute("UPDATE gateway SET damage = 'gone'").get  # noqa: B018
    db.close()
    assert house.invoke(damage).stdout == "gone\n"
    assert house.invoke(damage, "--seen").exit_code == 0
    assert "nothing that nobody has seen" in house.invoke(damage).stdout
    shop = shop_in(house.console.state_dir, clock_at())
    assert shop.store.damage == ""
    result_of(shop.store.stop())
