"""The course of one run: the table registered, delivered to, and what else may lead the daemon astray."""

import tempfile
from pathlib import Path

from tests.callees.addresses import OWN
from tests.callees.dialling import Deliveries, deliver, narrow, only_own
from tests.callees.gateway import Api, StoreGateway
from tests.callees.registering import BRIDGE_PORT, register, register_besides
from tests.callees.table import Case
from tests.callees.world import World

SETTINGS = f'[discovery]\nenabled = false\n[bridge]\nlisten = "tcp:{OWN}:{BRIDGE_PORT}"\n'


def run(world: World, cases: list[Case], seed: int) -> None:
    """Do it all, and leave no process behind; what went wrong is in ``world``."""
    with tempfile.TemporaryDirectory() as folder:
        _of_the_table(world, cases, seed, Path(folder) / "table")
        narrow(world, Path(folder) / "narrowed")
        only_own(world, Path(folder) / "own", seed)
    proved = {
        *("replies, called", "listeners told", "listeners refused at the dial"),
        "devices that registered themselves told",
    }
    if not cases or not proved <= set(+world.figures):
        world.wrong.append(f"nothing proved: {dict(world.figures)}")


def _of_the_table(world: World, cases: list[Case], seed: int, folder: Path) -> None:
    gateway = StoreGateway(folder, SETTINGS)
    gateway.start()
    try:
        api = Api(gateway.secret)
        kept = register(world, api, cases, seed)
        register_besides(world, api)
        world.strangers("registrations")
        deliver(Deliveries(world, gateway, api, kept), world, gateway)
        api.close()
        gateway.stop()
        world.wrong += gateway.complaints()
    finally:
        gateway.end()
