"""Doing through the API of a gateway what happens on a simulated floor, step by step, whatever the gateway answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from ttgateway.control.api import GatewayAPI, Refused
from ttgateway.control.calling import NoAnswer
from ttgateway.control.ending import Ending
from ttgateway.control.floor import Action, Floor, Step
from ttgateway.control.progress import Progress, Rate

ORDERS = "/api/v2/activeorders"

RETRY = 1.0
"""Seconds between two tries of the same step."""

LONGEST_WAIT = 10.0
"""Seconds that a gateway's Retry-After may make us wait."""

CLEARING = 20.0
"""Seconds for clearing all orders at the end."""


class Driver:
    """Makes the steps of ``floor``, ``pace`` changes a second, until it has made enough or is to end."""

    def __init__(
        self, api: GatewayAPI, floor: Floor, ending: Ending, timers: IReactorTime, progress: Progress, pace: float
    ) -> None:
        self.made = 0
        self.failures = 0
        self._api = api
        self._floor = floor
        self._ending = ending
        self._timers = timers
        self._progress = progress
        self._every = 1.0 / pace
        self._rate = Rate(timers.seconds)
        self._unsure: set[str] = set()  # numbers of orders that may have been started: no answer came
        self._trouble = ""

    async def drive(self, changes: int | None) -> None:
        """Make ``changes`` changes (``None``: without end); raise `Refused` where trying again is no use."""
        due = self._timers.seconds()
        while not self._ending.asked and (changes is None or self.made < changes):
            if await self._make(self._floor.next()):
                self.made += 1
                self._rate.count()
            self._show()
            # After an outage the pace goes on from now: what was missed is not made up for in a burst.
            due = max(due + self._every, self._timers.seconds() - self._every)
            await self._ending.pause(max(0.0, due - self._timers.seconds()))

    async def clear(self) -> tuple[int, int]:
        """Clear every order that was started here; return how many were cleared, and how many could not be."""
        ends = self._timers.seconds() + CLEARING
        keys = [guest.uuid for guest in self._floor.guests()]
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
            self._floor.lost(step.name)  # somebody else has ended it, or an earlier try has
            return False
        if reply is None:
            return False
        self._unsure.discard(step.name)
        self._floor.done(step, str(reply.get("activeorder", {}).get("uuid", "")))
        return True

    async def _is_free(self, name: str) -> bool:
        """Tell whether no order has this number; one that has is somebody else's, and left alone."""
        try:
            reply = await self._insist(lambda: self._api.call("GET", f"{ORDERS}/{name}"))
        except Refused as error:
            if error.status == 404:
                return True
            raise
        if reply is not None:
            self._floor.avoid([name])
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
            self._show()
            await self._ending.pause(wait)
        return None

    def _send(self, step: Step) -> Awaitable[dict[str, Any]]:
        if step.action in (Action.START, Action.LOCATE):
            body = {"name": step.name, "orderType": step.kind, "locationName": step.table}
            return self._api.call("POST", ORDERS, json=body)
        path = f"{ORDERS}/{self._floor.guest(step.name).uuid}"
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

    def _show(self) -> None:
        orders = len(self._floor.guests())
        failures = f", {self.failures} failures" if self.failures else ""
        self._progress.show(f"{self.made} changes, {self._rate():.1f} a second, {orders} orders open{failures}")
