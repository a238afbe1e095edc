"""What a running gateway knows of where it runs, and whom it may call: for ``ttgateway check`` and ``allow``."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from ttgateway.api.shapes import Shape
from ttgateway.control.standing import StatusShape, status_shape
from ttgateway.gateway import Gateway
from ttgateway.notifier.attempts.attempt import Network
from ttgateway.notifier.attempts.outcome import DNS, FORBIDDEN
from ttgateway.notifier.callbacks.policy import IPNetwork, stays_closed
from ttgateway.notifier.callbacks.trial import Trial, tried
from ttgateway.openings import OpeningInvalid, opening
from ttgateway.refusals import ListenerSilent
from ttgateway.settings import Opening, Settings

_Fields = dict[str, object]


class Announced(Protocol):
    """The part of `ttgateway.discovery.presence.Presence` that is used here."""

    @property
    def announced_name(self) -> str: ...  # noqa: D102
    @property
    def trouble(self) -> str: ...  # noqa: D102


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway runs.

    ``serves`` returns the addresses and ports of the API, ``config`` is the full path of the settings' file (``""``:
    none), and ``presence`` returns how the gateway is announced (``None``: it is not to be).
    """

    network: Network
    serves: Callable[[], Sequence[tuple[str, int]]]
    config: str
    presence: Callable[[], Announced | None]


class AnnouncedShape(Shape, frozen=True):
    """How a gateway is announced: under which name (``""``: not at present), and why not."""

    name: str
    trouble: str


class ViewShape(Shape, frozen=True):
    """How a running gateway sees itself. ``wall`` is what its clock shows (Unix time), ``clock_drift`` by how many
    seconds that was set since the start, ``clock_behind`` by how many it is behind what was written before.
    """

    status: StatusShape
    serves: list[tuple[str, int]]
    config: str
    settings: Settings
    announced: AnnouncedShape | None
    wall: float
    clock_drift: float
    clock_behind: float


class TrialShape(Shape, frozen=True):
    """What would become of a URL."""

    url: str
    called: bool
    why_not: str
    addresses: list[dict[str, object]]


class ExaminedShape(Shape, frozen=True):
    """How it stands with one listener: ``cause`` is why it cannot be told anything, ``""``: it can."""

    url: str
    cause: str
    why_not: str


class Enquiries:
    """What the control socket answers about it; each takes the fields of the body, and returns what to show."""

    def __init__(self, gateway: Gateway, surroundings: Surroundings) -> None:
        self._gateway = gateway
        self._surroundings = surroundings

    async def view(self, _: _Fields) -> object:
        """Return how the gateway sees itself."""
        presence = self._surroundings.presence()
        return ViewShape(
            status=await status_shape(self._gateway),
            serves=list(self._surroundings.serves()),
            config=self._surroundings.config,
            settings=self._gateway.settings,
            announced=None if presence is None else AnnouncedShape(presence.announced_name, presence.trouble),
            wall=self._gateway.now().wall,
            clock_drift=self._gateway.health.clock_drift(),
            clock_behind=self._gateway.health.clock_behind(),
        )

    async def rules(self, _: _Fields) -> object:
        """Return what opens more than private networks."""
        return self._surroundings.network.policy.rules

    async def allow(self, asked: _Fields) -> object:
        """Let a network be called; raise `OpeningInvalid`, `TooMany` and `NotNow`."""
        wanted = openable(asked.get("network"))
        return {"network": str(wanted), "changed": await self._gateway.openings.add(wanted)}

    async def close(self, asked: _Fields) -> object:
        """Let a network no longer be called by command; raise `OpeningInvalid` and `NotNow`."""
        wanted = opening(asked.get("network"))
        return {"network": str(wanted), "changed": await self._gateway.openings.remove(wanted)}

    async def examine(self, asked: _Fields) -> object:
        """Return whether a listener may be called, and answers a ``HEAD``; raise `ListenerUnknown` and `TooMany`."""
        listener, _ = self._gateway.registry.listener(str(asked["listener"]))
        network = self._surroundings.network
        trial = await tried(listener.url, network.policy, network.resolver)
        if not trial.called:
            return ExaminedShape(url=listener.url, cause=FORBIDDEN if trial.rulings else DNS, why_not=trial.why_not)
        try:
            await self._gateway.registry.ping(listener.id)
        except ListenerSilent as silent:
            return ExaminedShape(url=listener.url, cause=silent.cause, why_not="")
        return ExaminedShape(url=listener.url, cause="", why_not="")

    async def trial(self, asked: _Fields) -> object:
        """Return what would become of a URL."""
        network = self._surroundings.network
        return trial_shape(await tried(asked.get("url"), network.policy, network.resolver))


def openable(text: object) -> Opening:
    """Return the opening that ``text`` means; raise `OpeningInvalid`, also where nothing opens what it names."""
    wanted = opening(text)
    network: IPNetwork = wanted.network
    if (closed := stays_closed(network)) is not None:
        raise OpeningInvalid(f"{network} is {closed}. Nothing allows that.")
    return wanted


def trial_shape(trial: Trial) -> TrialShape:
    """Return what an operator is shown of a trial."""
    addresses = [msgspec.structs.asdict(ruling) for ruling in trial.rulings]
    return TrialShape(url=trial.url, called=trial.called, why_not=trial.why_not, addresses=addresses)
