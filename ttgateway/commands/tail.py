"""``ttgateway tail``: every order change, printed as it happens, without being a listener."""

from typing import Any

import click
import msgspec
from twisted.internet.defer import CancelledError, ensureDeferred

from ttgateway.commands.gateway.api import GatewayAPI, Refused
from ttgateway.commands.gateway.calling import NoAnswer
from ttgateway.commands.gateway.lending import lent_api
from ttgateway.commands.options import as_json_option, gateway_option, token_option
from ttgateway.commands.receiving.deliveries import Delivery, Judgement, happened
from ttgateway.commands.receiving.printing import Printer
from ttgateway.commands.terminal.console import Console, notice, pass_console, warning
from ttgateway.commands.terminal.ending import Ending
from ttgateway.whole import MOST_WHOLE

EVENTS = "/api/v2/events"
WAIT = 5
"""Whole seconds that the gateway waits for the next change; then it is asked again."""

RETRY = 1.0
"""Seconds between two tries while the gateway does not answer, or takes no questions."""

_GONE = 410


@click.command()
@gateway_option
@token_option
@click.option(
    "--since", type=click.IntRange(0, MOST_WHOLE), metavar="SEQ", help="Begin after this change. [default: now]"
)
@click.option("--count", type=click.IntRange(1), help="End after so many changes. [default: at Ctrl-C]")
@as_json_option
@pass_console
def tail(
    console: Console, gateway: str | None, secret: str | None, since: int | None, count: int | None, as_json: bool
) -> None:
    """Print every order change as it happens, until Ctrl-C.

    Nothing is registered. A gateway that restarts is waited for, and no change is left out. The time of a change is
    that of the gateway when it happened.
    """

    async def work(reactor: Any, ending: Ending) -> None:
        async with lent_api(console, reactor, gateway, secret, "tail") as api:
            now = await _newest(api)
            if since is not None and since > now["last"]:
                notice(f"The last change is {now['last']}; waiting for what comes after {since}.")
            printer = Printer(ending, count, as_json=as_json, when=happened)
            printer.begin()
            await Tail(api, ending, printer).follow(now["last"] if since is None else since, now["epoch"])
            printer.end()

    console.run(work)


class Tail:
    """Follows the journal of the gateway behind ``api``."""

    def __init__(self, api: GatewayAPI, ending: Ending, printer: Printer) -> None:
        self._api = api
        self._ending = ending
        self._printer = printer
        self._trouble = ""

    async def follow(self, since: int, epoch: str) -> None:
        """Print what comes after ``since`` in this epoch, until it is to end; raise `CommandFailed`."""
        while not self._ending.asked:
            try:
                found = await self._next(since, epoch)
            except (NoAnswer, Refused) as error:
                since, epoch = await self._in_trouble(error, since, epoch)
                continue
            self._trouble = ""
            for change in found["items"]:
                self._print(change, epoch)
                since = change["seq"]

    async def _next(self, since: int, epoch: str) -> dict[str, Any]:
        """Return the changes after ``since``, once there are any or `WAIT` is over; the end does not wait for that."""
        asked = {"since": since, "epoch": epoch, "wait": WAIT}
        asking = ensureDeferred(self._api.call("GET", EVENTS, params=asked))
        ended = ensureDeferred(self._ending.pause())
        ended.addCallbacks(lambda _: asking.cancel(), lambda failure: failure.trap(CancelledError))
        try:
            return await asking
        finally:
            ended.cancel()

    async def _in_trouble(self, error: NoAnswer | Refused, since: int, epoch: str) -> tuple[int, str]:
        """Return where to go on after an error, once it is time to; raise `CommandFailed` where that is no use."""
        if self._ending.asked:
            return since, epoch
        if isinstance(error, Refused) and error.status == _GONE:
            now = await _newest(self._api)
            warning(f"{error} Going on after {now['last']}.")
            return now["last"], now["epoch"]
        if isinstance(error, Refused) and not error.passes:
            raise self._api.failed(error)
        if str(error) != self._trouble:
            self._trouble = str(error)
            notice(f"{self._api.failed(error).message}; waiting for it")
        await self._ending.pause(RETRY)
        return since, epoch

    def _print(self, change: dict[str, Any], epoch: str) -> None:
        seq = change["seq"]
        got = Delivery(body=change, webhook_id=f"{epoch}.{seq}", seq=seq, previous=None, attempt=1, flags=())
        self._printer.take(got, Judgement(False), msgspec.json.encode(change))


async def _newest(api: GatewayAPI) -> dict[str, Any]:
    """Return what tells the last seq and the epoch: nothing comes after the highest of all. Raises `CommandFailed`."""
    return await api.first_call(f"{EVENTS}?since={MOST_WHOLE}")
