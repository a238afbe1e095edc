"""What a power cut may leave, and what it may not."""

from random import Random

import pytest

from tests.disks.medium import Image, Medium
from tests.disks.operations import (
    SECTOR,
    Create,
    Delete,
    MakeFolder,
    Operation,
    Rename,
    Sync,
    SyncFolder,
    Truncate,
    Write,
)

OLD, NEW = b"o" * 4 * SECTOR, b"n" * 4 * SECTOR


def images(*operations: Operation, first: Image | None = None, number: int = 400) -> list[Image]:
    medium = Medium(first or Image({"a": OLD}))
    for operation in operations:
        medium.apply(operation)
    return [medium.image(Random(seed)) for seed in range(number)]  # noqa: S311


def contents(found: list[Image], path: str = "a") -> set[bytes | None]:
    return {image.files.get(path) for image in found}


def test_what_was_synced_is_there_whatever_comes_after() -> None:
    found = contents(images(Write(0, 0, NEW), Sync(0), Write(0, len(NEW), b"more")))
    assert found == {NEW, NEW + b"more", NEW + b"\0", NEW + b"\0\0", NEW + b"\0\0\0", NEW + b"\0" * 4}


def test_what_was_not_synced_is_lost_or_not_by_whole_sectors() -> None:
    found = contents(images(Write(0, 0, NEW), number=4_000))
    assert {OLD, NEW} < found
    for content in found:
        assert content is not None
        assert {content[at : at + SECTOR] for at in range(0, len(OLD), SECTOR)} <= {OLD[:SECTOR], NEW[:SECTOR]}
    assert len(found) == 16


def test_of_two_writes_either_may_survive_alone() -> None:
    found = contents(images(Write(0, 0, b"x"), Write(0, SECTOR, b"y")))
    assert {(content or b"")[0:1] + (content or b"")[SECTOR : SECTOR + 1] for content in found} == {
        b"oo",
        b"xo",
        b"oy",
        b"xy",
    }


def test_a_truncation_that_was_not_synced_may_not_have_happened() -> None:
    assert contents(images(Truncate(0, 1))) == {OLD, OLD[:1]}


def test_a_name_is_durable_once_its_folder_was_synced() -> None:
    made = (Create("b", 1), Write(1, 0, b"x"), Sync(1))
    assert contents(images(*made), "b") == {None, b"x"}
    assert contents(images(*made, SyncFolder("")), "b") == {b"x"}
    assert contents(images(*made, SyncFolder(""), Delete("b")), "b") == {None, b"x"}


def test_a_rename_happens_whole_or_not_at_all() -> None:
    swapped = (Create("b", 1), Sync(1), SyncFolder(""), Rename("b", "a"))
    assert {tuple(sorted(image.files.items())) for image in images(*swapped)} == {
        (("a", OLD), ("b", b"")),
        (("a", b""),),
    }


def test_names_change_in_their_order_within_a_folder_and_in_none_between_folders() -> None:
    made = (MakeFolder("f"), SyncFolder(""), Create("f/1", 1), Create("b", 2), Create("c", 3))
    found = {(tuple(sorted(image.files))) for image in images(*made)}
    assert found == {
        ("a",),
        ("a", "f/1"),
        ("a", "b"),
        ("a", "b", "f/1"),
        ("a", "b", "c"),
        ("a", "b", "c", "f/1"),
    }


def test_a_file_moved_to_a_new_folder_is_in_one_of_both() -> None:
    found = images(MakeFolder("f"), MakeFolder("f/1"), Rename("a", "f/1/a"))
    assert {tuple(image.files) for image in found} == {("a",), ("f/1/a",)}


@pytest.mark.parametrize("bits", range(4))
def test_any_subset_can_be_asked_for(bits: int) -> None:
    medium = Medium(Image({"a": OLD}))
    medium.apply(Write(0, 0, b"x"))
    medium.apply(Write(0, 1, b"y"))
    assert len(medium.unsynced) == 2
    content = medium.image_of(lambda number: bool(bits >> number & 1)).files["a"]
    assert content[:2] == (b"x" if bits & 1 else b"o") + (b"y" if bits & 2 else b"o")


def test_the_same_random_numbers_leave_the_same() -> None:
    assert images(Write(0, 0, NEW), number=20) == images(Write(0, 0, NEW), number=20)
