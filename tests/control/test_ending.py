from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from ttgateway.control.ending import Ending


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
