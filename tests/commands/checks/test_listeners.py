from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from tests.support import Names, open_policy, result_of
from ttgateway.commands.checks import listeners
from ttgateway.commands.checks.finding import Findings
from ttgateway.commands.checks.listeners import AT_ONCE, MOST_SHOWN, asked, judged
from ttgateway.commands.gateway.client import Daemon
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.openings import opening


class Answering(Daemon):
    """A daemon that says of each listener what it is told to; ``takes`` is how many seconds that takes."""

    def __init__(self, causes: dict[str, str], clock: Clock | None = None, takes: float = 0.0) -> None:
        super().__init__(Path("state"), None, clock or Clock())  # type: ignore[arg-type]
        self.causes = causes
        self.clock = clock or Clock()
        self.takes = takes

    async def ask(self, method: str, *path: str, **body: object) -> Any:
        if path == ("listeners",):
            return [{"id": url, "url": url} for url in self.causes]
        self.clock.advance(self.takes)
        cause = self.causes[path[1]]
        if cause == "busy":
            raise CommandFailed("Too many listeners are being reached at once.")
        why = "Callback refused: x is a public address. The operator allows it with: ttgateway allow 203.0.113.7/32 (or"
        return {"url": path[1], "cause": cause, "whyNot": why if cause == "forbidden" else ""}


def found(causes: dict[str, str], **how: Any) -> Findings:
    clock = Clock()
    return result_of(asked(clock, Answering(causes, clock, **how)))[0]


def url(number: int) -> str:
    return f"http://10.0.0.{number}/"


def test_those_that_answer_are_counted() -> None:
    assert [one.what for one in found({})] == ["none is registered"]
    assert [one.what for one in found({url(1): ""})] == ["1 listener answers"]
    assert [one.what for one in found({url(number): "" for number in range(3 * AT_ONCE)})] == ["48 listeners answer"]


@pytest.mark.parametrize("cause", ["refused", "timeout", "dns", "tls", "protocol"])
def test_one_that_does_not_is_a_fault_with_its_cause_and_what_to_do(cause: str) -> None:
    bad, good = found({url(1): cause, url(2): ""})
    assert (bad.severity, good.what) == ("fault", "1 listener answers")
    assert bad.what.startswith(f"{url(1)} gets nothing: ")
    assert bad.do.endswith(f"or forget it: ttgateway listeners remove {url(1)}")


def test_one_that_may_not_be_called_is_a_fault_with_the_command_that_opens_it() -> None:
    [bad] = found({url(1): "forbidden"})
    assert bad.what == f"{url(1)} gets nothing: x is a public address, and not called"
    assert bad.do.startswith("Let it be called: ttgateway allow 203.0.113.7/32; or forget it: ")


def test_one_that_cannot_be_asked_just_now_is_a_warning() -> None:
    [bad] = found({url(1): "busy"})
    assert (bad.severity, "Too many" in bad.what) == ("warning", True)


def test_of_many_the_first_are_shown_and_the_rest_counted() -> None:
    bad = found({url(number): "refused" for number in range(MOST_SHOWN + 3)})
    assert len(bad) == MOST_SHOWN + 1
    assert bad[-1].what == "3 more get nothing"


def test_after_some_time_no_further_one_is_asked() -> None:
    *_, unasked, answering = found({url(number): "" for number in range(10)}, takes=listeners.ASKS_FOR / 4)
    assert (unasked.severity, unasked.what) == ("warning", "6 listeners were not asked: those before took 15 s")
    assert answering.what == "4 listeners answer"


def offline(policy: CallPolicy, *urls: str) -> Findings:
    return result_of(ensureDeferred(judged(urls, policy, Names())))[0]


def test_without_a_gateway_they_are_judged_and_not_asked() -> None:
    policy = open_policy(allow=[], loopback=False)
    bad, unasked = offline(policy, "http://203.0.113.7/", url(1), "http://away.shop/")
    assert (bad.severity, unasked.severity) == ("fault", "warning")
    assert bad.do.startswith("Let it be called: ttgateway allow 203.0.113.7/32")
    assert unasked.what == "3 listeners were not asked: no gateway runs"
    policy.allow_also([opening("203.0.113.0/24")])
    [unasked] = offline(policy, "http://203.0.113.7/")
    assert unasked.what == "1 listener was not asked: no gateway runs"
    [none] = offline(policy)
    assert (none.severity, none.what) == ("ok", "none is registered")


def test_what_nothing_opens_can_only_be_forgotten() -> None:
    bad, _ = offline(open_policy(), "http://169.254.169.254/")
    assert bad.do == "ttgateway listeners remove http://169.254.169.254/"


def test_what_is_to_be_typed_can_be_however_long_the_url_is_and_whatever_stands_in_it() -> None:
    long = f"http://10.0.0.1/{'o' * 100}?store=7&display=2"
    [bad] = found({long: "refused"})
    assert bad.do.endswith(f"or forget it: ttgateway listeners remove '{long}'")
