"""A story's time becomes time to wait; what was missed is not made up for."""

from twisted.internet.task import Clock

from ttgateway.commands.simulation.day import DAY, NIGHT
from ttgateway.commands.simulation.tempo import BEHIND, Tempo


def test_what_is_asked_for_first_is_due_at_once_and_the_rest_by_the_speed() -> None:
    tempo = Tempo(Clock(), 60.0)
    assert [tempo.wait(at) for at in (43_200.0, 43_260.0, 43_320.0)] == [0.0, 1.0, 2.0]


def test_who_is_a_little_late_catches_up() -> None:
    clock = Clock()
    tempo = Tempo(clock, 1.0)
    tempo.wait(0.0)
    clock.advance(BEHIND / 2)
    assert tempo.wait(10.0) == 10.0 - BEHIND / 2


def test_an_outage_is_not_made_up_for() -> None:
    clock = Clock()
    tempo = Tempo(clock, 1.0)
    tempo.wait(0.0)
    clock.advance(3600.0)
    assert tempo.wait(10.0) == 10.0 - BEHIND


def test_a_night_is_passed_over_unless_it_is_wanted() -> None:
    for nights, seconds in ((False, NIGHT), (True, DAY / 2)):
        tempo = Tempo(Clock(), 1.0, nights=nights)
        tempo.wait(DAY - 3600.0)
        assert tempo.wait(DAY - 3600.0 + DAY / 2) == seconds
