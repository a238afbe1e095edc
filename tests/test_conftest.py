"""The conftest is tested itself: what it must not let pass is done by a test in a pytest of its own."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).with_name("conftest.py").read_text()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            """
            from twisted.logger import Logger

            def test_it():
                try:
                    1 / 0
                except ZeroDivisionError:
                    Logger().failure("it failed")
            """,
            "*logged: *ZeroDivisionError*",
        ),
        (
            """
            from twisted.internet.defer import fail

            def test_it():
                fail(RuntimeError("nobody looks at this"))
            """,
            "*nobody looks at this*",
        ),
        (
            """
            from twisted.internet.task import Clock

            def test_it():
                Clock().callLater(5, print)
            """,
            "*left behind: *",
        ),
        (
            """
            from twisted.internet import reactor

            def test_it():
                reactor.callLater(5, print)
            """,
            "*left behind: *",
        ),
        (
            """
            from twisted.internet import reactor
            from twisted.internet.protocol import Factory

            def test_it():
                reactor.listenTCP(0, Factory(), interface="127.0.0.1")
            """,
            "*left open: *",
        ),
        (
            """
            from twisted.internet.defer import Deferred

            async def test_it():
                await Deferred()
            """,
            "*TimeoutError*",
        ),
    ],
    ids=["logged failure", "lost failure", "timer on a clock", "timer on the reactor", "open port", "hanging Deferred"],
)
def test_what_pytest_alone_would_let_pass_fails(pytester: pytest.Pytester, body: str, complaint: str) -> None:
    pytester.makeconftest(CONFTEST.replace("LONGEST = 60.0", "LONGEST = 0.2"))
    pytester.makepyfile(body)
    result = pytester.runpytest_subprocess()
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    result.stdout.fnmatch_lines([complaint])


def test_a_clean_test_passes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("async def test_it():\n    pass")
    assert pytester.runpytest_subprocess().parseoutcomes() == {"passed": 1}
