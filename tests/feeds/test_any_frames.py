"""Whatever a peer sends on a WebSocket, in whatever pieces."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.client import House
from tests.feeds.screens import Screen
from tests.fuzz.frames import talk
from tests.fuzz.judging import check_frames
from tests.fuzz.scripts import SECRET


@given(st.integers(0, 2**32), st.lists(st.integers(0, 3_000), max_size=5), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_frames_raise_and_all_that_is_said_is_well_formed(seed: int, cuts: list[int], known: bool) -> None:
    house = House()
    screen = Screen(house, house.secret if known else None)
    data = talk(Random(seed)).replace(SECRET.encode(), house.secret.encode())  # noqa: S311
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    for begin, end in pairwise(places):
        if not screen.transport.disconnecting:
            screen.raw(data[begin:end])
    house.timers.pump([1.0] * 75)
    assert screen.transport.disconnecting
    check_frames(bytes(screen.transport.value()).partition(b"\r\n\r\n")[2])
    house.audience.stop()
    screen.end()
