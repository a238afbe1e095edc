"""Doing through the API of a gateway what happens in a simulated restaurant, whatever the gateway answers."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from twisted.internet.interfaces import IReactorTime

from ttgateway.commands.gateway.api import GatewayAPI, Refused
from ttgateway.commands.gateway.calling import NoAnswer
from ttgateway.commands.simulation.day import clock
from ttgateway.commands.simulation.restaurant import Action, Step
from ttgateway.commands.simulation.tempo import Tempo
from ttgateway.commands.terminal.ending import Ending
from ttgateway.commands.terminal.progress import Progress

ORDERS = "/api/v2/activeorders"

RETRY = 1.0
"""Seconds between two tries of the same step."""

LONGEST_WAIT = 10.0
"""Seconds that a gateway's Retry-After may make us wait."""

CLEARING = 20.0
"""Seconds for clearing all orders at the end."""


class Driver:
    """Plays ``story`` at ``tempo`` until it has made enough changes or is to end.

    Where the gateway is away, the story waits for it.
    """

    def __init__(
        self,
        api: GatewayAPI,
        story: Iterator[Step],
        ending: Ending,
        timers: IReactorTime,
        progress: Progress,
        tempo: Tempo,
    ) -> None:
        self.made = 0
        self.failures = 0
        self._api = api
        self._story = story
        self._ending = ending
        self._timers = timers
        self._progress = progress
        self._tempo = tempo
        self._open: dict[str, str] = {}  # number to uuid of each order that was started here
        self._unsure: set[str] = set()  # numbers of orders that may have been started: no answer came
        self._trouble = ""

    @property
    def open(self) -> list[str]:
        """Return the numbers of the orders that were started here and are not over, oldest first."""
        return list(self._open)

    async def drive(self, changes: int | None) -> None:
        """Make ``changes`` changes (``None``: without end); raise `Refused` where trying again is no use."""
        for step in self._story:
            if step.action is not Action.START and step.name not in self._open:
                continue  # of an order that was never ours, or is no longer
            await self._ending.pause(self._tempo.wait(step.at))
            if self._ending.asked:
                return
            if await self._make(step):
                self.made += 1
            self._show(step.at)
            if self.made == changes:
                return

    async def clear(self) -> tuple[int, int]:
        """Clear every order that was started here; return how many were cleared, and how many could not be."""
        ends = self._timers.seconds() + CLEARING
        keys = list(self._open.values())
        cleared = 0
        left = len(keys)
        for key in (*keys, *self._unsure):
            if self._timers.seconds() >= ends:
                break
            try:
                await self._api.call("DELETE", f"{ORDERS}/{key}")
                cleared += 1
            except Refused as error:
                if error.status != 404:
                    continue
            except NoAnswer:
                break  # the others would only wait as long
            left -= key not in self._unsure
        return cleared, left

    async def _make(self, step: Step) -> bool:
        """Make ``step``; tell whether that changed something."""
        if step.action is Action.START and not await self._is_free(step.name):
            return False
        try:
            reply = await self._insist(lambda: self._send(step), unsure=step)
        except Refused as error:
            if error.status != 404:
                raise
            self._open.pop(step.name, None)  # somebody else has ended it, or an earlier try has
            return False
        if reply is None:
            return False
        self._unsure.discard(step.name)
        if step.action is Action.CLEAR:
            self._open.pop(step.name, None)
        else:
            known = self._open.get(step.name, "")
            self._open[step.name] = str(reply.get("activeorder", {}).get("uuid", "")) or known
        return True

    async def _is_free(self, name: str) -> bool:
        """Tell whether no order has this number; one that has is somebody else's, and left alone."""
        try:
            await self._insist(lambda: self._api.call("GET", f"{ORDERS}/{name}"))
        except Refused as error:
            if error.status == 404:
                return True
            raise
        return False

    async def _insist(
        self, request: Callable[[], Awaitable[dict[str, Any]]], unsure: Step | None = None
    ) -> dict[str, Any] | None:
        """Return the reply to ``request``, made again until there is one; ``None`` if the command is to end."""
        while not self._ending.asked:
            wait = RETRY
            try:
                reply = await request()
            except NoAnswer as error:
                if unsure is not None and unsure.action is Action.START and not error.nobody:
                    self._unsure.add(unsure.name)
                self._failed(f"The gateway does not answer ({error}); trying until it does.")
            except Refused as error:
                if not error.passes:
                    self._recovered()
                    raise
                wait = min(max(RETRY, error.retry_after or 0.0), LONGEST_WAIT)
                self._failed(f"The gateway refuses for now ({error.status}): {error} Trying again.")
            else:
                self._recovered()
                return reply
            await self._ending.pause(wait)
        return None

    def _send(self, step: Step) -> Awaitable[dict[str, Any]]:
        if step.action in (Action.START, Action.LOCATE):
            body = {"name": step.name, "orderType": step.kind, "locationName": step.table}
            return self._api.call("POST", ORDERS, json=body)
        path = f"{ORDERS}/{self._open[step.name]}"
        if step.action is Action.CLEAR:
            return self._api.call("DELETE", path)
        return self._api.call("POST" if step.action is Action.PAGE else "DELETE", f"{path}/page")

    def _failed(self, text: str) -> None:
        self.failures += 1
        if text != self._trouble:
            self._progress.note(text)
        self._trouble = text

    def _recovered(self) -> None:
        if self._trouble:
            self._progress.note("The gateway answers again.")
        self._trouble = ""

    def _show(self, at: float) -> None:
        failures = f", {self.failures} failures" if self.failures else ""
        self._progress.show(f"{clock(at)}  {self.made} changes, {len(self._open)} orders open{failures}")
