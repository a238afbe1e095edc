"""The listeners: may each be called, by our own policy, and does each answer a HEAD?"""

import re
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import Any

from twisted.internet.defer import ensureDeferred, gatherResults

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.commands.gateway.client import Daemon
from ttgateway.commands.terminal.console import CommandFailed
from ttgateway.commands.terminal.tables import plain, printable
from ttgateway.notifier.attempts.outcome import DNS, FORBIDDEN, PROTOCOL, REFUSED, TIMEOUT, TLS
from ttgateway.notifier.callbacks.policy import CallPolicy
from ttgateway.notifier.callbacks.resolver import Resolver
from ttgateway.notifier.callbacks.trial import tried

PART = "listener"

AT_ONCE = 16
ASKS_FOR = 15.0
"""Seconds after which no further listener is asked."""

MOST_SHOWN = 20

_COMMAND = re.compile(r"ttgateway allow [^ ]+( port \d+)?")

_CAUSES = {
    REFUSED: ("nothing listens there", "Start the listener"),
    TIMEOUT: ("no answer in time", "Look whether that machine is on, on this network, and lets the port through"),
    DNS: ("its name has no address", "Register it by its address, or mend the name: getent hosts NAME"),
    TLS: ("its certificate is not valid for it", "Mend the certificate, or name its authority: callbacks.ca_file"),
    PROTOCOL: ("what answers there speaks no HTTP", "Look what listens there"),
}


async def asked(reactor: Any, daemon: Daemon) -> tuple[Findings, None]:
    """Have the running gateway examine each of its listeners; return what is found. Raises `CommandFailed`."""
    everyone = await daemon.ask("GET", "listeners")
    left, bad, ends = iter(everyone), list[Finding](), reactor.seconds() + ASKS_FOR

    async def worker() -> int:
        count = 0
        while reactor.seconds() < ends and (one := next(left, None)) is not None:
            bad.extend(await _examined(daemon, one))
            count += 1
        return count

    count = sum(await gatherResults([ensureDeferred(worker()) for _ in range(AT_ONCE)], consumeErrors=True))
    return [*_shown(sorted(bad, key=lambda one: one.what)), *_rest(count, len(bad), len(everyone) - count)], None


async def _examined(daemon: Daemon, one: dict[str, Any]) -> Findings:
    try:
        found = await daemon.ask("POST", "listeners", one["id"], "examine")
    except CommandFailed as error:  # it is gone by now, or the gateway is busy
        return [warning(PART, f"{plain(one['url'])} was not asked: {error}", "Try again: ttgateway check")]
    if not found["cause"]:
        return []
    if found["cause"] == FORBIDDEN:
        return [forbidden(found["url"], found["whyNot"])]
    what, do = _CAUSES[found["cause"]]
    return [fault(PART, f"{plain(found['url'])} gets nothing: {what}", f"{do}; or forget it: {_remove(found['url'])}")]


async def judged(urls: Iterable[str], policy: CallPolicy, resolver: Resolver) -> tuple[Findings, None]:
    """Return which listeners of a gateway that does not run it would not call; none of them is asked."""
    trials = [(url, await tried(url, policy, resolver)) for url in urls]
    bad = [forbidden(url, trial.why_not) for url, trial in trials if trial.rulings and not trial.called]
    if not trials:
        return [ok(PART, "none is registered")], None
    what = f"{_counted(len(trials))} not asked: no gateway runs"
    return [*_shown(bad), warning(PART, what, "Start the gateway, and check again")], None


def forbidden(url: str, why: str) -> Finding:
    """Return the finding that our policy refuses ``url``; the refusal itself says by what command it is opened."""
    opens = _COMMAND.search(why)
    what = f"{plain(url)} gets nothing: {why.partition('. ')[0].removeprefix('Callback refused: ')}, and not called"
    return fault(PART, what, f"Let it be called: {opens[0]}; or forget it: {_remove(url)}" if opens else _remove(url))


def _remove(url: str) -> str:
    return f"ttgateway listeners remove {quote(printable(url))}"


def _shown(bad: Findings) -> Iterator[Finding]:
    yield from bad[:MOST_SHOWN]
    if len(bad) > MOST_SHOWN:
        yield fault(PART, f"{len(bad) - MOST_SHOWN} more get nothing", "Look at all of them: ttgateway listeners")


def _rest(count: int, bad: int, unasked: int) -> Iterator[Finding]:
    if unasked > 0:
        what = f"{_counted(unasked)} not asked: those before took {ASKS_FOR:g} s"
        yield warning(PART, what, "Look at all of them: ttgateway listeners")
    if count > bad:
        yield ok(PART, "1 listener answers" if count - bad == 1 else f"{count - bad} listeners answer")
    elif not count and unasked <= 0:
        yield ok(PART, "none is registered")


def _counted(number: int) -> str:
    return "1 listener was" if number == 1 else f"{number} listeners were"
