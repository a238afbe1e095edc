import pytest

from ttgateway.keys import ANY_KEY, EVENT, KeyPresses

SYN, KEY, MSC = 0, 1, 4
ENTER, SPACE = 28, 57
UP, DOWN, HELD = 0, 1, 2


def event(kind: int, code: int, value: int) -> bytes:
    return EVENT.pack(1_474_571_332, 5, kind, code, value)


def press(code: int) -> bytes:
    """Return what a keypad says when a key is pressed, held for a while and let go."""
    parts = [event(MSC, 4, 458_792), event(KEY, code, DOWN), event(SYN, 0, 0)]
    parts += [event(KEY, code, HELD), event(SYN, 0, 1)] * 3
    return b"".join([*parts, event(KEY, code, UP), event(SYN, 0, 0)])


def test_a_press_counts_once_however_long_the_key_is_held() -> None:
    assert KeyPresses(ENTER).feed(press(ENTER)) == 1
    assert KeyPresses(ENTER).feed(press(ENTER) * 2) == 2


@pytest.mark.parametrize(("key", "presses"), [(ENTER, 1), (SPACE, 0), (ANY_KEY, 1)])
def test_only_the_key_that_is_meant_counts(key: int, presses: int) -> None:
    assert KeyPresses(key).feed(press(ENTER)) == presses


def test_what_is_no_key_does_not_count() -> None:
    assert KeyPresses(ANY_KEY).feed(event(SYN, 1, 1) + event(MSC, 28, 1)) == 0


@pytest.mark.parametrize("size", range(1, EVENT.size + 2))
def test_events_may_come_in_any_pieces(size: int) -> None:
    keys, said = KeyPresses(ENTER), press(ENTER)
    assert sum(keys.feed(said[at : at + size]) for at in range(0, len(said), size)) == 1
