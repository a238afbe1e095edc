from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from ttgateway.commands.terminal.ending import Ending


def test_a_pause_ends_after_its_time() -> None:
    timers = Clock()
    pause = ensureDeferred(Ending(timers).pause(2.0))
    timers.advance(1.9)
    assert not pause.called
    timers.advance(0.2)
    assert pause.called


def test_asking_ends_every_pause_at_once_and_those_to_come() -> None:
    timers = Clock()
    ending = Ending(timers)
    pauses = [ensureDeferred(ending.pause(2.0)), ensureDeferred(ending.pause())]
    ending.ask()
    ending.ask()
    assert ending.asked
    assert all(pause.called for pause in pauses)
    assert ensureDeferred(ending.pause(2.0)).called


def test_a_pause_without_a_time_waits_until_asked() -> None:
    timers = Clock()
    ending = Ending(timers)
    pause = ensureDeferred(ending.pause())
    timers.advance(1e6)
    assert not pause.called
    ending.ask()
    assert pause.called


def test_an_end_can_be_set_to_come_by_itself() -> None:
    timers = Clock()
    ending = Ending(timers)
    with ending.after(2.0):
        timers.advance(1.9)
        assert not ending.asked
        timers.advance(0.2)
        assert ending.asked


def test_who_has_ended_before_is_not_asked_any_more() -> None:
    timers = Clock()
    ending = Ending(timers)
    for seconds in (2.0, None):
        with ending.after(seconds):
            timers.advance(1.0)
    timers.advance(10.0)
    assert not ending.asked
