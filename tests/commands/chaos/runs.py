"""Scripts for tests: a restaurant whose faults and uuids come from one seed."""

import uuid
from collections.abc import Collection
from datetime import UTC
from random import Random

from ttgateway.commands.chaos.book import Book
from ttgateway.commands.chaos.script import Fault, Script
from ttgateway.commands.simulation.restaurant import Restaurant
from ttgateway.store.tables.listeners import Listener

NOON = 12 * 3600.0
MIDNIGHT = 1_750_032_000.0  # 2025-06-16


def book_of(seed: int) -> Book:
    random = Random(seed)  # noqa: S311
    return Book(lambda: str(uuid.UUID(int=random.getrandbits(128), version=4)), MIDNIGHT, UTC)


def script_of(seed: int, faults: Collection[Fault] = tuple(Fault), api: int = 2) -> tuple[Script, Book]:
    """Return a script for a listener of version ``api``, and the book that it writes."""
    book = book_of(seed)
    story = Restaurant(20, 60.0, Random(seed)).story(NOON)  # noqa: S311
    listener = Listener(id="", url="http://127.0.0.1/", api=api, snapshot=api == 2, registered=0.0)
    return Script(listener, story, book, faults, Random(seed)), book  # noqa: S311
